"""The embedded Redis keeps its data, on a socket or on a port."""

from pathlib import Path

import pytest
import redis

from embedded import redis_server


@pytest.fixture(autouse=True)
def search_again() -> None:
    """Forget which server was found for an earlier test."""
    redis_server.find_server.cache_clear()


def server_on_path(tmp_path: Path, name: str, version: str) -> Path:
    """Put a program on a folder for PATH that only tells its version."""
    program = tmp_path / name
    program.write_text(f"#!/bin/sh\necho 'Server v={version} sha=00000000:0 bits=64'\n")
    program.chmod(0o755)
    return program


def test_it_listens_on_a_socket_in_its_folder(tmp_path: Path) -> None:
    with redis_server.running(tmp_path) as url:
        assert url == f"unix://{tmp_path}/redis.sock"
        with redis.Redis.from_url(url) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("appendfsync") == {"appendfsync": "everysec"}


def test_what_was_written_survives_a_restart(tmp_path: Path) -> None:
    with redis_server.running(tmp_path) as url, redis.Redis.from_url(url) as client:
        client.set("slot", "taken")
    with redis_server.running(tmp_path) as url, redis.Redis.from_url(url) as client:
        assert client.get("slot") == b"taken"


@pytest.mark.parametrize("name", ["d" * 110, "my crm", "a=b", "100%25", "café"])
def test_a_path_that_will_not_do_for_a_socket_leads_to_a_loopback_port(tmp_path: Path, name: str) -> None:
    with redis_server.running(tmp_path / name) as url, redis.Redis.from_url(url) as client:
        assert url.startswith("redis://127.0.0.1:")
        assert client.config_get("bind") == {"bind": "127.0.0.1"}
        # RQ asks for this list when a worker starts.
        assert len(client.client_list()) == 1


def test_nobody_answers_where_no_server_is(tmp_path: Path) -> None:
    assert not redis_server.answers(redis_server.choose_url(tmp_path))


def test_a_server_on_the_path_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = server_on_path(tmp_path, "valkey-server", "8.0.1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert redis_server.find_server() == str(program)


def test_one_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server_on_path(tmp_path, "redis-server", "6.0.16")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(redis_server.find_server()).name == "valkey-server"
    assert Path(redis_server.find_server()).parent != tmp_path
