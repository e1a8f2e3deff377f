#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes of compare.py's results the tables of docs/performance.md and README.md, and the chart.

    report.py [RESULTS.json] [--page FILE]... [--chart FILE]    default: bench/results/, the newest

A page has, for each table that it wants, the lines

    <!-- results: NAME -->
    <!-- end -->

and what is between them is replaced; tables.py has the names. It runs in compare.py's environment,
as the chart needs matplotlib.
"""
import argparse
import re
from pathlib import Path

import environment

ROOT = Path(__file__).resolve().parent.parent
MARKED = re.compile(r"(<!-- results: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(page, tables, results):
    old = page.read_text(encoding="utf-8")
    new = MARKED.sub(lambda m: f"{m[1]}\n{tables[m[2]](results)}\n{m[3]}", old)
    page.write_text(new, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="?")
    parser.add_argument("--environment", type=Path, default=environment.DEFAULT, metavar="FOLDER")
    parser.add_argument("--page", type=Path, action="append")
    parser.add_argument("--chart", type=Path, default=ROOT / "docs/performance.svg")
    options = parser.parse_args()
    environment.enter(options.environment)
    import chart
    from tables import TABLES, Results
    newest = sorted((ROOT / "bench/results").glob("*.json"))[-1:]
    if not (options.results or newest):
        parser.error("no results in bench/results; compare.py makes them")
    results = Results(options.results or newest[0])
    for page in options.page or [ROOT / "docs/performance.md", ROOT / "README.md"]:
        fill(page, TABLES, results)
    chart.draw(results, options.chart)


if __name__ == "__main__":
    main()
