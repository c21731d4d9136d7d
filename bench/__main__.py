"""`bin/bench [name …]`: run benchmarks and print their figures, one block each."""

import platform
import sys
from collections.abc import Callable

from bench import analytics, api, calls, delivery, filling, flood, imports, polls, webhooks

BENCHMARKS: dict[str, Callable[[], dict[str, object]]] = {
    "one-account": delivery.one_account,
    "many-accounts": delivery.many_accounts,
    "limits-lifted": delivery.limits_lifted,
    "latency": delivery.latency,
    "analytics": analytics.analytics,
    "api": api.api,
    "imports": imports.imports,
    "polls": polls.polls,
    "webhooks": webhooks.webhooks,
    "flood": flood.flood,
    "filling": filling.filling,
    "aws-calls": calls.aws_calls,
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"No benchmark is called {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()}, {platform.machine()}, {platform.system()}")
    for name in names or BENCHMARKS:
        print(f"\n{name}: {(BENCHMARKS[name].__doc__ or '').splitlines()[0]}", flush=True)
        for figure, value in BENCHMARKS[name]().items():
            print(f"  {figure:<28} {value}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
