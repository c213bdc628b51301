"""How a push leaves the house: one port, and an implementation for each provider."""
