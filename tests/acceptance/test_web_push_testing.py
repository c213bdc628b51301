"""Our messages, read by somebody else's code: npm's web-push-testing, a push service in JavaScript.

It checks VAPID against the key that the subscription was made for, decrypts aes128gcm with node's own http_ece, and hands
out the clear text. https://www.npmjs.com/package/web-push-testing; its version and hashes stand beside it.
"""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.utils import timezone

from offers.gateways.port import Outcome, PushMessage
from offers.gateways.registry import gateway_for
from offers.gateways.settings import ProviderSettings
from offers.gateways.webpush_vapid import load_key, public_key_text
from tests.contracts.test_gateways import push
from tests.contracts.webpush_side import key_file, settings_to

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

PINNED = Path(__file__).with_name("web_push_testing")
INSTALL_WITHIN_S = 240
START_WITHIN_S = 20


@dataclass(frozen=True)
class WebPushTesting:
    """The package's server; https://github.com/marc1706/web-push-testing describes its calls."""

    base_url: str

    def subscribe(self, *, server_key: str) -> dict[str, Any]:
        options = {"userVisibleOnly": "true", "applicationServerKey": server_key}
        subscription: dict[str, Any] = self._call("/subscribe", options).json()["data"]
        return subscription

    def messages(self, subscription: dict[str, Any]) -> list[str]:
        answer = self._call("/get-notifications", {"clientHash": subscription["clientHash"]})
        return list(answer.json()["data"]["messages"])

    def expire(self, subscription: dict[str, Any]) -> None:
        self._call(f"/expire-subscription/{subscription['clientHash']}", {})

    def is_up(self) -> bool:
        try:
            return self._call("/status", {}).is_success
        except httpx.TransportError:
            return False

    def _call(self, path: str, body: dict[str, Any]) -> httpx.Response:
        with httpx.Client(base_url=self.base_url, trust_env=False, verify=False) as client:
            return client.post(path, json=body).raise_for_status()


@pytest.fixture(scope="module")
def package() -> Path:
    """Install the pinned package into RAYON_HOME and return its folder; fails where that cannot be done."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.fail("This check needs Node.js with npm: install nodejs and npm, then run it again.")
    home = Path(settings.RAYON_HOME) / "npm" / "web-push-testing"
    home.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PINNED / name, home / name)
    command = [npm, "ci", "--prefix", str(home), "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_WITHIN_S, check=False)
    if done.returncode != 0:
        pytest.fail(f"npm could not install web-push-testing; it needs the network. {done.stderr[-2000:]}")
    return home / "node_modules" / "web-push-testing"


@pytest.fixture(scope="module")
def provider(package: Path) -> Iterator[WebPushTesting]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # The command of the package starts this in the background; in the foreground it can be stopped.
    process = subprocess.Popen(["node", str(package / "src" / "bin" / "server.js"), str(port)])
    running = WebPushTesting(base_url=f"http://localhost:{port}")
    try:
        until = time.monotonic() + START_WITHIN_S
        while not running.is_up():
            assert process.poll() is None and time.monotonic() < until, "web-push-testing did not start"
            time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return key_file(tmp_path)


def to(subscription: dict[str, Any], **changes: Any) -> PushMessage:
    token = json.dumps({"endpoint": subscription["endpoint"], **subscription["keys"]})
    ends = timezone.now() + timedelta(minutes=10)
    return push(platform="webpush", token=token, expires_at=ends, **changes)


async def outcomes(provider: WebPushTesting, key: Path, *messages: PushMessage) -> list[tuple[Any, ...]]:
    webpush = settings_to(provider.base_url, key=key)
    gateway = gateway_for("webpush", providers=ProviderSettings(webpush=webpush))
    receipts = await gateway.send(messages, now=timezone.now())
    await gateway.aclose()
    return [(receipt.outcome, receipt.status) for receipt in receipts]


async def test_what_we_encrypt_is_read_by_another_implementation(provider: WebPushTesting, key: Path) -> None:
    public = public_key_text(load_key(key))
    one, other = provider.subscribe(server_key=public), provider.subscribe(server_key=public)
    messages = [to(one, language="en"), to(other, body="é👩‍👩‍👧‍👦" * 2000), to(one, is_sensitive=True)]

    assert await outcomes(provider, key, *messages) == [(Outcome.ACCEPTED, 201)] * 3

    read = {json.loads(text)["tag"]: json.loads(text) for text in provider.messages(one)}
    assert set(read) == {messages[0].message_id, messages[2].message_id}
    assert read[messages[0].message_id] == {
        "title": "−30 % sur vos yaourts",
        "body": "Au rayon frais, jusqu’à 11 h.",
        "tag": messages[0].message_id,
        "lang": "en",
        "actions": [
            {"action": "open", "title": "See the offer"},
            {"action": "not_interested", "title": "Not for me"},
            {"action": "pause", "title": "Take a break"},
        ],
        "data": {"code": "7K3M-ZQ8V-0T"},
    }
    assert read[messages[2].message_id]["title"] == "Une offre vous attend"
    [long] = provider.messages(other)
    assert json.loads(long)["body"].endswith(("👦…", "é…"))


async def test_an_expired_subscription_is_dead_and_another_key_is_refused(
    provider: WebPushTesting, key: Path
) -> None:
    expired = provider.subscribe(server_key=public_key_text(load_key(key)))
    stranger = provider.subscribe(server_key=public_key_text(ec.generate_private_key(ec.SECP256R1())))
    provider.expire(expired)

    assert await outcomes(provider, key, to(expired), to(stranger)) == [
        (Outcome.DEAD_TOKEN, 410),
        (Outcome.OUR_FAULT, 400),
    ]
    assert provider.messages(stranger) == []
