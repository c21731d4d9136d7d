"""What starts the product elsewhere: the Procfile, the image and the units name the same commands and real files."""

import re
import shlex

from config import ROOT

PROCESS = re.compile(r"^(\w+): (.+)$", re.MULTILINE)


def _procfile() -> dict[str, list[str]]:
    return {name: shlex.split(command) for name, command in PROCESS.findall((ROOT / "Procfile").read_text())}


def test_there_is_a_process_of_each_kind() -> None:
    assert list(_procfile()) == ["release", "web", "worker"]


def test_the_units_and_the_image_start_the_same() -> None:
    commands = _procfile()
    for kind in ("web", "worker"):
        unit = (ROOT / "deploy" / f"huntaze-{kind}.service").read_text()
        started = re.search(r"^ExecStart=\S*/bin/(.+)$", unit, re.MULTILINE)
        assert started is not None
        assert shlex.split(started[1]) == commands[kind]
    image = (ROOT / "Dockerfile").read_text()
    assert f"CMD {commands['web']}".replace("'", '"') in image
    assert "flask --app app db upgrade" in (ROOT / "compose.yaml").read_text()


def test_the_image_holds_what_is_there_and_not_more() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert {name for name in names if not (ROOT / name).exists()} == set()
    allowed = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert set(allowed) == names
