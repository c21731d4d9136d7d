"""Uploads, as the SDK sends them and in the other forms that the platform takes."""

import pytest
from onlyfansapi import NotFoundError, UnprocessableEntityError

from tests.embedded.platform.sim import Sim

URL = "https://cdn.example.com/pictures/sunset.jpg"


def test_the_sdk_uploads_a_url_into_the_vault(sim: Sim) -> None:
    first, second = (sim.sdk.media.vault.upload("acct_a", file_url=URL).data for _ in range(2))
    assert first is not None
    assert second is not None
    assert isinstance(first.id, int)
    assert (first.is_ready, first.has_error, second.id) == (True, False, first.id + 1)
    listed = sim.sdk.media.vault.list("acct_a").data
    assert listed is not None
    assert [medium.id for medium in listed.list or ()] == [second.id, first.id]
    found = sim.sdk.media.vault.retrieve(first.id, account="acct_a").data
    assert found is not None
    assert found.id == first.id
    with pytest.raises(NotFoundError):
        sim.sdk.media.vault.retrieve(first.id, account="acct_b")


def test_the_sdk_uploads_a_url_for_one_message(sim: Sim) -> None:
    uploaded = sim.sdk.media.upload("acct_a", file_url=URL)
    assert uploaded.prefixed_id is not None
    assert uploaded.prefixed_id.startswith("ofapi_media_")
    assert uploaded.file_name == "sunset.jpg"
    assert uploaded.process_id


def test_json_is_taken_as_well(sim: Sim) -> None:
    answer = sim.http.post("/api/acct_a/media/vault", json={"file_url": URL})
    assert isinstance(answer.json()["data"]["id"], int)
    assert answer.json()["_meta"]["_credits"]["used"] == 6


@pytest.mark.parametrize("url", ["", "sunset.jpg", "ftp://cdn.example.com/a", "https://", "https://[bad/a.jpg"])
@pytest.mark.parametrize("upload", ["upload", "vault"])
def test_what_is_no_url_is_refused(sim: Sim, upload: str, url: str) -> None:
    answer = sim.http.post(f"/api/acct_a/media/{upload}", json={"file_url": url})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["file_url"])


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "multipart/form-data", "application/json"])
def test_a_garbled_upload_is_refused(sim: Sim, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    answer = sim.http.post("/api/acct_a/media/vault", content=b"--xgarbled", headers=headers)
    assert answer.status_code == 422


def test_uploads_can_fail_like_any_call(sim: Sim) -> None:
    sim.fault("status", call="vault", status=422, times=1)
    with pytest.raises(UnprocessableEntityError):
        sim.sdk.media.vault.upload("acct_a", file_url=URL)
    assert sim.summary()["kinds"] == {"vault": 1}
    assert sim.summary()["calls"] == 0
