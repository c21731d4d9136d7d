"""Credits and the team's calls a minute."""

from embedded.platform.meter import Meter
from tests.embedded.platform.sim import Sim


def test_every_answer_reports_credits_and_limits(sim: Sim) -> None:
    first, second = sim.send(), sim.send()
    before, after = (int(answer.headers["x-ofapi-credits-balance"]) for answer in (first, second))
    assert (before - after, first.headers["x-ofapi-credits-used"]) == (1, "1")
    assert first.headers["x-rate-limit-limit-minute"] == "5000"
    limits = first.json()["_meta"]["_rate_limits"]
    assert limits["remaining_minute"] == int(first.headers["x-rate-limit-remaining-minute"])
    assert limits["limit_day"] is None


def test_a_team_can_have_a_limit(sim: Sim) -> None:
    sim.tell("/settings", {"team_limit": 2})
    # Three calls may fall into two minutes; six can't.
    refused = [answer for answer in (sim.http.get("/api/whoami") for _ in range(6)) if answer.status_code == 429]
    assert refused
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 60
    assert refused[0].headers["x-rate-limit-remaining-minute"] == "0"


def test_a_new_minute_starts_from_nothing() -> None:
    meter = Meter()
    meter.count(59.0)
    meter.count(59.5)
    assert (meter.is_over(1), meter.is_over(2), meter.is_over(0), meter.seconds_left(59.5)) == (True, False, False, 1)
    meter.count(60.0)
    assert not meter.is_over(1)
