"""What goes wrong, as HTTP calls it: one place for both doors."""

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app import errors

DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)
STATUS: dict[type[errors.HuntazeError], int] = {
    errors.Invalid: 400,
    errors.NotSignedIn: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.KeyReused: 422,
    errors.TooSoon: 429,
    errors.Unavailable: 503,
}


def status_of(error: errors.HuntazeError) -> int:
    """The status code of a refusal of ours."""
    return next(status for kind, status in STATUS.items() if isinstance(error, kind))
