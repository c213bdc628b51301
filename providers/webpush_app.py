"""A local push service: browsers subscribe, application servers push, and what arrives is really decrypted."""

import asyncio
import json
import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

from .controls import PREFIX, Controls
from .http import BodyTooLarge, Receive, Request, Response, Scope, Send, json_response, read_request
from .page import page
from .phones import Scripts, WireLog
from .webpush_errors import PushRefusal, push_refusal
from .webpush_floods import flood
from .webpush_requests import Wanted, check_headers, check_sender
from .webpush_scripts import ACCEPT, PushAnswer, parse_push_answers
from .webpush_subscriptions import Browsers, Waiting, public_key

PUSH = "/push/"
HEADERS_KEPT = ("ttl", "topic", "urgency", "content-encoding")


@dataclass(slots=True)
class WebPushApp:
    """The ASGI application of one push service."""

    origin: str
    browsers: Browsers = field(default_factory=Browsers)
    log: WireLog = field(default_factory=WireLog)
    scripts: Scripts[PushAnswer] = field(default_factory=lambda: Scripts(ACCEPT))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            request = await read_request(scope, receive)
        except ConnectionError:
            return
        except BodyTooLarge:
            await _refused(push_refusal("TOO_LARGE"), ACCEPT).send_to(send)
            return
        if request.method == "POST" and request.path.startswith(PUSH):
            await self._push(request, receive, send)
        else:
            await self._answer(request).send_to(send)

    def _answer(self, request: Request) -> Response:
        path, method = request.path, request.method
        if method == "POST" and path == "/subscribe":
            return self._subscribe(request)
        if method == "DELETE" and path.startswith(PUSH):
            return self._unsubscribe(path.removeprefix(PUSH))
        if path.startswith(PREFIX):
            return self._controls().answer(request)
        if method == "GET" and path == "/":
            language = request.headers.get("accept-language", "")
            return Response(body=page(language).encode(), content_type="text/html; charset=utf-8")
        return json_response({"error": "not found"}, status=404)

    def _controls(self) -> Controls[PushAnswer]:
        return Controls(
            log=self.log,
            scripts=self.scripts,
            parse=parse_push_answers,
            more={("GET", "/_control/waiting"): self._waiting},
        )

    def _waiting(self, request: Request) -> list[dict[str, Any]]:
        name = request.query.get("endpoint", "").removeprefix(self.origin + PUSH)
        try:
            browser = self.browsers.at(name)
        except PushRefusal as error:
            raise ValueError(error.code) from error
        return [asdict(message) for message in self.browsers.waiting(browser)]

    def _subscribe(self, request: Request) -> Response:
        """Answer `{"endpoint", "p256dh", "auth"}`; `applicationServerKey` limits who may send."""
        try:
            options = request.json() if request.body else {}
            server_key = options.get("applicationServerKey")
            if server_key is not None:
                public_key(server_key)
        except (ValueError, AttributeError):
            return json_response({"error": "not subscription options"}, status=400)
        name, keys = self.browsers.subscribe(server_key=server_key)
        return json_response({"endpoint": f"{self.origin}{PUSH}{name}", **keys}, status=201)

    def _unsubscribe(self, name: str) -> Response:
        try:
            self.browsers.at(name).is_gone = True
        except PushRefusal as error:
            return _refused(error, ACCEPT)
        return Response(status=204)

    async def _push(self, request: Request, receive: Receive, send: Send) -> None:
        message = self._as_sent(request)
        try:
            wanted, text, claims = self._checked(request)
        except PushRefusal as error:
            self._note(message, status=error.status, code=error.code)
            await _refused(error, ACCEPT).send_to(send)
            return
        message |= {"text": text, "vapid": claims, **_shown(text)}
        answer = self.scripts.take(message["token"])
        refused = answer.refusal
        name = f"{self.origin}/message/{secrets.token_urlsafe(16)}"
        taken = refused is None and answer.drop != "before"
        if taken:
            self._keep(request, wanted, text, name=name)
        cut = answer.drop is not None
        status = None if cut else answer.status
        code = "DROPPED" if cut else refused.code if refused else "OK"
        entry = self._note(message, status=status, code=code, delivered=taken, name=name if taken else None)
        await asyncio.sleep(answer.delay_s)
        if cut:
            request.cut()
        elif answer.body is not None:
            await flood(answer, entry, receive, send)
        else:
            response = _refused(refused, answer) if refused else _taken(answer, wanted, name=name)
            await response.send_to(send)

    def _as_sent(self, request: Request) -> dict[str, Any]:
        headers = {name: request.headers[name] for name in HEADERS_KEPT if name in request.headers}
        endpoint = self.origin + request.path
        return {"token": endpoint, "headers": headers, "bytes": len(request.body)}

    def _checked(self, request: Request) -> tuple[Wanted, str, dict[str, Any]]:
        browser = self.browsers.at(request.path.removeprefix(PUSH))
        claims = check_sender(request, browser, origin=self.origin)
        wanted = check_headers(request)
        return wanted, browser.read(request.body), claims

    def _keep(self, request: Request, wanted: Wanted, text: str, *, name: str) -> None:
        expires_at = self.browsers.clock() + wanted.ttl_s
        message = Waiting(
            name=name, topic=wanted.topic, urgency=wanted.urgency, text=text, expires_at=expires_at
        )
        self.browsers.keep(self.browsers.at(request.path.removeprefix(PUSH)), message)

    def _note(
        self,
        message: dict[str, Any],
        *,
        status: int | None,
        code: str,
        delivered: bool = False,
        name: str | None = None,
    ) -> dict[str, Any]:
        return self.log.add(message=message, status=status, code=code, delivered=delivered, name=name)


def _shown(text: str) -> dict[str, Any]:
    """Return what the page shows of a clear text, if it is a notification in JSON."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(value, dict):
        return {}
    data = value.get("data")
    return {"notification": value, **({"data": data} if isinstance(data, dict) else {})}


def _taken(answer: PushAnswer, wanted: Wanted, *, name: str) -> Response:
    ttl_s = wanted.ttl_s if answer.ttl is None else min(answer.ttl, wanted.ttl_s)
    return Response(answer.status, b"", headers={"location": name, "ttl": str(ttl_s)})


def _refused(refused: PushRefusal, answer: PushAnswer) -> Response:
    headers = {}
    if answer.retry_after is not None:
        headers["retry-after"] = answer.retry_after
    if answer.location is not None:
        headers["location"] = answer.location
    return Response(refused.status, refused.content, refused.content_type, headers)
