"""Why messages fail, in plain words, and what to do about it: the one place that knows what refusals look like.

A refusal is told by its code, or by words in its text; the first kind that fits counts.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, case, func, or_

from app.messages.models import Message


class Kind(StrEnum):
    """What went wrong, as far as it makes a difference to people."""

    UNREACHABLE = "unreachable"
    MEDIA = "media"
    WORDING = "wording"
    PRICE = "price"
    GONE = "gone"
    FORBIDDEN = "forbidden"
    UNCONFIRMED = "unconfirmed"
    ABSENT = "absent"
    OURS = "ours"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Reason:
    """`title` says what happened, `advice` what to do; `codes` and `phrases` (lower case) tell it from others."""

    title: str
    advice: str
    codes: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()


REASONS = {
    Kind.UNREACHABLE: Reason(
        "This fan can't be written to",
        "They blocked or muted you, left, or take no messages. A retry fails as long as that is so; once they write "
        "or subscribe again, it arrives.",
        (),
        ("cannot send message", "can't be written to"),
    ),
    Kind.MEDIA: Reason(
        "The platform could not take the media",
        "Open the link: it must be public and lead to the file itself. Then retry, or write again with another one.",
        ("MEDIA_REFUSED", "MEDIA_UNAVAILABLE"),
        ("media", "upload"),
    ),
    Kind.WORDING: Reason(
        "The platform refuses the wording",
        "A word in it isn't allowed there. A retry sends the same text: write it again without that word.",
        (),
        ("word", "text"),
    ),
    Kind.PRICE: Reason(
        "The platform refuses the price",
        "A price is $3 to $200 and needs media. Write it again with another price.",
        (),
        ("price",),
    ),
    Kind.GONE: Reason(
        "This chat isn't there any more",
        "The fan deleted their profile, or the account changed. Look at the fan on the platform before you retry.",
        ("NOT_FOUND",),
        ("not found", "answered 404"),
    ),
    Kind.FORBIDDEN: Reason(
        "The platform doesn't let this account write",
        "Sign in there and look for a warning or a restriction, then retry.",
        (),
        ("forbidden", "not allowed", "answered 403"),
    ),
    Kind.UNCONFIRMED: Reason(
        "The platform failed four times",
        "It did not arrive, and nothing is wrong with it: retry when the platform is well again.",
        ("NOT_CONFIRMED",),
    ),
    Kind.ABSENT: Reason(
        "It isn't in its chat",
        "Somebody had its chat looked through: it did not arrive. Retry it.",
        ("NOT_IN_CHAT",),
    ),
    Kind.OURS: Reason(
        "Something went wrong here",
        "It is our fault, not yours, and it did not arrive. Retry it; if that fails too, tell whoever runs this.",
        ("POISON", "IDEMPOTENCY_KEY_MISMATCH", "IDEMPOTENCY_KEY_INVALID"),
    ),
    Kind.REFUSED: Reason(
        "The platform refused it",
        "Its own words stand beside it. Mend what they name, then retry or write again.",
    ),
}


def kind() -> ColumnElement[str]:
    """The kind of a message's failure, as a column."""
    said = func.lower(func.coalesce(Message.error, ""))
    conditions = []
    for one, reason in REASONS.items():
        fits = [said.contains(phrase, autoescape=True) for phrase in reason.phrases]
        if reason.codes:
            fits.append(Message.error_code.in_(reason.codes))
        if fits:
            conditions.append((or_(*fits), one.value))
    return case(*conditions, else_=Kind.REFUSED.value)
