"""What a campaign's text becomes for each fan, and where a campaign stands."""

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from app.campaigns.rules import Counts, check_template, render, stage, unsendable


@dataclass
class Somebody:
    """A fan as a text sees one."""

    platform_id: str | None = "1001"
    name: str = "Tom"
    handle: str | None = "tom_t"
    tier: str | None = None


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("Hi {{name}}!", "Hi Tom!"),
        ("Hi {{ name }} and {{name|friend}}!", "Hi Tom and Tom!"),
        ("For @{{handle}}, our {{tier|favourite}} fan", "For @tom_t, our favourite fan"),
        ("{{tier}}{{tier|}}.", "."),
        ("{{tier| a | b }}", "a | b"),
        ("Plain {text} | with } and {", "Plain {text} | with } and {"),
    ],
)
def test_placeholders_become_what_is_known(text: str, rendered: str) -> None:
    assert render(check_template(text), Somebody()) == rendered


def test_nobody_is_greeted_by_a_number_when_a_fallback_is_there() -> None:
    by_id = Somebody(name="1001")
    assert render("Hi {{name|friend}}!", by_id) == "Hi friend!"
    assert render("Hi {{name}}!", by_id) == "Hi 1001!"


def test_what_a_fan_is_called_is_never_read_as_a_placeholder() -> None:
    assert render("Hi {{name}}!", Somebody(name="{{handle}} \\1 {{tier|x}}")) == "Hi {{handle}} \\1 {{tier|x}}!"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hi {{nmae}}!", "Nobody knows {{nmae}}: placeholders are {{name}}, {{handle}}, {{tier}}"),
        ("{{name}} {{age}} {{city|there}} {{age}}", "Nobody knows {{age}}, {{city}}:"),
        ("{{Name}}", "{{Name}}"),
        ("{{}}", "{{}}"),
        ("{{" + "x" * 5000 + "}}", "{{" + "x" * 50 + "}}"),
        ("Hi {{name", "A placeholder is written"),
        ("Hi name}}", "A placeholder is written"),
        ("{{{name}}}", None),
        ("{{name|{{handle}}}}", "A placeholder is written"),
    ],
)
def test_what_nobody_could_fill_in_is_refused_by_name(text: str, words: str | None) -> None:
    if words is None:
        assert render(check_template(text), Somebody()) == "{Tom}"
        return
    with pytest.raises(PydanticCustomError, match=re.escape(words)):
        check_template(text)


@given(st.text(alphabet="{}| ab", max_size=40))
def test_a_checked_text_leaves_no_braces_for_fans_to_read(text: str) -> None:
    try:
        checked = check_template(text)
    except PydanticCustomError:
        return
    rendered = render(checked, Somebody())
    assert "{{" not in re.sub(r"\{\{[^{}]*\}\}", "", checked)
    assert "{{" not in rendered or "{{" not in checked


def test_a_text_that_was_made_too_long_or_empty_is_not_sent() -> None:
    assert unsendable("x" * 5000) is None
    assert "5000" in (unsendable("x" * 5001) or "")
    assert "can't be sent" in (unsendable(" \n ") or "")
    assert "can't be sent" in (unsendable("a\x00b") or "")


@pytest.mark.parametrize(
    ("will", "planned", "counts", "expected"),
    [
        ("active", False, Counts(), "planning"),
        ("active", False, Counts(queued=5), "planning"),
        ("active", True, Counts(), "completed"),
        ("active", True, Counts(scheduled=3), "scheduled"),
        ("active", True, Counts(queued=3), "queued"),
        ("active", True, Counts(scheduled=2, queued=1), "queued"),
        ("active", True, Counts(queued=2, sending=1), "sending"),
        ("active", True, Counts(queued=2, sent=1), "sending"),
        ("active", True, Counts(sent=2, failed=1, unknown=1), "completed"),
        ("paused", True, Counts(queued=2), "paused"),
        ("paused", False, Counts(), "paused"),
        ("paused", True, Counts(sent=2), "completed"),
        ("late", True, Counts(queued=2), "late"),
        ("canceled", True, Counts(sent=1, canceled=3), "canceled"),
        ("canceled", False, Counts(sending=1), "canceled"),
    ],
)
def test_a_campaign_stands_where_its_messages_do(will: str, planned: bool, counts: Counts, expected: str) -> None:
    assert stage(will, planned, counts) == expected
