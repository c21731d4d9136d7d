"""What is simulated from the start, given on the command line: `--simulate error-rate=0.2`, `--simulate fans=off`."""

from collections.abc import Sequence

from embedded.platform.faults import ANY
from embedded.platform.simulator import Simulator

NAMES = ("error-rate", "latency", "jitter", "down", "seed", "fans")
WORDS = {"on": 15.0, "off": 0.0}
HELP = (
    "error-rate=0.2 (share of sends answered 500), latency=0.3 and jitter=0.2 (seconds, every call), down=1, seed=7, "
    "fans=on, fans=off or fans=30 (they do something by themselves every 30 s)"
)


def apply(sim: Simulator, switches: Sequence[str]) -> None:
    """Put them in force, the last of each name; raise ValueError with one clear line when one makes no sense."""
    values = dict(_read(switch) for switch in switches)
    faults = sim.faults
    sim.settings.change({"fans_every": values.get("fans", 0.0)})
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
            return name, WORDS[value] if name == "fans" and value in WORDS else float(value)
    except ValueError:
        pass
    raise ValueError(f"--simulate {switch}: one of {', '.join(NAMES)}, each with =number")
