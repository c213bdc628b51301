"""Run every local provider in one process: `python -m providers.all --state-file FILE [--host H] [--port P] [--directory D]`.

P is the port of the page that shows what each of them received; their own are free ones. Once all listen, FILE holds
`{"base_url", "environment", "pid"}`: where the page is, and the variables that send everything to them. What is the
sender's own (names, the VAPID key) is not among these. The file goes away when the servers stop.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .apns import ApnsServer
from .board import BoardServer, Source
from .fcm import FcmServer
from .serving import Server, option_parser, serve_until_told
from .sms import SmsServer
from .smtp import SmtpServer
from .webpush import WebPushServer


class AllServers:
    """Each provider in a thread of its own; when one ends, all do."""

    def __init__(self, *, host: str, port: int, directory: Path) -> None:
        """Bind all addresses, and make or reuse keys and certificates in `directory`; raises OSError."""
        self.fcm = FcmServer(host=host, port=0, directory=directory)
        self.apns = ApnsServer(host=host, port=0, directory=directory)
        self.webpush = WebPushServer(host=host, port=0)
        self.smtp = SmtpServer(host=host, port=0)
        self.sms = SmsServer(host=host, port=0)
        sources = {
            "fcm": Source.at(self.fcm.base_url),
            "apns": Source.at(self.apns.base_url, ca_file=self.apns.ca_file),
            "webpush": Source.at(self.webpush.base_url),
            "email": Source.at(self.smtp.base_url),
            "sms": Source.at(self.sms.base_url),
        }
        self.board = BoardServer(host=host, port=port, sources=sources)
        self._ends = threading.Event()

    def state(self) -> dict[str, Any]:
        """Return where the page is, and what a sender's environment says of the providers."""
        return {**self.board.state(), "environment": self._environment()}

    def _environment(self) -> dict[str, str]:
        fcm, apns = self.fcm.state(), self.apns.state()
        return {
            "FCM_BASE_URL": fcm["base_url"],
            "GOOGLE_APPLICATION_CREDENTIALS": fcm["credentials_file"],
            **{
                f"APNS_{name.upper()}": str(apns[name])
                for name in ("host", "port", "ca_file", "key_file", "key_id", "team_id", "topic")
            },
            "WEBPUSH_DEV_ORIGINS": self.webpush.base_url,
            "EMAIL_URL": self.smtp.state()["url"],
            "SMS_GATEWAY_URL": self.sms.state()["url"],
            "SMS_PROVIDER": "rayon",
        }

    def run_here(self) -> None:
        """Serve until stopped, or until one of them ends; raises what ended it."""
        servers: list[Server] = [
            *(self.fcm, self.apns, self.webpush, self.smtp, self.sms),
            self.board,
        ]
        with ThreadPoolExecutor(len(servers), thread_name_prefix="provider") as threads:
            running = [(server, threads.submit(server.run_here)) for server in servers]
            for _, future in running:
                future.add_done_callback(lambda _: self._ends.set())
            self._ends.wait()
            for server, future in running:
                if not future.done():
                    server.stop()
        for _, future in running:
            future.result()

    def stop(self) -> None:
        """Let run_here end, now or as soon as it starts; from any thread."""
        self._ends.set()


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = option_parser(prog="python -m providers.all", description=__doc__)
    parser.add_argument(
        "--directory", type=Path, help="keeps keys and certificates; default: beside the state file"
    )
    options = parser.parse_args(arguments)

    def start() -> AllServers:
        directory = options.directory or options.state_file.parent
        return AllServers(host=options.host, port=options.port, directory=directory)

    serve_until_told(start, name="The local providers", options=options)


if __name__ == "__main__":
    main()
