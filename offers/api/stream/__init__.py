"""WebSockets: phones' events in, results and offers out; a store's news for its staff. docs/decisions/0010-sockets.md."""
