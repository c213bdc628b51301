"""The local providers, each in a process of its own, and the bare client of each: the same requests, and nothing else."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import Request, urlopen

import uvloop

from offers.gateways.fcm import FcmGateway
from offers.gateways.fcm_ways import OverHttp2
from offers.gateways.google_tokens import AccessTokens, ServiceAccount
from offers.gateways.http import new_client
from offers.gateways.payload import fcm_request
from offers.gateways.port import PushMessage
from tests.benchmarks.database import ROOT

START_WITHIN_S = 30.0
TIMEOUT_S = 60.0
TITLE, BODY = "20 % sur Danone", "Au rayon frais"  # of tests/crowd.py

T = TypeVar("T")
Post = Callable[[PushMessage], Awaitable[int]]  # sends what was prepared for the message; returns the status


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A local provider that runs, and how to reach it."""

    platform: str
    client_name: str  # what its bare client is
    environment: dict[str, str]  # for a worker
    told: dict[str, Any]  # its own words: address and credentials
    client: Callable[[dict[str, Any], Sequence[PushMessage], int], Any]  # of the bare client

    def bare_per_s(self, *, messages: int, concurrency: int) -> float:
        """Return the requests a second of the bare client, with this many under way at once."""
        return _run(self._bare_per_s(messages, concurrency))

    def bare_latencies_s(self, *, per_s: float, each: int, seconds: float, concurrency: int) -> list[float]:
        """Return how long each request of the bare client took; they begin at this rate, several at once."""
        return _run(self._bare_latencies_s(per_s, each, seconds, concurrency))

    async def _bare_per_s(self, messages: int, concurrency: int) -> float:
        prepared = [_message(self.platform, number) for number in range(messages)]
        async with self.client(self.told, prepared, concurrency) as post:
            waiting = iter(prepared)

            async def send() -> None:
                for message in waiting:
                    _check(await post(message))

            start = time.perf_counter()
            await asyncio.gather(*(send() for _ in range(concurrency)))
            return messages / (time.perf_counter() - start)

    async def _bare_latencies_s(
        self, per_s: float, each: int, seconds: float, concurrency: int
    ) -> list[float]:
        prepared = [_message(self.platform, number) for number in range(int(per_s * seconds))]
        found: list[float] = []
        async with self.client(self.told, prepared, concurrency) as post:

            async def send(message: PushMessage) -> None:
                start = time.perf_counter()
                _check(await post(message))
                found.append(time.perf_counter() - start)

            start = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for number, message in enumerate(prepared):
                    if number % each == 0:
                        await asyncio.sleep(max(0.0, start + number / per_s - time.perf_counter()))
                    group.create_task(send(message))
        return found

    def hang(self) -> None:
        """Let the provider take every request, and answer none."""
        script = {"token": "*", "answers": [{"delay_s": 3600, "times": 100_000}]}
        request = Request(
            f"{self.told['base_url']}/_control/script", data=json.dumps(script).encode(), method="POST"
        )
        urlopen(request, timeout=5).close()


@contextmanager
def local_fcm() -> Iterator[Provider]:
    with _running("providers.fcm") as told:
        yield Provider(
            platform="fcm",
            client_name="our HTTP/2 connection",
            environment={
                "FCM_BASE_URL": told["tls_base_url"],
                "FCM_CA_FILE": told["ca_file"],
                "GOOGLE_APPLICATION_CREDENTIALS": told["credentials_file"],
            },
            told=told,
            client=_fcm_client,
        )


@contextmanager
def local_apns() -> Iterator[Provider]:
    with _running("providers.apns") as told:
        names = ("host", "port", "ca_file", "key_file", "key_id", "team_id", "topic")
        yield Provider(
            platform="apns",
            client_name="our HTTP/2 connection",
            environment={f"APNS_{name.upper()}": str(told[name]) for name in names},
            told=told,
            client=_apns_client,
        )


def fcm_gateway(told: dict[str, Any], *, concurrency: int, timeout_s: float) -> FcmGateway:
    return FcmGateway(
        credentials_file=Path(told["credentials_file"]),
        base_url=told["tls_base_url"],
        ca_file=Path(told["ca_file"]),
        concurrency=concurrency,
        timeout_s=timeout_s,
    )


@asynccontextmanager
async def _fcm_client(
    told: dict[str, Any], messages: Sequence[PushMessage], concurrency: int
) -> AsyncIterator[Post]:
    """The connection of the FCM gateway, over HTTP/2 with TLS."""
    account = ServiceAccount.from_file(Path(told["credentials_file"]))
    async with new_client(base_url=told["base_url"], timeout_s=TIMEOUT_S, concurrency=concurrency) as client:
        tokens = AccessTokens(account=account, client=client, timeout_s=TIMEOUT_S, clock=time.time)
        token = await tokens.current()
    way = OverHttp2(
        base_url=told["tls_base_url"],
        path=f"/v1/projects/{account.project_id}/messages:send",
        timeout_s=TIMEOUT_S,
        ca_file=Path(told["ca_file"]),
    )
    bodies = {one.message_id: fcm_request(one, now=datetime.now(UTC)) for one in messages}

    async def post(message: PushMessage) -> int:
        answer = await way.post(bodies[message.message_id], token=token)
        return answer.status

    try:
        yield post
    finally:
        await way.aclose()


@asynccontextmanager
async def _apns_client(
    told: dict[str, Any], messages: Sequence[PushMessage], concurrency: int
) -> AsyncIterator[Post]:
    """The connection of the APNs gateway, over HTTP/2 with TLS."""
    request: Any = import_module("offers.gateways.apns_request")
    keys: Any = import_module("offers.gateways.apns_tokens")
    shared: Any = import_module("offers.gateways.http2_shared")
    http: Any = import_module("offers.gateways.http")
    key = keys.SigningKey.from_file(Path(told["key_file"]), key_id=told["key_id"], team_id=told["team_id"])
    token = keys.ProviderTokens(key=key, clock=time.time).current()
    trust = http.new_trust(Path(told["ca_file"]))
    connection = shared.SharedConnection(
        gateway="apns", host=told["host"], port=int(told["port"]), trust=trust, timeout_s=TIMEOUT_S
    )
    headers = request.Headers(host=told["host"], port=int(told["port"]), topic=told["topic"])
    prepared = {
        one.message_id: (headers.made(one, token=token), request.apns_payload(one)) for one in messages
    }

    async def post(message: PushMessage) -> int:
        current = await connection.current()
        answer = await current.post(*prepared[message.message_id])
        return int(answer.status)

    try:
        yield post
    finally:
        await connection.aclose()


def _message(platform: str, number: int) -> PushMessage:
    """Return a message of the size that the worker sends."""
    message_id, code, now = str(uuid.uuid4()), "ABCD-EFGH-JKMN-PQRS", datetime.now(UTC)
    token = f"{number:064x}" if platform == "apns" else f"crowd{number}:{'0123456789abcdef' * 8}"
    return PushMessage(
        message_id=message_id,
        platform=platform,
        token=token,
        title=TITLE,
        body=BODY,
        expires_at=now + timedelta(hours=1),
        registered_at=now,
        data={
            "code": code,
            "link": f"rayon://coupons/{code}",
            "offer": "yoghurt-20",
            "message_id": message_id,
        },
        badge=1,
    )


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Return what comes of it in an event loop of the worker's kind."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _check(status: int) -> None:
    if status != 200:
        raise RuntimeError(f"the local provider answered {status}")


@contextmanager
def _running(module: str) -> Iterator[dict[str, Any]]:
    """Yield what the provider's process tells of itself."""
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory) / "state.json"
        process = subprocess.Popen(
            [sys.executable, "-m", module, "--port", "0", "--state-file", str(state)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until = time.monotonic() + START_WITHIN_S
            while not state.exists():
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"{module} did not start")
                time.sleep(0.05)
            yield json.loads(state.read_text())
        finally:
            process.terminate()
            process.wait(10)
