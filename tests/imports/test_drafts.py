"""A file is looked at before it is begun; what can't be known is asked for; and everybody sees only their own."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.accounts.models import User
from app.clock import now
from app.db import transaction
from app.errors import Conflict, Invalid, NotFound
from app.extensions import db
from app.imports import queries, service
from app.imports.models import Import, ImportFile, Status
from app.imports.reader import Wishes
from tests.imports.files import counts, fan_of, load, many
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")


def test_a_draft_is_begun_once(ada: User) -> None:
    draft = service.upload(ada, None, "my fans\n\x00.csv", b"A,B\nTom,tom\n", Wishes(columns={"username": 1}))
    assert (draft.status, draft.file_name, draft.total_rows) == (Status.DRAFT, "my fans.csv", 1)
    done = service.start(ada, draft.id, Wishes(columns={"username": 1, "displayName": 0}))
    assert counts(done) == (1, 0, 0, 0)
    assert fan_of("tom").name == "Tom"
    with pytest.raises(Conflict):
        service.start(ada, draft.id, Wishes())


def test_dates_that_may_be_two_days_are_asked_about(ada: User) -> None:
    american, european = "username,last seen\na,3/4/2026\n", "username;last seen\nb;3/4/2026\n"
    assert load(ada, american).inserted == 1
    assert fan_of("a").last_seen_at == datetime(2026, 3, 4, tzinfo=UTC)
    with pytest.raises(Invalid) as refused:
        load(ada, european)
    assert refused.value.problems[0].field == "dateOrder"
    draft = service.upload(ada, None, "x", american.encode())
    with pytest.raises(Invalid):
        service.start(ada, draft.id, Wishes())
    assert load(ada, european, date_order="dmy").inserted == 1
    assert fan_of("b").last_seen_at == datetime(2026, 4, 3, tzinfo=UTC)


def test_what_is_somebody_elses_is_not_there(cast: Cast) -> None:
    found = load(cast.ada, many(2))
    for viewer in (cast.eve, cast.olga):
        with pytest.raises(NotFound):
            queries.find(viewer, found.id)
        with pytest.raises(NotFound):
            load(viewer, many(2), account_id=cast.account.id)
        assert queries.history(viewer) == []
    assert [one.id for one in queries.history(cast.max)] == [found.id]
    other = load(cast.max, many(2), account_id=cast.beas_account.id)
    assert counts(other) == (1, 0, 0, 1)
    assert [one.id for one in queries.history(cast.max, before=other.id)] == [found.id]


def test_files_that_were_only_looked_at_are_forgotten_after_a_day(ada: User) -> None:
    old, new = (service.upload(ada, None, "x.csv", b"username\ntom\n").id for _ in range(2))
    with transaction():
        db.session.execute(update(Import).where(Import.id == old).values(created_at=now() - timedelta(days=2)))
    service.forget_drafts()
    assert list(db.session.scalars(select(Import.id))) == [new]
    assert list(db.session.scalars(select(ImportFile.import_id))) == [new]
