"""How AWS is called: short time-outs, no retries of boto3's own, and one word for all that goes wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from app.errors import Unavailable


def config(timeout: float) -> Config:
    """What every client is made with: `timeout` seconds for an answer, one try."""
    return Config(
        connect_timeout=min(timeout, 2.0),
        read_timeout=timeout,
        retries={"total_max_attempts": 1},
        max_pool_connections=10,
    )


@contextmanager
def client(service: str, region: str, timeout: float) -> Iterator[Any]:
    """A client for some calls; what AWS refuses, and that it can't be reached, is raised as Unavailable."""
    try:
        made = boto3.session.Session().client(service, region_name=region, config=config(timeout))
        try:
            yield made
        finally:
            made.close()
    except ClientError as error:
        raise Unavailable(f"AWS refuses {error.operation_name}: {code(error)}") from error
    except (BotoCoreError, OSError, ValueError) as error:
        raise Unavailable(f"AWS can't be reached: {type(error).__name__}") from error


def code(error: ClientError) -> str:
    """AWS' own word for the error, such as `AccessDenied`."""
    found: str = error.response.get("Error", {}).get("Code", "")
    return found.rpartition(".")[2]
