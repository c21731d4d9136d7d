"""Loopback ports, and which of them are kept."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded import ports


@pytest.fixture
def taken() -> Iterator[int]:
    """Listen on a port, as another program would."""
    with socket.socket() as server:
        server.bind((ports.LOOPBACK, 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_port_where_somebody_listens_is_not_free(taken: int) -> None:
    assert not ports.is_free(taken)
    assert ports.answers(taken)


def test_a_free_port_answers_nobody() -> None:
    port = ports.free()
    assert ports.is_free(port)
    assert not ports.answers(port)


def test_a_port_is_kept_from_one_start_to_the_next(tmp_path: Path) -> None:
    assert ports.kept("aws", tmp_path) == ports.kept("aws", tmp_path)


def test_each_part_has_a_port_of_its_own(tmp_path: Path) -> None:
    kept = {name: ports.kept(name, tmp_path) for name in ("aws", "platform")}
    assert kept["aws"] != kept["platform"]
    assert kept == {name: ports.kept(name, tmp_path) for name in kept}


def test_a_port_that_somebody_else_took_meanwhile_is_replaced(tmp_path: Path, taken: int) -> None:
    (tmp_path / "ports.json").write_text(f'{{"aws": {taken}}}')
    port = ports.kept("aws", tmp_path)
    assert port != taken
    assert ports.kept("aws", tmp_path) == port


def test_a_spoiled_file_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('{"aws": ')
    assert ports.kept("aws", tmp_path) == ports.kept("aws", tmp_path)
