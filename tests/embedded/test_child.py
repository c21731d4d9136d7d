"""A child process: started, watched, and ended with everything it started."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from embedded import child
from embedded.child import Child, NotStartedError, Part
from tests.embedded.programs import eventually, is_alive, shell


def test_its_output_goes_to_its_log(tmp_path: Path) -> None:
    greeter = shell("greeter", "echo hello; echo trouble >&2; exec sleep 30", ready=lambda output: "trouble" in output)
    with child.running(greeter, tmp_path):
        assert (tmp_path / "greeter.log").read_text() == "hello\ntrouble\n"


def test_it_is_not_running_after_the_block(tmp_path: Path) -> None:
    with child.running(shell("sleeper", "exec sleep 30"), tmp_path) as sleeper:
        assert sleeper.exit_code() is None
    assert sleeper.exit_code() is not None


def test_a_part_that_ends_at_once_says_why(tmp_path: Path) -> None:
    broken = shell("broken", "echo no such luck; exit 3", ready=lambda _: False)
    said = r"broken ended at once \(exit code 3\)[^|]*\| no such luck"
    with pytest.raises(NotStartedError, match=said), child.running(broken, tmp_path):
        pass


def test_a_part_that_is_not_ready_in_time_says_so_and_is_ended(tmp_path: Path) -> None:
    slow = shell("slow", "echo $$; exec sleep 30", ready=lambda _: False, start_seconds=0.2)
    with pytest.raises(NotStartedError, match=r"slow was not ready after 0\.2 s"), child.running(slow, tmp_path):
        pass
    assert not is_alive(int((tmp_path / "slow.log").read_text()))


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotStartedError, match="ghost could not be started"):
        Child(Part(name="ghost", command=["/no/such/program"]), tmp_path).start()


def test_what_it_started_ends_with_it_even_in_groups_of_their_own(tmp_path: Path) -> None:
    # As RQ does: the grandchild leads a process group, and nobody passes the signal on.
    fork = "import os, time; pid = os.fork(); pid or os.setpgid(0, 0)"
    program = f"{fork}; print(os.getpid(), flush=True); time.sleep(30)"
    part = Part(
        name="family",
        command=[sys.executable, "-c", program],
        ready=lambda output: len(output.split()) == 2,
    )
    with child.running(part, tmp_path) as family:
        pids = [int(pid) for pid in family.output().split()]
        assert all(is_alive(pid) for pid in pids)
    assert eventually(lambda: not any(is_alive(pid) for pid in pids))


def test_only_the_process_itself_is_asked_to_end(tmp_path: Path) -> None:
    script = "trap 'echo parent asked; wait; exit 0' TERM; sh -c 'sleep 0.3; echo child finished' & echo up; wait"
    part = shell("parent", script, ready=lambda output: "up" in output)
    with child.running(part, tmp_path) as parent:
        pass
    assert parent.output().split("\n") == ["up", "parent asked", "child finished", ""]


def test_one_that_will_not_end_is_killed_after_its_time(tmp_path: Path) -> None:
    script = "trap '' TERM; echo up; while :; do sleep 0.1; done"
    began = time.monotonic()
    part = shell("stubborn", script, ready=lambda output: "up" in output, stop_seconds=0.3)
    with child.running(part, tmp_path) as stubborn:
        pass
    assert stubborn.exit_code() == -9
    assert 0.3 <= time.monotonic() - began < 3


def test_the_report_shows_the_output_of_this_start_only(tmp_path: Path) -> None:
    twice = Child(shell("twice", "echo one of two; exit 1"), tmp_path)
    for _ in range(2):
        twice.start()
        assert eventually(lambda: twice.exit_code() == 1)
        twice.kill()
    assert twice.report("twice ended").count("one of two") == 1


def test_a_long_log_is_put_aside_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "LOG_BYTES", 10)
    (tmp_path / "talker.log").write_text("a long story")
    with child.running(shell("talker", "exec sleep 30"), tmp_path):
        assert (tmp_path / "talker.log.1").read_text() == "a long story"
        assert (tmp_path / "talker.log").read_text() == ""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can do this")
def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from embedded.child import Child, Part\n"
        "child = Child(Part(name='orphan', command=['sleep', '30']), Path(sys.argv[1]))\n"
        "child.start(); print(child.pid(), flush=True); time.sleep(30)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
        assert is_alive(orphan)
        parent.kill()
    assert eventually(lambda: not is_alive(orphan))


def test_nothing_is_done_to_a_process_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with child.running(shell("done", "exec sleep 30"), tmp_path) as done:
        pass
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("its id may be somebody else's by now"))
    done.stop()
