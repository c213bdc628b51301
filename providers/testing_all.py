"""All local providers running for tests, with the page that shows what each received."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .all import AllServers
from .testing import RunningProvider, served


@dataclass(frozen=True, slots=True)
class RunningAll(RunningProvider):
    """The page's log is that of all providers; an entry says by `provider` where it was read. It takes no scripts."""

    environment: dict[str, str] = field(repr=False)  # what sends everything here


@contextmanager
def running_all() -> Iterator[RunningAll]:
    """Yield all local providers on free ports of 127.0.0.1, served by threads of this process until the block ends."""
    with tempfile.TemporaryDirectory() as temporary:
        server = AllServers(host="127.0.0.1", port=0, directory=Path(temporary))
        with served(server):
            yield RunningAll(**server.state())
