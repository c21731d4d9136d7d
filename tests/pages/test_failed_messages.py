"""The page of what went wrong: why, again one by one or all, and only one's own; what nobody knows is looked up."""

import re
from datetime import timedelta

from app.accounts.models import User
from app.clock import now
from app.conversations.models import Conversation
from app.extensions import db
from app.messages.models import Message, Status
from app.pages import failed
from tests.pages.conftest import HTMX, SignIn, Write, post
from tests.support.cast import Cast
from tests.support.queries import count_queries

PAGE = "/messages/failed"
SECRET = "Words for nobody else"
LIST = HTMX | {"HX-Target": "failures"}


def fail(write: Write, conversation: Conversation, text: str = SECRET, hours_ago: float = 1, **more: object) -> Message:
    """A message that failed then."""
    known = {
        "status": Status.FAILED,
        "failed_at": now() - timedelta(hours=hours_ago),
        "error": "Refused",
        "attempts": 1,
    }
    return write(conversation, text, **(known | more))


def _new(old: Message) -> Message | None:
    return db.session.query(Message).filter_by(retry_of_id=old.id).one_or_none()


def test_it_says_what_failed_why_and_what_to_do(
    sign_in: SignIn, ada: User, conversation: Conversation, write: Write
) -> None:
    client = sign_in(ada)
    assert "Everything arrived" in client.get(PAGE).text
    assert "Nothing is in doubt" in client.get(f"{PAGE}?show=unknown").text
    fail(write, conversation, "<b>Hi</b>", error="Cannot send message to this user", attempts=2, price_cents=500)
    fail(write, conversation, "Too old", hours_ago=24 * 8)
    answer = client.get(PAGE).text
    for words in ("Tom Tester", "&lt;b&gt;Hi&lt;/b&gt;", "This fan can&#39;t be written to", "blocked or muted",
                  "Cannot send message to this user", "after 2 attempts", "$5", f"/messages/onlyfans/{conversation.id}",
                  "at most 10 in a minute"):  # fmt: skip
        assert words in answer, words
    assert "Too old" not in answer


def test_filters_and_pages_live_in_the_address(
    sign_in: SignIn, ada: User, conversation: Conversation, write: Write
) -> None:
    fail(write, conversation, "Long ago", hours_ago=30, error="Chat not found")
    for place in range(failed.PAGE):
        fail(write, conversation, f"Number {place:02}", hours_ago=1 + place / 100)
    client = sign_in(ada)
    first = client.get(PAGE).text
    assert len(re.findall(r'id="failure-', first)) == failed.PAGE
    following = re.search(r'id="page-after"[^>]*href="([^"]+)"', first)
    assert following is not None
    second = client.get(following[1], headers=LIST)
    assert "<html" not in second.text
    assert "Long ago" in second.text
    assert second.headers["HX-Push-Url"] == following[1]
    assert "Long ago" in client.get(f"{PAGE}?kind=gone").text
    assert "Long ago" not in client.get(f"{PAGE}?hours=24").text
    assert "Nothing matches" in client.get(f"{PAGE}?kind=media").text
    assert "Nothing further back" in client.get(f"{PAGE}?after=1-1").text
    for nonsense in ("kind=x", "hours=7", "after=x", "account=x", "campaign=-1", "show=x", "after=9999999999999999-1"):
        assert client.get(f"{PAGE}?{nonsense}").status_code == 200, nonsense


def test_one_some_or_all_are_queued_again(sign_in: SignIn, cast: Cast, write: Write) -> None:
    client = sign_in(cast.ada)
    one, two, three, four = (fail(write, cast.conversations[place % 3]) for place in range(4))
    assert "Choose some messages first" in _posted(sign_in, cast.ada, {})
    assert post(client, f"{PAGE}/retry", {"only": str(one.id)}).location == PAGE
    assert "sent again already" in _posted(sign_in, cast.ada, {"only": str(one.id)})
    new = _new(one)
    assert new is not None
    assert new.sqs_message_id is not None
    post(client, f"{PAGE}/retry", {"message": str(two.id)})
    assert (_new(two) is None, _new(three) is None) == (False, True)
    cast.fans[0].unreachable_at = now()
    db.session.commit()
    said = _posted(sign_in, cast.ada, {"everything": "y", "hours": "24"})
    assert "1 message is in line again" in said
    assert "1 was left out: its fan can&#39;t be reached" in said
    assert (_new(three) is None, _new(four) is None) == (False, True)


def _posted(sign_in: SignIn, user: User, form: dict[str, str]) -> str:
    """What the page says after a form was sent."""
    client = sign_in(user)
    return client.get(post(client, f"{PAGE}/retry", form).location).text


def test_unknown_ones_can_be_checked_and_sent_again(
    sign_in: SignIn, ada: User, conversation: Conversation, write: Write
) -> None:
    lost = write(conversation, "Did it?", status=Status.UNKNOWN, error="The connection broke")
    client = sign_in(ada)
    page = client.get(f"{PAGE}?show=unknown").text
    assert "The connection broke" in page
    looking = post(client, f"{PAGE}/{lost.id}/check").text
    assert "being looked through" in looking
    poll = re.search(r'hx-get="([^"]+)"', looking)
    assert poll is not None
    address = poll[1].replace("&amp;", "&")
    assert client.get(address, headers=HTMX).status_code == 204
    assert "The connection broke" in client.get(re.sub(r"until=\d+", "until=1", address), headers=HTMX).text
    lost.status, lost.error = Status.SENT, None
    db.session.commit()
    assert "it arrived" in client.get(address, headers=HTMX).text
    lost.status = Status.FAILED
    db.session.commit()
    assert "It did not arrive" in client.get(address, headers=HTMX).text
    lost.status = Status.UNKNOWN
    db.session.commit()
    assert "In line again" in post(client, f"{PAGE}/{lost.id}/send-again").text
    assert _new(lost) is not None
    assert "Nothing is in doubt" in client.get(f"{PAGE}?show=unknown").text


def test_without_any_script_it_leads_back_to_the_list(
    sign_in: SignIn, ada: User, conversation: Conversation, write: Write
) -> None:
    lost = write(conversation, "Did it?", status=Status.UNKNOWN)
    client = sign_in(ada)
    for path, method in ((f"{PAGE}/{lost.id}/check", "post"), (f"{PAGE}/{lost.id}", "get")):
        answer = post(client, path, htmx=False) if method == "post" else client.get(path)
        assert answer.location == f"{PAGE}?show=unknown"
    assert post(client, f"{PAGE}/{lost.id}/send-again", htmx=False).location == f"{PAGE}?show=unknown"


def test_nobody_sees_or_does_anything_of_others(sign_in: SignIn, cast: Cast, write: Write) -> None:
    message = fail(write, cast.conversations[0])
    lost = write(cast.conversations[1], SECRET, status=Status.UNKNOWN)
    eve = sign_in(cast.eve)
    for query in ("", "?show=unknown"):
        assert SECRET not in eve.get(f"{PAGE}{query}").text
    assert eve.get(f"{PAGE}?account={cast.account.id}").status_code == 404
    assert post(eve, f"{PAGE}/retry", {"only": str(message.id)}).status_code == 404
    post(eve, f"{PAGE}/retry", {"message": str(message.id)})
    post(eve, f"{PAGE}/retry", {"everything": "y"})
    for message_id in (lost.id, 10**9):
        assert eve.get(f"{PAGE}/{message_id}", headers=HTMX).status_code == 404
        for verb in ("check", "send-again"):
            assert post(eve, f"{PAGE}/{message_id}/{verb}").status_code == 404
    assert (_new(message), _new(lost)) == (None, None)
    max_ = sign_in(cast.max).get(PAGE).text
    assert SECRET in max_
    assert "Ada" in max_
    assert sign_in(cast.olga).get(PAGE).status_code == 403


def test_every_page_says_how_many_there_are(sign_in: SignIn, cast: Cast, write: Write) -> None:
    client = sign_in(cast.ada)
    badge = '<span class="badge">'
    assert badge not in client.get("/platforms/onlyfans/fans").text
    fail(write, cast.conversations[0])
    write(cast.conversations[1], "Did it?", status=Status.UNKNOWN)
    assert f'{badge}2<span class="sr-only">' in client.get("/platforms/onlyfans/fans").text
    with count_queries() as few:
        client.get(PAGE)
    for _ in range(9):
        fail(write, cast.conversations[2])
    with count_queries() as many:
        client.get(PAGE)
    assert len(many) == len(few)
