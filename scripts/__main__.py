"""Run one command: `python3 -m scripts run`; without one it lists them."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - before anything a newer Python is needed to read
    sys.exit(
        "Rayon needs Python 3.11 or newer; this is "
        + sys.version.split()[0]
        + ". Try: make PYTHON=python3.11"
    )

from scripts.commands import main

sys.exit(main(sys.argv[1:]))
