"""Faults given on the command line: `--simulate error-rate=0.2`."""

from collections.abc import Sequence

from embedded.platform.faults import ANY, Faults

NAMES = ("error-rate", "latency", "jitter", "down", "seed")
HELP = "error-rate=0.2 (share of sends answered 500), latency=0.3 and jitter=0.2 (seconds, every call), down=1, seed=7"


def apply(faults: Faults, switches: Sequence[str]) -> None:
    """Put the faults in force; raise ValueError with one clear line when one makes no sense."""
    values = dict(_read(switch) for switch in switches)
    if "seed" in values:
        faults.random.seed(values["seed"])
    if values.get("down"):
        faults.add({"kind": "down"})
    if values.get("error-rate"):
        faults.add({"kind": "status", "status": 500, "probability": values["error-rate"]})
    latency, jitter = values.get("latency", 0.0), values.get("jitter", 0.0)
    if latency or jitter:
        faults.add({"kind": "latency", "call": ANY, "seconds": latency, "jitter": jitter})


def _read(switch: str) -> tuple[str, float]:
    name, _, value = switch.partition("=")
    try:
        if name in NAMES:
            return name, float(value)
    except ValueError:
        pass
    raise ValueError(f"--simulate {switch}: one of {', '.join(NAMES)}, each with =number")
