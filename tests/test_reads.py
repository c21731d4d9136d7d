"""Who only looks opens no transaction, and a short question that fails says why as every other one."""

import pytest
from flask import Flask
from sqlalchemy import Integer, NullPool, Select, Text, bindparam, create_engine, func, literal_column, select, text
from sqlalchemy.exc import DBAPIError

from app.accounts.models import Account, AuditEvent, User
from app.accounts.service import audit
from app.db import transaction
from app.extensions import db
from app.reads import glance, read, readers
from tests.support.cast import Cast
from tests.support.queries import count_queries
from tests.support.stumble import Stumble, stumble_after

any_database = pytest.mark.usefixtures("any_database")
BY_EMAIL = select(User.id, User.name).where(User.email == bindparam("email"), User.id < bindparam("most", 1000))
NO_SUCH: Select[str] = select(literal_column("no_such_column", Text)).select_from(User)
# After five times psycopg has the server prepare a statement, and forget all of them at the next rollback.
OFTEN = 7
OWN: Select[int] = select(func.pg_backend_pid(type_=Integer))


def _write() -> None:
    audit("undone")
    db.session.flush()


@any_database
def test_a_read_sees_what_its_own_transaction_wrote_and_opens_none(app: Flask) -> None:
    everything, counted = select(AuditEvent.id), select(func.count()).select_from(AuditEvent)
    seen: list[object] = []
    with pytest.raises(Stumble):
        stumble_after(_write, lambda: seen.append((len(read(everything, {})), glance(counted, {}))))
    assert seen == [(1, [(1,)])]
    assert (read(everything, {}), glance(counted, {})) == ([], [(0,)])
    assert not db.session().in_transaction()


@any_database
def test_a_short_question_is_one_query_and_gives_its_rows(cast: Cast) -> None:
    db.session.rollback()
    with count_queries() as statements:
        assert glance(BY_EMAIL, {"email": cast.ada.email}) == [(cast.ada.id, cast.ada.name)]
        assert glance(BY_EMAIL, {"email": cast.ada.email, "most": 0}) == []
    assert len(statements) == 2


@any_database
def test_a_short_question_that_fails_says_so_as_others_do_and_leaves_a_good_connection(cast: Cast) -> None:
    db.session.rollback()
    with pytest.raises(DBAPIError, match="no_such_column"):
        glance(NO_SUCH, {})
    assert readers().pool.checkedout() == 0  # type: ignore[attr-defined]
    with pytest.raises(Stumble):
        stumble_after(_write)
    assert read(select(AuditEvent.id), {}) == []
    assert glance(BY_EMAIL, {"email": cast.max.email}) == [(cast.max.id, cast.max.name)]


@pytest.mark.parametrize("database_kind", [pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_rollback_makes_nobody_forget_a_short_question(cast: Cast) -> None:
    email, whole = cast.ada.email, [(cast.ada.id, cast.ada.name)]
    db.session.rollback()
    with count_queries() as statements:
        for _ in range(3):
            assert glance(BY_EMAIL, {"email": email}) == whole
            with pytest.raises(Stumble):
                stumble_after(*[_ask_again] * OFTEN)
    assert sum("email" in statement for statement in statements) == 3


def _ask_again() -> None:
    db.session.execute(text("SELECT 1"))


@pytest.mark.parametrize("database_kind", [pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_short_question_is_answered_also_where_the_server_forgot_it(cast: Cast) -> None:
    db.session.rollback()
    for _ in range(2):
        assert glance(BY_EMAIL, {"email": cast.ada.email}) == [(cast.ada.id, cast.ada.name)]
        with readers().connect() as connection:
            connection.execute(text("DEALLOCATE ALL"))


@any_database
def test_a_short_question_takes_and_gives_what_people_write(cast: Cast) -> None:
    written = "Ada Ångström '; -- 🌷"
    with transaction():
        cast.ada.name = written
    by_name = (
        select(User.name, Account.pause_reason)
        .join(Account, Account.owner_id == User.id)
        .where(User.name == bindparam("name"), func.coalesce(bindparam("unless", type_=Text), "") == "")
    )
    assert glance(by_name, {"name": written, "unless": None}) == [(written, None)]
    assert glance(by_name, {"name": written, "unless": "no"}) == []


@pytest.mark.parametrize("database_kind", [pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_who_asks_a_short_question_after_a_cut_notices_nothing(app: Flask, database_url: str) -> None:
    ((pid,),) = glance(OWN, {})
    with create_engine(database_url, poolclass=NullPool).connect() as link:
        assert link.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid}).scalar_one()
    assert glance(OWN, {})[0] != (pid,)


def test_a_short_question_of_anything_but_numbers_and_texts_is_refused(cast: Cast) -> None:
    db.session.rollback()
    with pytest.raises(TypeError, match="cast"):
        glance(select(User.created_at), {})
