"""The roof: settings, urls and the server's entry points."""
