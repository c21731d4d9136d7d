"""Every queue that jobs are put on is worked, and every job that is named exists."""

import ast
import importlib
import re

from config import ROOT
from tests.house.source import calls, files, tree

JOB = re.compile(r"app(\.[a-z_]+){2,}")


def _queue(expression: ast.expr) -> str:
    """`jobs.delivery_queue(name)` → `delivery_queue`, whichever worker it is for."""
    return ast.unparse(expression).removeprefix("jobs.").partition("(")[0]


def test_every_queue_is_worked() -> None:
    filled = {
        _queue(call.args[0])
        for path in files("app")
        for called, call in calls(path)
        if called in ("queue", "jobs.queue") and call.args
    }
    worked = {
        _queue(queue)
        for called, call in calls(ROOT / "worker.py")
        if called.endswith("Worker") and call.args and isinstance(call.args[0], ast.List)
        for queue in call.args[0].elts
    }
    assert filled
    assert filled == worked


def test_every_job_exists() -> None:
    named = {
        node.value
        for path in files("app", "worker.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and JOB.fullmatch(node.value)
    }
    assert named
    for job in named:
        module, _, verb = job.rpartition(".")
        assert callable(getattr(importlib.import_module(module), verb)), job
