#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every check of `make lint`; all of them run, then it fails when one did. Nothing is changed.
#
#     run.sh BUILD    a build folder with compile_commands.json, of the current sources
set -euo pipefail

build=${1:?usage: run.sh BUILD}
here=$(dirname "$0")
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
failed=()

for tool in clang-format cppcheck shellcheck python3 git; do
    if ! command -v "$tool" >/dev/null; then
        printf 'lint: %s is missing; scripts/setup.sh --lint installs it\n' "$tool" >&2
        exit 1
    fi
done

# check NAME COMMAND...
check() {
    local name=$1 start=$SECONDS
    shift
    if "$@"; then
        printf 'ok      %s (%d s)\n' "$name" $((SECONDS - start))
    else
        printf 'FAILED  %s\n' "$name"
        failed+=("$name")
    fi
}

format() {
    find src include tests examples cmake bench -name '*.[ch]' -print0 |
        xargs -0 clang-format --dry-run -Werror
}

# Left out: variables that tests/cli/lib.sh and its users share, as its path is computed.
shell_scripts() {
    find scripts .ci/run tests -type f \( -name '*.sh' -o -path .ci/run \) -print0 |
        xargs -0 shellcheck -S warning -e SC2154,SC2034
}

# Our own sources, not the embedded data. What is suppressed are notes of cppcheck about itself.
static_analysis() {
    python3 "$here/own_sources.py" "$build" >"$build/cppcheck.json"
    mkdir -p "$build/cppcheck"
    cppcheck --quiet -j "$jobs" --project="$build/cppcheck.json" --std=c11 \
        --cppcheck-build-dir="$build/cppcheck" --error-exitcode=1 --inline-suppr \
        --enable=warning,performance,portability \
        --suppress=missingIncludeSystem --suppress=unmatchedSuppression \
        --suppress=normalCheckLevelMaxBranches --suppress=checkersReport
}

check 'clang-format' format
check 'style' python3 "$here/check_style.py"
check 'include directions' python3 "$here/check_includes.py"
check 'API and its documents' python3 "$here/check_api_docs.py" "$build"
check 'repository' "$here/check_repository.sh"
check 'shell scripts' shell_scripts
check 'cppcheck' static_analysis
if [ ${#failed[@]} -gt 0 ]; then
    printf 'lint: failed: %s\n' "${failed[*]}" >&2
    exit 1
fi
