"""The policies in docs/deployment.md allow exactly the calls to AWS that web, worker and provisioning make."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.client import BaseClient
from flask import Flask

from app.delivery import dead_letters, heartbeat, wiring
from app.delivery.desk import Desk
from app.gateways import alarms, metrics
from app.gateways.metrics import CloudWatch, Metric
from app.messages import outcomes
from app.messages.outcomes import Failed
from config import ROOT
from embedded.aws import DEAD_LETTER_QUEUE, QUEUE, REGION, AwsEndpoint
from tests.delivery.queues import put
from tests.messages import line
from tests.messages.test_handover import NEVER_PUBLISHED
from tests.support.apps import MakeApp, RunCli
from tests.support.cast import Cast

Allowed = set[tuple[str, str]]
Calls = Callable[[], Allowed]
POLICY = re.compile(r"### Policy of (\w+)\n.*?```json\n(.*?)```", re.DOTALL)
EVERYTHING = "*"


@pytest.fixture
def measuring(app: Flask, make_app: MakeApp) -> Iterator[Flask]:
    """The last application made, so that it measures; nobody does afterwards."""
    measured = make_app(CLOUDWATCH_NAMESPACE="Huntaze/OnlyFans")
    with measured.app_context():
        yield measured
    metrics.close(5)
    metrics._sinks[:] = [metrics.Nowhere()]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What was called since the last time: action and resource, as a policy names them."""
    made: Allowed = set()
    call = BaseClient._make_api_call

    def noted(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        service = client.meta.service_model.service_name
        url = parameters.get("QueueUrl", parameters.get("QueueName", ""))
        queue = url.rpartition("/")[2] or EVERYTHING
        made.add((f"{service}:{operation.removesuffix('Batch')}", queue))
        return call(client, operation, parameters)

    def since() -> Allowed:
        found = set(made)
        made.clear()
        return found

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    return since


def _allowed() -> dict[str, Allowed]:
    found: dict[str, Allowed] = {}
    for name, text in POLICY.findall((ROOT / "docs" / "deployment.md").read_text()):
        found[name] = {
            (action, resource.rpartition(":")[2])
            for statement in json.loads(text)["Statement"]
            for action in _list(statement["Action"])
            for resource in _list(statement["Resource"])
        }
    return found


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _send_metrics() -> None:
    metrics.record(Metric.MESSAGES_SENT)
    sink = metrics._sinks[0]
    assert isinstance(sink, CloudWatch)
    sink.send()


def _web(cast: Cast, desk: Desk) -> None:
    desk.publish([line.queue(cast.ada, cast.conversations[0], received=False).id])
    desk.queue_depths()
    put(desk.dead_letters, "no json")  # type: ignore[arg-type]
    dead_letters.redrive_all(desk, cast.olga)
    alarms.states(REGION)
    _send_metrics()


def _work(app: Flask, cast: Cast) -> None:
    outcomes.record([(line.must_claim(cast.account), Failed("no"))])
    pipeline = wiring.pipeline(app.extensions["settings"], "worker", app.app_context)
    pipeline.housekeeping.beat()
    pipeline.housekeeping.hand_on()
    assert pipeline.intake is not None
    assert pipeline.gauges is not None
    pipeline.intake.receive_once(0)
    assert heartbeat.first("delivery") == "worker"
    put(pipeline.intake.relay.dead_letters, "no json")  # type: ignore[arg-type]
    pipeline.gauges.read()
    _send_metrics()
    pipeline.close()


def test_each_process_may_do_what_it_does_and_nothing_else(
    measuring: Flask, cast: Cast, aws: AwsEndpoint, run_cli: RunCli, calls: Calls
) -> None:
    allowed = _allowed()
    assert set(allowed) == {"web", "worker", "provisioning"}
    _web(cast, measuring.extensions["desk"])
    # The test itself put the letter there.
    assert calls() - {("sqs:SendMessage", DEAD_LETTER_QUEUE)} == allowed["web"]
    line.queue(cast.ada, cast.conversations[1])
    line.queue(cast.ada, cast.conversations[2], received=False)
    line.pass_time(NEVER_PUBLISHED)
    calls()
    _work(measuring, cast)
    assert calls() == allowed["worker"]
    for command in (("provision",), ("check",), ("purge", "--yes")):
        assert run_cli("aws", *command, on=measuring).exit_code in {0, 1}
    run_cli("aws", "check", on=measuring)
    made = calls()
    assert ("sqs:PurgeQueue", QUEUE) in made
    # The queues were there already.
    created = {("sqs:CreateQueue", QUEUE), ("sqs:CreateQueue", DEAD_LETTER_QUEUE)}
    assert made - {("cloudwatch:PutMetricData", EVERYTHING)} | created == allowed["provisioning"]
