#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the tests of a build folder, several at a time, and closes with one line of counts:
# "N passed, N failed", and ", N skipped" where some were. Fails when a test failed.
#
#     run_tests.sh BUILD [CTEST OPTION]...
set -euo pipefail

build=${1:?usage: run_tests.sh BUILD [CTEST OPTION]...}
shift
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
report=$(cd "$build" && pwd)/tests.xml
rm -f "$report"

export CTEST_OUTPUT_ON_FAILURE=1
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
code=0
ctest --test-dir "$build" --parallel "$jobs" --timeout 600 --output-junit "$report" "$@" || code=$?
if [ ! -s "$report" ]; then
    printf 'run_tests: ctest wrote no report\n' >&2
    exit 1
fi

# Text inside the report is escaped, so each of these tags is ctest's own. A test that could not be
# started is a failure, though ctest's report has it under "skipped".
read -r passed failed skipped < <(awk '
    BEGIN { RS = "<" }
    function count() {
        if (status == "")
            return
        if (status == "run")
            passed++
        else if (status == "disabled" || (status == "notrun" && by_choice))
            skipped++
        else
            failed++
        status = ""
    }
    /^testcase / {
        count()
        match($0, / status="[a-z]*"/)
        status = substr($0, RSTART + 9, RLENGTH - 10)
        by_choice = 0
    }
    /^skipped message="SKIP_/ { by_choice = 1 }
    END { count(); print passed + 0, failed + 0, skipped + 0 }' "$report")

slow=$(awk '
    BEGIN { RS = "<" }
    /^testcase / {
        match($0, / name="[^"]*"/)
        name = substr($0, RSTART + 7, RLENGTH - 8)
        match($0, / time="[^"]*"/)
        time = substr($0, RSTART + 7, RLENGTH - 8)
        if (time + 0 >= 2)
            printf "%8.1f s  %s\n", time, name
    }' "$report" | sort -rn | head -n 5)
if [ -n "$slow" ]; then
    printf '\nslowest:\n%s\n\n' "$slow"
fi

if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then
    printf 'run_tests: ctest failed with exit code %s\n' "$code" >&2
fi
if [ "$((passed + failed))" -eq 0 ]; then
    printf 'run_tests: no test was run\n' >&2
    code=1
fi
printf '%d passed, %d failed' "$passed" "$failed"
if [ "$skipped" -gt 0 ]; then
    printf ', %d skipped' "$skipped"
fi
printf '\n'
[ "$code" -eq 0 ] && [ "$failed" -eq 0 ]
