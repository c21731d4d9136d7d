"""The team's credits and its calls a minute, as every answer reports them."""

SHOWN_LIMIT = 5_000
CREDITS = 1_000_000


class Meter:
    """Counts calls in whole minutes; enforced only when the team has a limit."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Start over."""
        self.balance = CREDITS
        self._minute = 0
        self._calls = 0

    def count(self, now: float) -> None:
        """Count a call."""
        minute = int(now // 60)
        if minute != self._minute:
            self._minute, self._calls = minute, 0
        self._calls += 1

    def is_over(self, limit: int) -> bool:
        """Tell whether this minute's calls exceed the limit; 0 is no limit."""
        return 0 < limit < self._calls

    def seconds_left(self, now: float) -> int:
        """Return the seconds until the next minute, at least 1."""
        return max(1, round(60 - now % 60))

    def charge(self, credits_used: int) -> None:
        """Take credits off the balance."""
        self.balance -= credits_used

    def meta(self, credits_used: int, limit: int) -> dict[str, object]:
        """Return the `_meta` block of an answer."""
        shown = limit or SHOWN_LIMIT
        return {
            "_credits": {"used": credits_used, "balance": self.balance, "note": "Simulated credits."},
            "_cache": {"is_cached": False, "note": "Account endpoints are never cached."},
            "_rate_limits": {
                "limit_minute": shown,
                "limit_day": None,
                "remaining_minute": max(0, shown - self._calls),
                "remaining_day": None,
            },
        }

    def headers(self, credits_used: int, limit: int) -> dict[str, str]:
        """Return the headers of an answer."""
        shown = limit or SHOWN_LIMIT
        return {
            "x-rate-limit-limit-minute": str(shown),
            "x-rate-limit-remaining-minute": str(max(0, shown - self._calls)),
            "x-ofapi-credits-used": str(credits_used),
            "x-ofapi-credits-balance": str(self.balance),
            "x-ofapi-is-cached": "false",
        }
