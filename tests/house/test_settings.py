""".env.example documents every variable that the program reads, and no other."""

import ast
import io
import re

from dotenv import dotenv_values

import config
from config import ROOT
from tests.house.source import calls, files

EXAMPLE = ROOT / ".env.example"
ENTRY = re.compile(r"^#? ?([A-Z][A-Z0-9_]+)=(.*)$", re.MULTILINE)
READ_BY_BOTO3 = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"}
# Whose they are: proxies, pip and uv, the reader of .env itself; none is a setting of ours.
OTHERS = {"NO_PROXY", "no_proxy"}


def _read_by_the_program() -> set[str]:
    readers = {"read.text", "read.integer", "read.seconds", "read.switch", "read.choice", "read.url"}
    readers |= {"os.environ.get", "os.getenv"}
    return {
        str(call.args[0].value)
        for path in files("app", "embedded", "config.py", "gunicorn.conf.py", "worker.py")
        for called, call in calls(path)
        if called in readers and call.args and isinstance(call.args[0], ast.Constant)
    }


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    documented = {found[1] for found in ENTRY.finditer(EXAMPLE.read_text())}
    assert documented == (_read_by_the_program() | READ_BY_BOTO3) - OTHERS


def test_every_variable_has_its_line_of_explanation() -> None:
    lines = EXAMPLE.read_text().splitlines()
    for number, line in enumerate(lines):
        if ENTRY.match(line):
            above = lines[number - 1]
            assert above.startswith("# "), line
            assert not ENTRY.match(above), line


def test_the_example_is_a_configuration_that_starts() -> None:
    given = dotenv_values(stream=io.StringIO(EXAMPLE.read_text()))
    config.load({name: value or "" for name, value in given.items()})


def test_the_defaults_that_it_names_are_the_defaults() -> None:
    uncommented = ENTRY.sub(lambda found: f"{found[1]}={found[2]}", EXAMPLE.read_text())
    named = dotenv_values(stream=io.StringIO(uncommented))
    assert config.load({name: value or "" for name, value in named.items()}) == config.load({})
