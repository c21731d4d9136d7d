"""Nothing goes wrong: what was written arrives, once, in order, within the limit."""

from tests.journeys.audit import audit
from tests.journeys.authors import Author
from tests.journeys.house import House


def test_a_message_arrives_once(author: Author) -> None:
    public_id = author.write("Hello!")
    message = author.wait_for(public_id, "sent")
    assert message.sent_at is not None
    assert audit(author)["calls"] == 1


def test_a_burst_arrives_in_order_in_one_conversation_and_over_several(any_house: House) -> None:
    one, several = any_house.author(), any_house.author()
    one.write_many(25)
    several.write_many(25, fans=5)
    one.wait("sent")
    several.wait("sent")
    assert audit(one)["calls"] == audit(several)["calls"] == 25
    assert one.texts() == [message.text for message in one.messages()]
