"""Run the benchmarks: all, or those named; print a table and write build/bench.json.

Each figure is a ratio to a bound measured in the same run, since machines differ.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from config.env import read_environment
from tests.benchmarks import (
    events_rest,
    events_socket,
    lane_isolation,
    latency,
    pipeline,
    push,
    sample,
    targeting,
    vs_obvious,
    worlds,
    yields,
)
from tests.benchmarks.figures import Figure, save, table

RESULTS = Path("build/bench.json")
BENCHMARKS: dict[str, Callable[..., list[Figure]]] = {
    "sample_check": sample.check,
    "pipeline": pipeline.throughput,
    "cost_growth": pipeline.growth,
    "events_rest_batch": events_rest.batch,
    "push_fcm": push.fcm,
    "push_apns": push.apns,
    "lane_isolation": lane_isolation.rate_beside_a_hanging_provider,
    "events_socket": events_socket.frames,
    "events_rest_single": events_rest.single,
    "p99_half_load": latency.p99_half_load,
    "vs_obvious": vs_obvious.rates,
    "yield_review": yields.review,
    "next_basket_job": targeting.next_basket_job,
    "decision_rules": yields.rules,
}
# Run by their names alone: minutes, and tens of minutes.
LONG: dict[str, Callable[..., list[Figure]]] = {
    "next_basket_shared": targeting.next_basket_shared,
    "next_basket_million": targeting.next_basket_million,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench ONLY=…", description=__doc__)
    known = BENCHMARKS | LONG
    parser.add_argument("names", nargs="*", help=f"of: {', '.join(known)}")
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in known]
    if unknown:
        print(
            f"No benchmark is called {', '.join(unknown)}. There are: {', '.join(known)}.",
            file=sys.stderr,
        )
        return 1
    # The benchmarks' own databases are given by address, for which the settings are strict.
    os.environ.setdefault("SECRET_KEY", "a-key-for-benchmarks-only")
    os.environ.setdefault("HTTPS", "0")
    environment = read_environment(source=os.environ)
    figures: list[Figure] = []
    try:
        for name in given.names or BENCHMARKS:
            print(f"{name} …", flush=True)
            figures += known[name](server=environment.database, seconds=given.seconds)
    finally:
        # Worlds are kept where `make clean` takes them away: in the embedded cluster.
        if not environment.embedded:
            worlds.forget(environment.database)
    print("\n" + table(figures))
    save(figures, path=RESULTS)
    print(f"\nWritten to {RESULTS}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
