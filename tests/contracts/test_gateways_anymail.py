"""The e-mail gateway through django-anymail: Postmark's API, as its documentation has it, spoken by a server nearby."""

import json
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.mail import get_connection

from offers.gateways.email import EmailGateway
from offers.gateways.port import Outcome, Receipt

from .test_gateways import NOW
from .test_gateways_email import AT_ONCE, after, mail

BACKEND = "anymail.backends.postmark.EmailBackend"
INACTIVE = (
    "You tried to send to a recipient that has been marked as inactive.\nFound inactive addresses: {to}.\n"
    "Inactive recipients are ones that have generated a hard bounce, a spam complaint, or a manual suppression."
)


@dataclass
class Postmark:
    """What the server was asked, and what it answers: (status, body, headers), else an acceptance."""

    url: str = ""
    answers: deque[tuple[int, Any, dict[str, str]]] = field(default_factory=deque)
    asked: list[dict[str, Any]] = field(default_factory=list)
    delay_s: float = 0.0


def handler_for(postmark: Postmark) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            postmark.asked.append({"token": self.headers["X-Postmark-Server-Token"], **sent})
            accepted = {"ErrorCode": 0, "Message": "OK", "MessageID": "pm-1", "To": sent["To"]}
            status, body, headers = postmark.answers.popleft() if postmark.answers else (200, accepted, {})
            time.sleep(postmark.delay_s)
            if status == 0:
                self.close_connection = True
                return
            raw = json.dumps(body).replace("{to}", sent["To"]).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(raw))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler


@pytest.fixture
def postmark(monkeypatch: pytest.MonkeyPatch) -> Iterator[Postmark]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    found = Postmark()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(found))
    found.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
async def gateway(postmark: Postmark) -> AsyncIterator[EmailGateway]:
    made = EmailGateway(
        from_address="Carotte <offres@carotte.example>",
        public_url="https://carotte.example",
        connect=partial(get_connection, BACKEND, server_token="t", api_url=postmark.url, timeout=0.3),
        clock=lambda: AT_ONCE,
    )
    yield made
    await made.aclose()


DEAD, OURS, LANE, LATER = (
    Outcome.DEAD_TOKEN,
    Outcome.OUR_FAULT,
    Outcome.LANE_STOPPED,
    Outcome.TRY_LATER,
)
CATALOGUE: list[tuple[tuple[int, Any, dict[str, str]], Outcome, str, int | None, float | None]] = [
    ((422, {"ErrorCode": 406, "Message": INACTIVE}, {}), DEAD, "RECIPIENT_REJECTED", None, None),
    (
        (422, {"ErrorCode": 300, "Message": "Invalid 'To' address: '{to}'."}, {}),
        DEAD,
        "RECIPIENT_INVALID",
        None,
        None,
    ),
    ((422, {"ErrorCode": 300, "Message": "Invalid 'From' address: 'x'."}, {}), OURS, "HTTP_422", 422, None),
    ((401, {"ErrorCode": 10, "Message": "Bad or missing API token"}, {}), LANE, "HTTP_401", 401, None),
    ((429, {}, {"Retry-After": "7"}), LATER, "HTTP_429", 429, 7),
    ((500, {}, {}), LATER, "HTTP_500", 500, 10),
    ((503, {}, {"Retry-After": "30"}), LATER, "HTTP_503", 503, 30),
    ((200, {"ErrorCode": 0}, {}), LATER, "HTTP_200", 200, 10),
    ((0, None, {}), LATER, "CONNECTION_LOST", None, 10),
]


@pytest.mark.parametrize(("answer", "outcome", "code", "status", "wait_s"), CATALOGUE)
async def test_an_answer_means_what_the_catalogue_says(
    postmark: Postmark,
    gateway: EmailGateway,
    answer: tuple[int, Any, dict[str, str]],
    outcome: Outcome,
    code: str,
    status: int | None,
    wait_s: float | None,
) -> None:
    message = mail()
    postmark.answers.append(answer)

    receipts = await gateway.send([message], now=NOW)

    assert receipts == [
        Receipt(
            message_id=message.message_id,
            outcome=outcome,
            provider_code=code,
            status=status,
            retry_at=None if wait_s is None else after(wait_s),
        )
    ]
    assert len(postmark.asked) == 1


async def test_an_accepted_mail_carries_all_it_needs(postmark: Postmark, gateway: EmailGateway) -> None:
    message = mail()

    [receipt] = await gateway.send([message], now=NOW)

    assert receipt == Receipt(
        message_id=message.message_id, outcome=Outcome.ACCEPTED, provider_message_id="pm-1"
    )
    [asked] = postmark.asked
    assert (asked["token"], asked["To"], asked["Subject"]) == ("t", message.token, message.title)
    headers = {one["Name"]: one["Value"] for one in asked["Headers"]}
    assert headers["Message-ID"] == f"<{message.message_id}@carotte.example>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "7K3M-ZQ8V-0T" in asked["TextBody"] and "7K3M-ZQ8V-0T" in asked["HtmlBody"]


async def test_a_provider_that_does_not_answer_is_left_after_its_time(
    postmark: Postmark, gateway: EmailGateway
) -> None:
    postmark.delay_s = 1.0

    [receipt] = await gateway.send([mail()], now=NOW)

    assert (receipt.outcome, receipt.provider_code) == (Outcome.TRY_LATER, "TIMEOUT")


async def test_a_provider_without_its_key_stops_the_lane() -> None:
    made = EmailGateway(
        from_address="offres@carotte.example",
        public_url="https://carotte.example",
        connect=partial(get_connection, BACKEND),
    )

    [receipt] = await made.send([mail()], now=NOW)
    await made.aclose()

    assert (receipt.outcome, receipt.provider_code) == (Outcome.LANE_STOPPED, "MAIL_CONFIGURATION")
