#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes of compare.py's results the tables of docs/performance.md and README.md, and the chart.

    report.py RESULTS.json [--page FILE]... [--chart FILE]

A page has, for each table that it wants, the lines

    <!-- results: NAME -->
    <!-- end -->

and what is between them is replaced; tables.py has the names. The chart needs matplotlib, which is
in compare.py's environment.
"""
import argparse
import re
from pathlib import Path

import chart
from tables import TABLES, Results

ROOT = Path(__file__).resolve().parent.parent
MARKED = re.compile(r"(<!-- results: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(page, results):
    old = page.read_text(encoding="utf-8")
    new = MARKED.sub(lambda m: f"{m[1]}\n{TABLES[m[2]](results)}\n{m[3]}", old)
    page.write_text(new, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results")
    parser.add_argument("--page", type=Path, action="append")
    parser.add_argument("--chart", type=Path, default=ROOT / "docs/performance.svg")
    options = parser.parse_args()
    results = Results(options.results)
    for page in options.page or [ROOT / "docs/performance.md", ROOT / "README.md"]:
        fill(page, results)
    chart.draw(results, options.chart)


if __name__ == "__main__":
    main()
