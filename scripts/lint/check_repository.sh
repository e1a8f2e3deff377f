#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What may be tracked: no file over 12 MB, 60 MB in all, no notes to ourselves, no paths of one
# machine.
#
#     check_repository.sh [REPOSITORY]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

largest=12000000
largest_whole=60000000
failed=0
whole=0

# In a container the checkout may belong to somebody else.
git() {
    command git -c safe.directory='*' "$@"
}

fail() {
    printf '%s\n' "$*"
    failed=1
}

if ! git rev-parse --git-dir >/dev/null 2>&1; then
    printf 'not a git checkout: nothing to check\n'
    exit 0
fi

while IFS= read -r -d '' file; do
    [ -f "$file" ] || continue
    size=$(stat -c %s "$file")
    whole=$((whole + size))
    [ "$size" -le "$largest" ] || fail "$file: $size bytes, at most $largest"
done < <(git ls-files -z)
[ "$whole" -le "$largest_whole" ] || fail "all files: $whole bytes, at most $largest_whole"

# found PATTERN EXCEPTION TEXT: tracked lines with PATTERN and without EXCEPTION. Data and inputs of
# tests are other people's text.
found() {
    local lines
    lines=$(git grep -nIE "$1" -- . ':!data/*/*.txt' ':!data/*.txt' ':!tests/fuzz/corpus' \
        ':!tests/reference/data' | grep -vE "$2" | cut -c 1-160 || true)
    [ -z "$lines" ] || fail "$lines"$'\n'"    $3"
}

found '\b(TO[D]O|FIX[M]E|XX[X])\b' '^$' 'notes to ourselves belong into issues'
found '(^|[^A-Za-z0-9_.$}/])/(t[m]p|h[o]me|r[o]ot)/[A-Za-z0-9_]' '/t[m]p/clipc-|/h[o]me/reader' \
    'a path of one machine'
exit "$failed"
