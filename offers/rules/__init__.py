"""What is decided: pure functions on plain values, without Django, clock, settings or chance of their own."""
