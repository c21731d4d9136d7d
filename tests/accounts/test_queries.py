"""Who sees what: a viewer's scope, written once."""

import pytest

from app.accounts import operating, queries
from app.accounts.models import Account, User
from app.db import transaction
from app.errors import Invalid, NotFound
from tests.support.cast import Cast


def _ids(accounts: list[Account]) -> list[str]:
    return [account.platform_id for account in accounts]


def test_a_creator_sees_her_own_account(ada: User) -> None:
    assert _ids(queries.visible(ada)) == ["acct_demo_ada"]


def test_a_manager_sees_those_that_he_works_for(max: User) -> None:
    assert _ids(queries.visible(max)) == ["acct_demo_ada", "acct_demo_bea"]


def test_an_operator_sees_none(olga: User) -> None:
    assert queries.visible(olga) == []


def test_an_operator_sees_none_even_as_a_member(cast: Cast) -> None:
    with transaction():
        cast.account.owner_id = cast.olga.id
    assert queries.visible(cast.olga) == []


def test_the_only_account_needs_no_name(ada: User, account: Account) -> None:
    assert queries.account(ada, None).id == account.id
    assert queries.account(ada, account.id).id == account.id


def test_who_has_several_must_name_one(max: User, cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        queries.account(max, None)
    assert [problem.field for problem in refused.value.problems] == ["accountId"]
    assert queries.account(max, cast.beas_account.id).id == cast.beas_account.id


def test_somebody_elses_account_is_one_that_never_was(cast: Cast) -> None:
    refusals = []
    for viewer, account_id in ((cast.eve, cast.account.id), (cast.eve, 999), (cast.olga, cast.account.id)):
        with pytest.raises(NotFound) as refused:
            queries.account(viewer, account_id)
        refusals.append(refused.value.message)
    assert len(set(refusals)) == 1


def test_who_has_none_is_told_so(olga: User) -> None:
    with pytest.raises(NotFound):
        queries.account(olga, None)


@pytest.mark.usefixtures("any_database")
@pytest.mark.parametrize("account_id", [0, -1, 2**63 - 1])
def test_odd_numbers_are_just_not_found(ada: User, account_id: int) -> None:
    with pytest.raises(NotFound):
        queries.account(ada, account_id)


def test_a_disabled_user_is_nobody(ada: User) -> None:
    assert queries.user(ada.id) is ada
    operating.disable(ada.email)
    assert queries.user(ada.id) is None
    assert queries.user(999) is None
