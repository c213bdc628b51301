"""What an application of a local provider and its HTTP/2 connections know of each other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

from .phones import Answer

R = TypeVar("R", bound=Exception)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAnswer(Answer[R], Generic[R]):
    """A scripted answer that may end its stream, or the connection. "before" and "after" are meant of the processing."""

    reset: Literal["before", "after"] | None = None  # reset the stream; before: as refused, not processed
    goaway: str | None = None  # the reason of a GOAWAY: this stream and later ones are not processed

    @property
    def breaks(self) -> str | None:
        """What it does instead of answering, as the wire log says it."""
        if self.drop is not None:
            return "DROPPED"
        if self.reset is not None:
            return "RESET"
        return None if self.goaway is None else "GOAWAY"

    @property
    def is_processed(self) -> bool:
        """Whether the message got through although nothing was answered."""
        return "after" in (self.drop, self.reset)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer on the wire, and how the connection goes on."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    script: StreamAnswer[Any]


@dataclass(slots=True)
class Peer:
    """What the server knows of one connection."""

    number: int  # from 1
    cut: Callable[[], None]  # ends the connection without a word
    is_trusted: bool = False  # many streams may be open


P = TypeVar("P", bound=Peer)


@dataclass(slots=True)
class Peers(Generic[P]):
    """The open connections, and how many there have been."""

    make: Callable[[int, Callable[[], None]], P]
    joined: int = 0
    _open: dict[int, P] = field(default_factory=dict)  # by number

    def join(self, cut: Callable[[], None]) -> P:
        """Return a new connection's state."""
        self.joined += 1
        peer = self._open[self.joined] = self.make(self.joined, cut)
        return peer

    def leave(self, peer: P) -> None:
        """Forget a connection that is no more."""
        self._open.pop(peer.number, None)

    def cut_all(self, *, but: P | None = None) -> None:
        """End the open connections without a word."""
        for peer in [peer for peer in self._open.values() if peer is not but]:
            peer.cut()


class Http2App(Protocol[P]):
    """What answers the streams of all connections."""

    @property
    def peers(self) -> Peers[P]: ...

    @property
    def streams(self) -> int:
        """How many may be open at once on a connection that is trusted; on others, one."""
        ...

    @property
    def is_alone_first(self) -> bool:
        """Whether a new connection is to be trusted only once its peer is."""
        ...

    def reply(self, pairs: list[tuple[bytes, bytes]], body: bytes, peer: P) -> Reply:
        """Return the answer to one request; `pairs` begin with the pseudo-headers."""
        ...
