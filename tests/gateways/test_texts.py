"""Messages of a chat as the platform shows them, and how one of ours is known again among them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.gateways import answers
from app.gateways.answers import clean_text, same_text

NOW = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
ITEM = {
    "id": 7,
    "text": "<p>Hi &lt;you&gt;<br />there</p>",
    "price": 9.99,
    "mediaCount": 2,
    "isSentByMe": True,
    "createdAt": "2026-11-01T13:00:00+01:00",
}


def test_a_message_of_a_chat_is_read() -> None:
    message = answers.read_chat_message(ITEM)
    assert message == answers.ChatMessage("7", "Hi <you>\nthere", 999, 2, True, NOW)


def test_a_message_without_its_extras_is_read() -> None:
    bare: dict[str, Any] = {"id": "x", "createdAt": "2026-11-01T12:00:00Z", "text": None, "price": None, "media": [{}]}
    expected = replace(answers.read_chat_message(ITEM), id="x", text="", price_cents=0, media=1, sent_by_us=False)
    assert answers.read_chat_message(bare) == expected


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("<p>Hello</p>", "Hello"),
        ("<p>a<br>b<BR/>c</p>", "a\nb\nc"),
        ("<p>a</p>\n<p class='x'>b</p>", "a\nb"),
        ("a &lt;3 &amp; b", "a <3 & b"),
        ("&amp;lt;", "&lt;"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ("a\x00b\x1fc", "abc"),
        ("&#0;x", "\ufffdx"),
        ("  <b></b> ", ""),
    ],
)
def test_markup_becomes_plain_text(markup: str, plain: str) -> None:
    assert clean_text(markup) == plain


@pytest.mark.parametrize(
    ("ours", "markup", "same"),
    [
        ("Hello", "<p>Hello</p>", True),
        ("a\nb", "<p>a<br>b</p>", True),
        ("a\n\nb", "<p>a</p><p>b</p>", True),
        ("a   b ", "<p>a b</p>", True),
        ("I <3 you & me", "<p>I &lt;3 you &amp; me</p>", True),
        ("<b>bold</b>", "<p><b>bold</b></p>", True),
        ("<b>bold</b>", "<p>&lt;b&gt;bold&lt;/b&gt;</p>", True),
        ("", "", True),
        ("Hello", "<p>Hello!</p>", False),
        ("Hello", "<p>hello</p>", False),
        ("Hello", "", False),
        ("ab", "<p>a b</p>", False),
    ],
)
def test_a_text_is_known_again_behind_its_markup(ours: str, markup: str, same: bool) -> None:
    assert same_text(ours, clean_text(markup)) is same
