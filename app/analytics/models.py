"""Roll-ups of the transactions: they can be rebuilt at any time, with the same result. Money in cents."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import BigId, UtcDateTime
from app.extensions import Model


class Sums:
    """What payments come to, and how many they are."""

    gross_cents: Mapped[int] = mapped_column(BigId)
    net_cents: Mapped[int] = mapped_column(BigId)
    payments: Mapped[int] = mapped_column()


class Revenue(Sums, Model):
    """What an account received in a UTC quarter hour, by type; `quarter` counts quarter hours since 1970.

    Time zones differ by whole quarter hours, so that the days and hours of every zone add up from these.
    """

    __tablename__ = "revenue"
    __table_args__ = (CheckConstraint("payments > 0", name="payments"), {"sqlite_with_rowid": False})

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    quarter: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(String(12), primary_key=True)


class RevenueDay(Sums, Model):
    """What an account received on a day of its time zone, by type; `day` counts days since 1 January 1970."""

    __tablename__ = "revenue_day"
    __table_args__ = ({"sqlite_with_rowid": False},)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(String(12), primary_key=True)


class RevenueMonth(Sums, Model):
    """What an account received in a month of its time zone, by type; `month` is the number of its first day."""

    __tablename__ = "revenue_month"
    __table_args__ = ({"sqlite_with_rowid": False},)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    month: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(String(12), primary_key=True)


class RevenueHour(Sums, Model):
    """What an account received in an hour of the week, in all weeks of a month; 0 is Monday's first hour there."""

    __tablename__ = "revenue_hour"
    __table_args__ = ({"sqlite_with_rowid": False},)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    month: Mapped[int] = mapped_column(primary_key=True)
    hour: Mapped[int] = mapped_column(primary_key=True)


class FanDay(Sums, Model):
    """What a fan paid on a day of the account's time zone; `day` counts days since 1 January 1970."""

    __tablename__ = "fan_day"
    __table_args__ = (Index(None, "fan_id", "day"), {"sqlite_with_rowid": False})

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True)
    fan_id: Mapped[int] = mapped_column(ForeignKey("fan.id", ondelete="CASCADE"), primary_key=True)


class FanMonth(Sums, Model):
    """What a fan paid in a month of the account's time zone; `month` is the number of its first day, as in FanDay."""

    __tablename__ = "fan_month"
    __table_args__ = (Index(None, "fan_id", "month"), {"sqlite_with_rowid": False})

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    month: Mapped[int] = mapped_column(primary_key=True)
    fan_id: Mapped[int] = mapped_column(ForeignKey("fan.id", ondelete="CASCADE"), primary_key=True)


class RollUp(Model):
    """The time zone that an account's days and months were counted in, and when it was last counted."""

    __tablename__ = "roll_up"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    time_zone: Mapped[str] = mapped_column(String(64))
    rolled_up_at: Mapped[datetime] = mapped_column(UtcDateTime)
