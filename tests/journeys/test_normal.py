"""Nothing goes wrong: what was written arrives, once, in order, within the limit."""

from tests.journeys.audit import audit
from tests.journeys.authors import PASSWORD, Author
from tests.journeys.house import House


def test_a_message_arrives_once(author: Author) -> None:
    public_id = author.write("Hello!")
    message = author.wait_for(public_id, "sent")
    assert message.sent_at is not None
    assert audit(author)["calls"] == 1


def test_a_burst_arrives_in_order_in_one_conversation_and_over_several(house: House) -> None:
    one, several = house.author(), house.author()
    one.write_many(25)
    several.write_many(25, fans=5)
    one.wait("sent")
    several.wait("sent")
    assert audit(one)["calls"] == audit(several)["calls"] == 25
    assert one.texts() == [message.text for message in one.messages()]


def test_what_a_program_sends_through_the_api_arrives(house: House, author: Author) -> None:
    with house.web() as web:
        credentials = {"email": author.email, "password": PASSWORD}
        token = web.post("/api/auth/token", json=credentials).raise_for_status().json()["accessToken"]
        web.headers["Authorization"] = f"Bearer {token}"
        answer = web.post("/api/onlyfans/messages/send", json={"recipientId": "user_7", "content": "By the API"})
        assert answer.status_code == 202, answer.text
        accepted = answer.json()
        assert accepted["sqsMessageId"]
        author.wait_for(accepted["messageId"], "sent")
        queue = web.get("/api/onlyfans/messages/status").raise_for_status().json()["queue"]
        assert queue["messagesQueued"] == queue["messagesFailed"] == 0
        assert web.get("/api/onlyfans/messages/send").json()["active"] is True
    assert audit(author)["calls"] == 1
    assert author.entries()[0]["chat"] == "user_7"
