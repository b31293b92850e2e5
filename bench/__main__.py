"""``python -m bench [NAME ...] [--small]``: both sides in one run on this machine, ratios printed as Markdown.

``--small`` runs everything with few messages, to see that it works; its figures say nothing. The exit code is 0
whatever the figures: a benchmark is never a test of speed.
"""

import argparse
import importlib
import os
import platform
import shutil
import sys
import time

from bench.table import format_table, shortfalls

BENCHMARKS = {
    "deliver": "P1: accept and deliver to local mailboxes",
    "flush": "each acknowledged message was flushed before its reply",
    "relay": "P3: accept, queue and relay to a sink",
    "imap": "P4: IMAP on 20 000 messages",
    "start": "P9: start time and memory",
    "administration": "help, commands, the API, and until a change holds",
    "directory": "a million accounts: import, finding, pages, lookups",
}
ALONE = {"administration", "directory"}  # against figures that are promised, not against other programs


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--small", action="store_true", help="few messages, to see that it works")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    names = arguments.names or list(BENCHMARKS)
    missing = [name for name in ("postfix", "dovecot", "smtp-source", "strace") if not shutil.which(name)]
    if not ALONE.issuperset(names) and (missing or os.geteuid() != 0):
        print(
            f"The peers must be there, and are started as root: missing {', '.join(missing) or 'root'}", file=sys.stderr
        )
        return os.EX_UNAVAILABLE
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}\n")
    for name in names:
        module = importlib.import_module(f"bench.{name}")
        began = time.monotonic()
        rows = module.measure(small=arguments.small)
        print(format_table(module.TITLE, rows), flush=True)
        if not arguments.small and (short := shortfalls(rows)):
            print(f"Under the floor: {', '.join(short)}\n")
        print(f"({time.monotonic() - began:.0f} s)\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
