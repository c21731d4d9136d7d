"""The two queues on SQS: how they should be, how they are, and how they get there."""

import json
from dataclasses import dataclass
from typing import Any

QUEUE = "huntaze-rate-limiter-queue"
DEAD_LETTERS = f"{QUEUE}-dlq"
DAY = 24 * 60 * 60
# A ticket is received so often before SQS takes it for dead; each time it stays unseen for VISIBILITY_SECONDS.
RECEIVED_MOST = 10
VISIBILITY_SECONDS = 120
KEPT_SECONDS = 4 * DAY
# A dead letter keeps its first time: shorter than this and it could be gone before anyone has looked.
DEAD_KEPT_SECONDS = 14 * DAY
ARN = "QueueArn"


@dataclass(frozen=True, slots=True)
class Names:
    """What the queues are called."""

    queue: str = QUEUE
    dead_letters: str = DEAD_LETTERS

    @classmethod
    def of(cls, queue_url: str | None, dlq_url: str | None) -> "Names":
        """As the configured URLs say, or the usual names."""
        queue = queue_url.rstrip("/").rpartition("/")[2] if queue_url else QUEUE
        return cls(queue, dlq_url.rstrip("/").rpartition("/")[2] if dlq_url else f"{queue}-dlq")


def provision(sqs: Any, names: Names) -> tuple[dict[str, str], list[str]]:
    """Make both queues what they should be: name → URL, and the names of those that were not."""
    urls, changed = {}, []
    for name in (names.dead_letters, names.queue):
        url = _url(sqs, name)
        found = _attributes(sqs, url) if url else {}
        wanted = _wanted(sqs, name, names)
        if url is None:
            url = sqs.create_queue(QueueName=name, Attributes=wanted)["QueueUrl"]
            changed.append(name)
        elif _differing(found, wanted):
            sqs.set_queue_attributes(QueueUrl=url, Attributes=wanted)
            changed.append(name)
        urls[name] = url
    return urls, changed


def faults(sqs: Any, names: Names) -> list[str]:
    """What is missing or differs, a line for each queue."""
    lines = []
    for name in (names.queue, names.dead_letters):
        url = _url(sqs, name)
        if url is None:
            lines.append(f"queue {name}: missing")
        elif wrong := _differing(_attributes(sqs, url), _wanted(sqs, name, names)):
            lines.append(f"queue {name}: differs in {', '.join(wrong)}")
    return lines


def _wanted(sqs: Any, name: str, names: Names) -> dict[str, str]:
    common = {"VisibilityTimeout": str(VISIBILITY_SECONDS), "SqsManagedSseEnabled": "true"}
    if name == names.dead_letters:
        return common | {"MessageRetentionPeriod": str(DEAD_KEPT_SECONDS)}
    dead_url = _url(sqs, names.dead_letters)
    target = _attributes(sqs, dead_url).get(ARN, "") if dead_url else ""
    redrive = {"deadLetterTargetArn": target, "maxReceiveCount": RECEIVED_MOST}
    return common | {"MessageRetentionPeriod": str(KEPT_SECONDS), "RedrivePolicy": json.dumps(redrive)}


def _url(sqs: Any, name: str) -> str | None:
    try:
        found: str = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        return None
    return found


def _attributes(sqs: Any, url: str) -> dict[str, str]:
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]).get("Attributes", {})
    return found


def _differing(found: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """Names of attributes; JSON is compared as what it means."""
    return [name for name in wanted if _meaning(name, found.get(name)) != _meaning(name, wanted[name])]


def _meaning(name: str, value: str | None) -> Any:
    if name != "RedrivePolicy" or not value:
        return value
    policy = json.loads(value)
    return {part: str(policy[part]) for part in policy}
