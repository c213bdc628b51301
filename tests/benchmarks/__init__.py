"""Measurements, each a ratio to a bound taken in the same run on the same machine: `make bench`."""
