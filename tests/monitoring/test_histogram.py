"""Percentiles out of few numbers."""

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as some

from app.monitoring.histogram import SHORTEST_MS, percentile, step_of

LENGTHS = some.lists(some.floats(min_value=0, max_value=86_400_000), min_size=1, max_size=200)


@given(LENGTHS, some.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_a_twentieth_off_at_most(lengths: list[float], share: float) -> None:
    exact = sorted(lengths)[math.ceil(share * len(lengths)) - 1]
    told = percentile(Counter(map(step_of, lengths)), share)
    assert told is not None
    assert abs(told / max(exact, SHORTEST_MS) - 1) < 0.06


def test_of_nothing_there_is_none() -> None:
    assert percentile({}, 0.5) is None
