"""Lengths of time, counted in steps that grow by a tenth: percentiles of any sum of them, a twentieth off; pure."""

import math
from collections.abc import Mapping

SHORTEST_MS = 10.0
GROWTH = 1.1


def step_of(milliseconds: float) -> int:
    """The step that counts this length; what is shorter than 10 ms is counted with these."""
    return max(0, round(math.log(max(milliseconds, SHORTEST_MS) / SHORTEST_MS, GROWTH)))


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """How many milliseconds `share` (0 to 1) of what was counted took at most; None when nothing was."""
    rank = math.ceil(share * sum(counts.values()))
    passed = 0
    for step in sorted(counts):
        passed += counts[step]
        if passed >= rank:
            return SHORTEST_MS * GROWTH**step
    return None
