"""How pages write what people say."""

from datetime import timedelta

import pytest

from app.pages.formats import lasting


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "less than a minute"),
        (20, "less than a minute"),
        (60, "about 1 minute"),
        (570, "about 10 minutes"),
        (3600, "about 1 h"),
        (6000, "about 1 h 40 min"),
        (200_000, "about 2 days"),
    ],
)
def test_periods_are_written_as_people_say_them(seconds: int, words: str) -> None:
    assert lasting(timedelta(seconds=seconds)) == words
