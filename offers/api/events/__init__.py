"""The hot door: events of phones, in and decided."""
