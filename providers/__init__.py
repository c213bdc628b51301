"""Small real servers on loopback that speak the push providers' protocols, for development and tests."""
