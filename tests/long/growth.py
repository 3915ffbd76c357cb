"""The cost of reads at ten times the rows: `python -m tests.postgres python -m tests.long.growth --seed 1`.

Fills a database with the demo of `--deals` deals and then of ten times as many, and compares the median time of each
read. A read that grows by more than `LIMIT` fails. It stops by itself.
"""

import argparse
import signal
import statistics
import sys
import time

from tests.long.servers import Server, fresh_database

READS = (
    "/api/deals",
    "/api/deals?status=open&ordering=-amount",
    "/api/deals?q=acme",
    "/api/deals?total=true&page_size=200",
    "/api/contacts?ordering=updated_at",
    "/api/events?after=0&limit=100",
    "/api/pipelines",
)
TIMES = 15
LIMIT = 3.0


def medians(server: Server) -> dict[str, float]:
    """Milliseconds of each read."""
    found = {}
    for path in READS:
        taken = []
        for _ in range(TIMES):
            begin = time.perf_counter()
            status, answer = server.call("GET", path)
            taken.append((time.perf_counter() - begin) * 1000)
            assert status == 200, answer
        found[path] = statistics.median(taken)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--deals", type=int, default=5_000)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with fresh_database() as url:
        server = Server(url)
        try:
            found = []
            for deals in (options.deals, options.deals * 10):
                seed = ("--seed", str(options.seed))
                server.manage("demo", "--deals", str(deals), *seed, "--replace")
                found.append(medians(server))
        finally:
            server.kill()
    grown = []
    for path, few in found[0].items():
        many = found[1][path]
        print(f"{path:45} {few:7.1f} ms {many:7.1f} ms  x {many / few:.1f}")
        if many > LIMIT * few:
            grown.append(path)
    assert not grown, f"These grow with the table: {', '.join(grown)}"


if __name__ == "__main__":
    main()
