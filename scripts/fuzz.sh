#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs each libFuzzer target of a build folder for some seconds, from its corpus. New inputs are
# kept in BUILD/corpus; an input that fails is left in BUILD/findings, and the run fails.
#
#     fuzz.sh BUILD SECONDS
set -euo pipefail

build=${1:?usage: fuzz.sh BUILD SECONDS}
seconds=${2:?usage: fuzz.sh BUILD SECONDS}
corpora=$(dirname "$0")/../tests/fuzz/corpus
failed=0

mkdir -p "$build/findings"
for target in "$build"/tests/fuzz_*; do
    [ -x "$target" ] || continue
    name=$(basename "$target")
    new=$build/corpus/${name#fuzz_}
    mkdir -p "$new"
    printf '== %s, %s s\n' "$name" "$seconds"
    "$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -verbosity=0 \
        -print_final_stats=1 -artifact_prefix="$build/findings/$name-" \
        "$new" "$corpora/${name#fuzz_}" 2>&1 |
        sed '/# Recommended dictionary/,/# End of recommended/d' || failed=1
done
if [ "$failed" -ne 0 ]; then
    printf 'fuzz: the inputs that failed are in %s/findings\n' "$build" >&2
fi
exit "$failed"
