"""Django's SMTP backend over a wire that another thread can cut, at any point of the conversation.

smtplib's own timeout is one reading's: a server that says a byte now and then is never late, be it in its greeting, in the
TLS handshake or in its goodbye, and the backend knows its connection only once all that is over.
"""

import smtplib
import socket
import threading
from contextlib import suppress
from functools import partial
from typing import Any

from django.core.mail.backends.smtp import EmailBackend as DjangoBackend


class Wire:
    """A second handle on the connection's socket, whatever smtplib wraps the first one in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._is_cut = False

    def hold(self, connected: socket.socket) -> None:
        """Keep a handle on a new connection; one that was cut while it was being made ends here."""
        handle = connected.dup()
        with self._lock:
            old, self._handle = self._handle, handle
            is_cut = self._is_cut
        if old is not None:
            old.close()
        if is_cut:
            _shut(handle)

    def cut(self) -> None:
        """End what is being said, and what would be said until `mend`; from any thread."""
        with self._lock:
            self._is_cut = True
            if self._handle is not None:
                _shut(self._handle)

    def mend(self) -> None:
        """Let a new conversation begin."""
        with self._lock:
            self._is_cut = False

    def release(self) -> None:
        """Let the connection go: while a handle is kept, the server does not see it close."""
        with self._lock:
            handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()


class EmailBackend(DjangoBackend):
    """As Django's; `wire` is given by whoever may want to cut it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wire = Wire()

    @property
    def connection_class(self) -> Any:
        return partial(_Tls if self.use_ssl else _Plain, wire=self.wire)

    def close(self) -> None:
        try:
            super().close()
        finally:
            self.wire.release()


class _Plain(smtplib.SMTP):
    def __init__(self, *args: Any, wire: Wire, **kwargs: Any) -> None:
        self._wire = wire
        super().__init__(*args, **kwargs)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connected: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        self._wire.hold(connected)
        return connected


class _Tls(smtplib.SMTP_SSL, _Plain):
    """SMTP_SSL asks the next class for the socket before it wraps it: the handshake is on the wire as well."""

    def __init__(self, *args: Any, wire: Wire, **kwargs: Any) -> None:
        self._wire = wire
        smtplib.SMTP_SSL.__init__(self, *args, **kwargs)


def _shut(handle: socket.socket) -> None:
    with suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)
