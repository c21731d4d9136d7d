"""What comes from the platform as HTML is shown as clean text, and what became of it there is said."""

from app.messages.models import Status
from tests.inbound.told import message, tell, unlock, work_off
from tests.pages.conftest import SignIn, Write
from tests.support.cast import Cast


def test_a_fans_markup_is_shown_as_text(sign_in: SignIn, cast: Cast) -> None:
    tell("messages.received", message(1, 1001, 5, text="<p>Tea &amp; <b>cake</b> &lt;3<br>soon?</p>"))
    work_off()
    page = sign_in(cast.ada).get(f"/messages/onlyfans/{cast.conversations[0].id}").text
    assert '<p class="text" dir="auto">Tea &amp; cake &lt;3\nsoon?</p>' in page
    assert "<b>cake" not in page


def test_bought_and_deleted_messages_say_so(sign_in: SignIn, cast: Cast, write: Write) -> None:
    sold = write(cast.conversations[0], "For you", status=Status.SENT, price_cents=500)
    tell("messages.sent", message(1, 1001, 5, by_us=True, price=9))
    tell("messages.ppv.unlocked", unlock(1, 1001, 9))
    tell("messages.received", message(4, 1001, 12))
    tell("messages.deleted", {"id": message(4, 1001, 12)["id"]})
    work_off()
    page = sign_in(cast.ada).get(f"/messages/onlyfans/{cast.conversations[0].id}").text
    assert page.count("bought</span>") == 1
    assert page.count("Deleted on the platform") == 1
    assert sold.unlocked_at is None
