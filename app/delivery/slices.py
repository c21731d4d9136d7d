"""The job that delivers: RQ calls it, the process' own pipeline does the work."""

from app.delivery.pipeline import Pipeline

_pipelines: list[Pipeline] = []


def bind(pipeline: Pipeline) -> None:
    """This process delivers with `pipeline`."""
    _pipelines[:] = [pipeline]


def deliver(seconds: int) -> None:
    """One slice, at most `seconds` long."""
    for pipeline in _pipelines:
        pipeline.run_slice(seconds)
