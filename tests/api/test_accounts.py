"""A program asks which accounts its user acts for."""

from app.clock import now
from app.extensions import db
from tests.api.conftest import Caller, SignIn
from tests.support.cast import Cast

ACCOUNTS = "/api/onlyfans/accounts"


def test_an_account_is_shown_without_its_key(as_ada: Caller, cast: Cast) -> None:
    cast.account.api_key_encrypted, cast.account.api_key_last4 = "sealed", "a1b2"
    cast.account.stopped_at = now()
    db.session.commit()
    response = as_ada.get(ACCOUNTS)
    account = response.json["accounts"][0]
    assert account.pop("createdAt")
    assert account == {
        "id": cast.account.id,
        "userId": cast.ada.id,
        "platformId": "acct_demo_ada",
        "displayName": "Ada",
        "timeZone": "UTC",
        "apiKeyLast4": "a1b2",
        "connected": True,
        "stopped": True,
    }
    assert "sealed" not in response.text


def test_everybody_sees_the_accounts_that_they_act_for(call_as: SignIn, cast: Cast) -> None:
    def seen(name: str) -> list[str]:
        answer = call_as(getattr(cast, name)).get(ACCOUNTS).json
        assert answer["total"] == len(answer["accounts"])
        return [account["platformId"] for account in answer["accounts"]]

    assert seen("ada") == ["acct_demo_ada"]
    assert seen("max") == ["acct_demo_ada", "acct_demo_bea"]
    assert seen("eve") == ["acct_demo_eve"]
    assert seen("olga") == []
