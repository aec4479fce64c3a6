"""One bot for each database: two would both mend, sweep and answer, each without knowing of the other."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bot.errors import StorageError

log = logging.getLogger(__name__)

_TAKEN = "Another bot runs on the database in DATABASE_URL; stop it, or give this one a database of its own."


@contextmanager
def only_bot(database: Path) -> Iterator[None]:
    """Be the only bot on a database for the time of the block. Raises StorageError where another one is.

    By a lock on an empty file beside it, which stays there: the lock goes with the process, however that ends. Not on
    the database itself, since closing that file a second time would end SQLite's own locks on it.
    """
    if sys.platform == "win32":  # has no such locks
        yield
        return
    import fcntl  # noqa: PLC0415

    with ExitStack() as stack:
        try:
            descriptor = os.open(database.with_name(f"{database.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError(_TAKEN) from None
        except OSError as error:
            log.warning("Whether another bot runs on the database can't be found out: %s", error)
        yield
