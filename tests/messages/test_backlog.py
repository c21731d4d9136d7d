"""What Redis can be rebuilt from: accounts that have work, and when each last called the platform."""

from datetime import timedelta

import pytest

from app.accounts.models import User
from app.db import database_now, transaction
from app.messages import backlog
from tests.messages import line
from tests.messages.line import change, must_claim, queue
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")


def test_accounts_with_work_are_found_again(cast: Cast, ada: User) -> None:
    assert backlog.accounts_with_work() == []
    message = queue(ada, cast.conversations[0])
    change(message, next_attempt_at=database_now() + timedelta(hours=1))
    assert backlog.accounts_with_work() == [cast.account.id]
    with transaction():
        cast.account.stopped_at = database_now()
    assert backlog.accounts_with_work() == []


def test_the_newest_attempt_is_the_one_that_counts(cast: Cast) -> None:
    assert backlog.newest_attempts([cast.account.id]) == ({}, False)
    for number in range(2):
        queue(cast.ada, cast.conversations[number])
        must_claim(cast.account)
        line.pass_time(timedelta(seconds=40))
    ages, any_attempt = backlog.newest_attempts([cast.account.id, cast.beas_account.id])
    assert (set(ages), any_attempt) == ({cast.account.id}, True)
    assert 39 < ages[cast.account.id] < 45
