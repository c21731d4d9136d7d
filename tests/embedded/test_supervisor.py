"""The supervisor: order, restarts, crash loops, and an end that leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from embedded import supervisor as supervision
from embedded.child import NotStartedError
from embedded.supervisor import CrashLoopError, Supervisor
from tests.embedded.programs import eventually, is_alive, shell

FOREVER = "while :; do sleep 0.05; done"
# Started by itself, because signals reach a whole program.
PROGRAM = """
import sys
from pathlib import Path
from embedded.child import Part
from embedded.supervisor import Supervisor

supervisor = Supervisor(Path(sys.argv[1]), lambda line: print(line, flush=True))
supervisor.heed_signals()
try:
    for number, script in enumerate(sys.argv[2:]):
        supervisor.launch(Part(name=f"part{number}", command=["sh", "-c", script], ready=lambda output: "up" in output))
    supervisor.wait()
    print("all up", flush=True)
    supervisor.watch()
except KeyboardInterrupt:
    print("asked to stop", flush=True)
finally:
    supervisor.stop()
"""


class Said(list[str]):
    """What the supervisor told people."""

    def mentions(self, words: str) -> bool:
        """Tell whether it said that."""
        return any(words in line for line in self)


@pytest.fixture
def said() -> Said:
    """Collect the supervisor's lines."""
    return Said()


@pytest.fixture
def supervisor(tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    """Return a supervisor that is quick to start again; what it started ends with the test."""
    monkeypatch.setattr(supervision, "FIRST_DELAY_SECONDS", 0.02)
    supervisor = Supervisor(tmp_path, said.append)
    yield supervisor
    supervisor.stop()


def step_until(supervisor: Supervisor, said: Said, words: str) -> bool:
    """Let the supervisor look after its children until it says so."""

    def looked() -> bool:
        supervisor.step()
        return said.mentions(words)

    return eventually(looked)


def test_parts_stop_in_the_reverse_order(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    for name in ("first", "second", "third"):
        script = f"trap 'echo {name} >> {order}; exit 0' TERM; echo up; {FOREVER}"
        supervisor.launch(shell(name, script, ready=lambda output: "up" in output))
        supervisor.wait()
    supervisor.stop()
    assert order.read_text().split() == ["third", "second", "first"]


def test_waiting_says_how_long_each_part_took(supervisor: Supervisor, said: Said) -> None:
    supervisor.launch(shell("sleeper", "exec sleep 30"))
    supervisor.wait()
    assert said.mentions("sleeper    ready after 0.")


def test_a_part_that_does_not_come_up_ends_the_start(supervisor: Supervisor) -> None:
    supervisor.launch(shell("broken", "echo out of order; exit 1", ready=lambda _: False))
    with pytest.raises(NotStartedError, match="out of order"):
        supervisor.wait()


def test_a_task_is_waited_for(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.run(shell("task", f"sleep 0.1; touch {tmp_path}/done"))
    assert (tmp_path / "done").exists()


def test_a_task_that_fails_says_why(supervisor: Supervisor) -> None:
    with pytest.raises(NotStartedError, match=r"(?s)task failed \(exit code 4\).*no database"):
        supervisor.run(shell("task", "echo no database; exit 4"))


def test_a_task_that_takes_too_long_is_ended(supervisor: Supervisor) -> None:
    with pytest.raises(NotStartedError, match=r"did not end within 0\.1 s"):
        supervisor.run(shell("task", "exec sleep 30", start_seconds=0.1))


def test_a_part_that_dies_is_started_again(supervisor: Supervisor, said: Said, tmp_path: Path) -> None:
    dies, died = tmp_path / "dies", tmp_path / "died"
    once = f"until [ -e {dies} ]; do sleep 0.05; done; touch {died}; echo ouch; exit 7"
    supervisor.launch(shell("frail", f"if [ -e {died} ]; then {FOREVER}; fi; {once}"))
    supervisor.wait()
    dies.touch()
    assert step_until(supervisor, said, "frail runs again")
    assert said.mentions("frail ended (exit code 7). The end of")
    assert said.mentions("| ouch\nfrail is started again in 0.02 s")


def test_one_that_is_not_ready_after_a_restart_counts_as_dead(
    supervisor: Supervisor, said: Said, tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    script = f"if [ -e {flag} ]; then {FOREVER}; fi; touch {flag}; echo up"
    supervisor.launch(shell("mute", script, ready=lambda output: "up" in output, start_seconds=0.2))
    with pytest.raises(CrashLoopError, match=r"(?s)mute was not ready after 0\.2 s.*the 5th time"):
        step_until(supervisor, said, "never")


def test_five_deaths_within_a_minute_are_the_end(supervisor: Supervisor, said: Said) -> None:
    supervisor.launch(shell("doomed", "echo last words; exit 1"))
    with pytest.raises(CrashLoopError, match=r"(?s)last words.*the 5th time within a minute"):
        step_until(supervisor, said, "never")
    delays = [line.partition("again in ")[2].partition(" s")[0] for line in said if "again in" in line]
    assert delays == ["0.02", "0.04", "0.08", "0.16"]


def test_deaths_long_ago_are_forgiven(supervisor: Supervisor, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "DEATHS_WITHIN_SECONDS", 1e-9)
    supervisor.launch(shell("frail", "exit 1"))
    for _ in range(supervision.DEATHS + 1):
        said.clear()
        assert step_until(supervisor, said, "frail is started again")


def supervised(tmp_path: Path, *scripts: str) -> subprocess.Popen[str]:
    """Start a program that supervises shell scripts, and wait until they are up."""
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), *scripts]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    assert any("all up" in line for line in program.stdout)
    return program


@pytest.mark.parametrize("number", supervision.SIGNALS)
def test_a_signal_stops_everything(tmp_path: Path, number: signal.Signals) -> None:
    with supervised(tmp_path, f"echo up $$; {FOREVER}") as program:
        program.send_signal(number)
        output, _ = program.communicate(timeout=10)
        assert "asked to stop" in output
    pid = int((tmp_path / "part0.log").read_text().split()[1])
    assert not is_alive(pid)


def test_a_second_signal_ends_everything_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    with supervised(tmp_path, f"trap '' TERM; echo up $$; {FOREVER}") as program:
        program.send_signal(signal.SIGINT)
        assert program.stdout is not None
        assert any("asked to stop" in line for line in program.stdout)
        # A signal in the moment before it waits for its children is still the first one.
        for _ in range(15):
            program.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                program.wait(0.2)
                break
        output = program.stdout.read()
    assert "at once" in output
    assert time.monotonic() - began < 4
    assert not is_alive(int((tmp_path / "part0.log").read_text().split()[1]))


def test_nohup_is_respected(tmp_path: Path) -> None:
    earlier = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        program = supervised(tmp_path, f"echo up; {FOREVER}")
    finally:
        signal.signal(signal.SIGHUP, earlier)
    with program:
        os.kill(program.pid, signal.SIGHUP)
        time.sleep(0.5)
        assert program.poll() is None
        program.send_signal(signal.SIGTERM)
