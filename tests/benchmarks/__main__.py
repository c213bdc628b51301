"""Run the benchmarks: all, or those named; print a table and write build/bench.json.

Each figure is a ratio to a bound measured in the same run, since machines differ.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from config.env import read_environment
from tests.benchmarks import database, events_rest, pipeline, targeting
from tests.benchmarks.figures import Figure, save, table

RESULTS = Path("build/bench.json")
BENCHMARKS: dict[str, Callable[..., list[Figure]]] = {
    "pipeline": pipeline.throughput,
    "events_rest_batch": events_rest.batch,
    "next_basket_job": targeting.next_basket_job,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench ONLY=…", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of: {', '.join(BENCHMARKS)}")
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        print(
            f"No benchmark is called {', '.join(unknown)}. There are: {', '.join(BENCHMARKS)}.",
            file=sys.stderr,
        )
        return 1
    # The benchmarks' own database is one given by address, for which the settings are strict.
    os.environ.setdefault("SECRET_KEY", "a-key-for-benchmarks-only")
    os.environ.setdefault("HTTPS", "0")
    server = read_environment(source=os.environ).database
    figures: list[Figure] = []
    try:
        for name in given.names or BENCHMARKS:
            print(f"{name} …", flush=True)
            figures += BENCHMARKS[name](server=server, seconds=given.seconds)
    finally:
        database.drop(server=server)
    print("\n" + table(figures))
    save(figures, path=RESULTS)
    print(f"\nWritten to {RESULTS}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
