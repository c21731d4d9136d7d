"""Files of fans, taken in."""

from sqlalchemy import select

from app.accounts.models import User
from app.extensions import db
from app.fans.models import Fan
from app.imports import service
from app.imports.models import Import
from app.imports.reader import Wishes

HEADER = "Username,Display Name,Email,Subscription Tier,Total Spent,Last Seen\n"


def load(viewer: User, text: str, account_id: int | None = None, **wishes: object) -> Import:
    """An import of `text`."""
    return service.load(viewer, account_id, "fans.csv", text.encode(), Wishes(**wishes))  # type: ignore[arg-type]


def counts(found: Import) -> tuple[int, int, int, int]:
    """Inserted, updated, unchanged, rejected."""
    return found.inserted, found.updated, found.unchanged, found.rejected


def fan_of(handle: str) -> Fan:
    """The fan with this handle, as the database has it."""
    db.session.expire_all()
    return db.session.scalars(select(Fan).where(Fan.handle == handle)).one()


def many(number: int) -> str:
    """A file of that many fans, every tenth row faulty."""
    rows = (f"many{n},Many {n},{'' if n % 10 else 'wrong'},Gold,{n},\n" for n in range(number))
    return HEADER + "".join(rows)
