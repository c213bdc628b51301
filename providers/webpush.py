"""Run a local push service: `python -m providers.webpush --state-file FILE [--host H] [--port P]`.

Once it listens, FILE holds `{"base_url", "pid"}`; the file goes away when the server stops. Its subscriptions live as
long as it does.
"""

from .http_server import HttpServer
from .serving import option_parser, serve_until_told
from .webpush_app import WebPushApp


class WebPushServer(HttpServer):
    """A local push service."""

    def __init__(self, *, host: str, port: int) -> None:
        """Bind the address; raises OSError."""
        super().__init__(host=host, port=port, app_at=lambda base_url: WebPushApp(origin=base_url))


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    options = option_parser(prog="python -m providers.webpush", description=__doc__).parse_args(arguments)
    serve_until_told(
        lambda: WebPushServer(host=options.host, port=options.port),
        name="The local push service",
        options=options,
    )


if __name__ == "__main__":
    main()
