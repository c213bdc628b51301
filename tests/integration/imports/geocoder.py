"""A small server on loopback that answers as the French address base does."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Base:
    """Answers by address: (lat, lon, score), or a status, or seconds of silence; the addresses asked for, in order."""

    url: str = ""
    known: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


def feature(*, address: str, lat: float, lon: float, score: float) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": {"label": address, "score": score, "type": "housenumber"},
    }


@contextmanager
def running_base() -> Iterator[Base]:
    base = Base()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = parse_qs(urlsplit(self.path).query)["q"][0]
            base.asked.append(address)
            answer = base.known.get(address)
            status = answer if isinstance(answer, int) else 200
            body = b"nonsense" if answer == "nonsense" else self._collection(address, answer)
            if isinstance(answer, float):
                time.sleep(answer)
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the caller no longer waits

        @staticmethod
        def _collection(address: str, answer: Any) -> bytes:
            features = []
            if isinstance(answer, tuple):
                lat, lon, score = answer
                features = [feature(address=address, lat=lat, lon=lon, score=score)]
            return json.dumps({"type": "FeatureCollection", "features": features}).encode()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    base.url = f"http://127.0.0.1:{server.server_address[1]}/geocodage/search"
    try:
        yield base
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
