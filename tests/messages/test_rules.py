"""What a message may hold: the same for every way in."""

import ipaddress
import socket
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from app.messages import rules

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
HOSTS = st.lists(LABEL, min_size=1, max_size=5).map(".".join)
NUMBERS = st.sampled_from(["127", "0", "0x7f", "017700000001", "2130706433", "0x1", "1", "0xffff", "10", "08", "0x"])


def _takes(host: str) -> bool:
    try:
        rules.check_url(f"https://{host}/a.jpg")
    except PydanticCustomError:
        return False
    return True


@pytest.mark.parametrize(
    "text", ["a", "Hello!", "two\nlines\tand a tab\r\n", "🌷" * 5000, "x" * 5000, "Ça va ? 你好 مرحبا"]
)
def test_words_are_taken_as_they_are(text: str) -> None:
    assert rules.check_text(text) == text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "blank"),
        (" \n\t", "blank"),
        ("\u00a0\u2003", "blank"),
        ("x" * 5001, "too_long"),
        ("a\x00b", "unprintable"),
        ("a\x1bb", "unprintable"),
        ("a\x7fb", "unprintable"),
        ("a\ud800b", "unprintable"),
    ],
)
def test_what_cannot_be_shown_is_refused(text: str, kind: str) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        rules.check_text(text)
    assert refused.value.type == kind


@given(st.text(max_size=6000))
def test_what_is_taken_can_be_stored_and_shown(text: str) -> None:
    try:
        taken = rules.check_text(text)
    except PydanticCustomError:
        return
    assert taken == text
    assert 1 <= len(taken) <= 5000
    assert "\x00" not in taken.encode().decode()


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.example.com/image.jpg",
        "https://cdn.example.com:443/a?b=c&d=%20#e",
        "HTTPS://CDN.Example.COM/A",
        "https://a-b.c0.example.co.uk",
        "https://xn--bcher-kva.example/",
        "https://example.com./x",
    ],
)
def test_public_addresses_are_taken(url: str) -> None:
    assert rules.check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cdn.example.com/a.jpg",
        "//cdn.example.com/a.jpg",
        "http://cdn.example.com/a.jpg",
        "ftp://cdn.example.com/a.jpg",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "file:///etc/passwd",
        "https://",
        "https:///a.jpg",
        "https:cdn.example.com/a",
        "https://cdn.example.com:8443/a",
        "https://cdn.example.com:port/a",
        "https://cdn.example.com:99999/a",
        "https://user@cdn.example.com/a",
        "https://user:pass@cdn.example.com/a",
        "https://@cdn.example.com/a",
        "https://cdn.example.com\\@evil.example.org/a",
        "https://cdn.example.com /a",
        "https://cdn.example.com/a b",
        "https://cdn.example.com/a\n",
        "https://cdn.exam\tple.com/",
        "https://cdn.example.com/\x00",
        "https://cdn.example.com/\ud800",
        "https://cdn.example.com/" + "a" * 2048,
        "https://[::1]/a",
        "https://[::ffff:127.0.0.1]/a",
        "https://[fe80::1%25eth0]/a",
        "https://[/a",
        "https://localhost/a",
        "https://localhost./a",
        "https://intranet/a",
        "https://printer.local/a",
        "https://api.internal/a",
        "https://x.localhost/a",
        "https://127.0.0.1/a",
        "https://127.1/a",
        "https://2130706433/a",
        "https://0x7f000001/a",
        "https://0177.0.0.1/a",
        "https://127.0.0.0x1/a",
        "https://0x7f.0x1/a",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1./a",
        "https://-cdn.example.com/a",
        "https://cdn-.example.com/a",
        "https://cdn..example.com/a",
        "https://.example.com/a",
        "https://cdn_1.example.com/a",
        "https://" + "a" * 64 + ".example.com/a",
        "https://１２７.０.０.１/a",
        "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/a",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        rules.check_url(url)
    assert refused.value.type == "url"


@given(st.lists(NUMBERS | LABEL, min_size=1, max_size=5).map(".".join))
@example("127.0.0.0x1")
@settings(suppress_health_check=[HealthCheck.filter_too_much])
def test_no_name_that_is_taken_is_an_address_to_anybody(host: str) -> None:
    assume(_takes(host))
    with pytest.raises(OSError, match="illegal"):
        socket.inet_aton(host)
    with pytest.raises(ValueError, match="does not appear"):
        ipaddress.ip_address(host)


@given(st.text(max_size=60).map(lambda tail: "https://" + tail) | st.text(max_size=60))
def test_an_address_is_taken_or_refused_and_never_breaks_anything(url: str) -> None:
    try:
        taken = rules.check_url(url)
    except PydanticCustomError as refused:
        kind = refused.type
    else:
        kind = "taken"
        assert urlsplit(taken).scheme == "https"
        assert "." in (urlsplit(taken).hostname or "")
    assert kind in ("taken", "url")


@given(HOSTS)
def test_a_public_name_has_a_dot(host: str) -> None:
    assert "." in host or not rules.is_public_host(host)


@pytest.mark.parametrize(
    ("price", "media", "fine"),
    [
        (0, 0, True),
        (0, 10, True),
        (300, 1, True),
        (20_000, 1, True),
        (299, 1, False),
        (20_001, 1, False),
        (1, 1, False),
        (-300, 1, False),
        (300, 0, False),
        (10**30, 1, False),
    ],
)
def test_a_price_is_nothing_or_3_to_200_dollars_for_media(price: int, media: int, fine: bool) -> None:
    assert (rules.price_fault(price, media) is None) is fine


@given(st.integers(), st.integers(0, 10))
def test_a_price_without_fault_is_one_that_the_platform_takes(price: int, media: int) -> None:
    if rules.price_fault(price, media) is None:
        assert price == 0 or (300 <= price <= 20_000 and media > 0)


@pytest.mark.parametrize("recipient", ["1", "user_123", "A-b_9", "x" * 64])
def test_a_recipient_is_an_id_of_the_platform(recipient: str) -> None:
    assert TypeAdapter(rules.RecipientId).validate_python(recipient) == recipient


@pytest.mark.parametrize("recipient", ["", "x" * 65, "a b", "a/b", "../x", "1\n", "é", "a\x00", " 1"])
def test_anything_else_is_no_recipient(recipient: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(rules.RecipientId).validate_python(recipient)


def test_a_refusal_reaches_the_person_as_it_is_written() -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(rules.MessageText).validate_python(" ")
    assert [error["msg"] for error in refused.value.errors()] == ["Content is required"]
