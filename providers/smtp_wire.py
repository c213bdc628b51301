"""A local mail server's conversation: who may send, what each address answers, and every mail as it came over the wire."""

import asyncio
import email.policy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, Literal

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session

from .phones import BadScript, Scripts, WireLog, listed_answers, scripted_delay, scripted_end

# scripted under these names: they belong to no recipient
CONNECT, AUTH, SENDER, QUIT = "connect", "auth", "sender", "quit"
TAKEN = "250 2.0.0 OK"
_KEYS = frozenset({"reply", "at", "delay_s", "drip_s", "drop", "times"})
_REPLY = re.compile(r"[2-5][0-9]{2} [ -~]{1,400}")


@dataclass(frozen=True, slots=True)
class Reply:
    """One scripted answer; the default is an acceptance."""

    text: str = ""  # the reply's line; empty: the usual one
    at: Literal["rcpt", "data"] = "rcpt"
    delay_s: float = 0.0  # before the reply
    drip_s: float = 0.0  # between each two bytes of the reply; 0: it comes in one piece
    drop: Literal["before", "after"] | None = None  # cut the connection before or after the mail was taken


ACCEPT = Reply()


def parse_replies(raw: object) -> list[Reply]:
    """Return the replies a script asks for, in order; raises BadScript with what is wrong."""
    return listed_answers(raw, keys=_KEYS, parse=_reply)


def _reply(item: Mapping[str, Any]) -> Reply:
    found = Reply(
        text=item.get("reply", ""),
        at=item.get("at", "rcpt"),
        delay_s=scripted_delay(item),
        drip_s=scripted_delay(item, key="drip_s"),
        drop=scripted_end("drop", item),
    )
    if found.text and not _REPLY.fullmatch(found.text):
        raise BadScript("reply must be a line such as 550 5.1.1 No such user")
    if found.at not in ("rcpt", "data"):
        raise BadScript("at must be rcpt or data")
    return found


@dataclass(slots=True)
class MailRoom:
    """What the server answers, and remembers; the hooks of aiosmtpd."""

    user: str
    password: str = field(repr=False)
    log: WireLog = field(default_factory=WireLog)
    scripts: Scripts[Reply] = field(default_factory=lambda: Scripts(ACCEPT))  # by recipient
    apart: dict[str, Scripts[Reply]] = field(
        default_factory=lambda: {name: Scripts(ACCEPT) for name in (CONNECT, AUTH, SENDER, QUIT)}
    )
    connections: int = 0
    open: "set[Conversation]" = field(default_factory=set)

    async def hang_up(self) -> None:
        """Cut every connection that is still open."""
        for conversation in tuple(self.open):
            conversation.transport.abort()  # type: ignore[union-attr]
        await asyncio.sleep(0)  # the loop closes them in its next turn

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        """aiosmtpd's authenticator: the one account."""
        wanted = LoginPassword(self.user.encode(), self.password.encode())
        return AuthResult(success=given == wanted, handled=False, auth_data=given)

    async def handle_AUTH(
        self, server: "Conversation", session: Session, envelope: Envelope, args: list[str]
    ) -> Any:
        reply = self.apart[AUTH].take(AUTH)
        server.drip_s = reply.drip_s
        await asyncio.sleep(reply.delay_s)
        return reply.text or MISSING

    async def handle_MAIL(
        self, server: "Conversation", session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        reply = self.apart[SENDER].take(SENDER)
        server.drip_s = reply.drip_s
        await asyncio.sleep(reply.delay_s)
        if reply.text:
            return reply.text
        server.owed = []
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return TAKEN

    async def handle_QUIT(self, server: "Conversation", session: Session, envelope: Envelope) -> Any:
        reply = self.apart[QUIT].take(QUIT)
        server.drip_s = reply.drip_s
        await asyncio.sleep(reply.delay_s)
        return reply.text or MISSING

    async def handle_RCPT(
        self, server: "Conversation", session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.scripts.take(address)
        if reply.text and reply.at == "rcpt":
            server.drip_s = reply.drip_s
            self._note(server, envelope, address, reply=reply.text, delivered=False)
            await asyncio.sleep(reply.delay_s)
            return reply.text
        envelope.rcpt_tos.append(address)
        server.owed.append(reply)
        return TAKEN

    async def handle_DATA(self, server: "Conversation", session: Session, envelope: Envelope) -> str:
        said = TAKEN
        for address, reply in zip(envelope.rcpt_tos, server.owed, strict=True):
            is_taken = reply.drop != "before" and not reply.text
            said = reply.text or said
            self._note(
                server, envelope, address, reply=None if reply.drop else said, delivered=is_taken, whole=True
            )
            await asyncio.sleep(reply.delay_s)
            server.drip_s = reply.drip_s
            if reply.drop:
                server.transport.abort()  # type: ignore[union-attr]
        return said

    def _note(
        self,
        server: "Conversation",
        envelope: Envelope,
        address: str,
        *,
        reply: str | None,
        delivered: bool,
        whole: bool = False,
    ) -> None:
        message = {"token": address, "from": envelope.mail_from}
        if whole:
            message |= _parsed(bytes(envelope.content or b""))  # type: ignore[arg-type]
        self.log.add(
            message=message,
            status=None if reply is None else int(reply[:3]),
            code=reply or "DROPPED",
            delivered=delivered,
            connection=server.number,
        )


class Conversation(SMTP):
    """One connection, with its number, which may be refused or cut before a word is said."""

    def __init__(self, room: MailRoom, *, loop: asyncio.AbstractEventLoop) -> None:
        self.room = room
        room.connections += 1
        self.number = room.connections
        self.owed: list[Reply] = []  # what comes of the data, for each recipient that was taken
        self.drip_s = 0.0  # of the next reply
        super().__init__(
            room,
            hostname="localhost",
            ident="local mail",
            authenticator=room.authenticate,
            auth_require_tls=False,
            auth_exclude_mechanism=["LOGIN"],
            loop=loop,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.room.open.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.room.open.discard(self)
        super().connection_lost(error)

    async def push(self, status: str | bytes) -> None:
        """Say one line, as slowly as the script has it; whoever hangs up meanwhile has heard enough."""
        drip_s, self.drip_s = self.drip_s, 0.0
        said = status.encode() if isinstance(status, str) else status
        if not drip_s:
            await super().push(said)
            return
        for byte in said + b"\r\n":
            if self.transport is None or self.transport.is_closing():
                return
            self.transport.write(bytes([byte]))  # type: ignore[attr-defined]
            await asyncio.sleep(drip_s)

    async def _handle_client(self) -> None:
        reply = self.room.apart[CONNECT].take(CONNECT)
        self.drip_s = reply.drip_s
        await asyncio.sleep(reply.delay_s)
        if reply.drop:
            self.transport.abort()  # type: ignore[union-attr]
        elif reply.text:
            await self.push(reply.text)
            self.transport.close()  # type: ignore[union-attr]
        else:
            await super()._handle_client()


def _parsed(content: bytes) -> dict[str, Any]:
    """Return a mail's headers, in the order they came, and its parts by type."""
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    parts = [part for part in mail.walk() if not part.is_multipart()]
    return {
        "headers": {name: str(value) for name, value in mail.items()},
        "parts": {part.get_content_type(): part.get_content() for part in parts},
        "size": len(content),
    }
