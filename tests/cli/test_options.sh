#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The command line itself: help, version, options, usage errors, exit codes, signals, full disks.
. "$(dirname "$0")/lib.sh"

run
check_code "no command" 2
check_err "no command" '^usage: clipc COMMAND'
check_lines "no command" 0

for word in --help -h help; do
    run $word
    check_code "clipc $word" 0
    check_out "clipc $word" '^  classify '
    check "clipc $word: nothing on stderr" test ! -s err
done

run --version
check_code "--version" 0
check_out "--version" '^clipc [0-9]+\.[0-9]+\.[0-9]+$'

run frobnicate
check_code "unknown command" 2
check_err "unknown command" '^clipc: unknown command frobnicate'
run --frobnicate
check_code "unknown option before a command" 2

for command in models pull info tokenize preprocess embed classify convert bench version help; do
    run $command --help
    check_code "$command --help" 0
    check_out "$command --help" "^usage: clipc $command"
    check_out "$command --help" '^options:'
    check_out "$command --help" '^examples:'
    cp out first
    run $command -h
    check "$command -h is the same" cmp -s first out
    run help $command
    check "help $command is the same" cmp -s first out
    run $command --frobnicate
    check_code "$command --frobnicate" 2
    check_err "$command" \
        "^clipc: $command: unknown option --frobnicate; see .clipc $command --help.$"
    check_lines "$command: unknown option" 0
    run $command -Z
    check_code "$command -Z" 2
done

run help frobnicate
check_code "help of an unknown command" 2

# Values: in the same word, in the next, bundled; and what is no value.
for arguments in "--context=5 a" "--context 5 a" "a --context 5" "-j1 --context=5 -- a" \
    "-qj 2 --context=5 a"; do
    # shellcheck disable=SC2086
    run tokenize --json $arguments
    check_code "tokenize $arguments" 0
    check_json "tokenize $arguments" 'len(row["tokens"]) == 5'
done
run tokenize -- --json
check_code "words after --" 0
check_lines "words after --" 1
run tokenize --context
check_code "a value is missing" 2
check_err "a value is missing" 'tokenize: --context needs a value'
run tokenize -j
check_code "a short option's value is missing" 2
for value in 0 -1 x 5x '' ' 5' 99999999999999999999; do
    run tokenize "--context=$value" a
    check_code "--context=$value" 2
done
run tokenize --json=yes a
check_code "a flag with a value" 2
run embed --dtype f64 --text a
check_code "--dtype f64" 2
check_err "--dtype f64" 'one of f32, bf16, int8'
run embed --activation relu --text a
check_code "--activation relu" 2

# Operands that are missing or too many.
for arguments in tokenize preprocess "preprocess a.bmp" "preprocess a b -o c" embed classify \
    "classify a.bmp" "convert a" "convert a b c" pull "pull RN50 RN101 --url file:///x" "info a b" \
    "models a" "version a" "bench a" "bench --what train" "bench --what x" \
    "bench --seconds 0" "bench --seconds nan"; do
    # shellcheck disable=SC2086
    run $arguments
    check_code "clipc $arguments" 2
    check_err "clipc $arguments" '^clipc: '
    check "clipc $arguments: one line on stderr" test "$(wc -l <err)" -eq 1
done

# The model: the option goes before the environment.
run embed -m nowhere/none.pt --text a
check_code "a model that is not there" 3
check_err "a model that is not there" '^clipc: .*nowhere/none\.pt'
CLIPC_MODEL=nowhere/none.pt run embed --text a
check_code "\$CLIPC_MODEL" 3
CLIPC_MODEL=nowhere/none.pt run embed -m tiny --text a
check_code "-m before \$CLIPC_MODEL" 0
CLIPC_MODEL='' run embed --text a
check_code "an empty \$CLIPC_MODEL" 0

run version --json
check_code "version --json" 0
check_json "version" 'set(row) >= {"version", "cpu", "compiler", "features", "libraries"}'

# A level that is none.
CLIPC_CPU=fast run embed --text a
check_code "CLIPC_CPU" 3
check_err "CLIPC_CPU" '^clipc: CLIPC_CPU: names no level, one of portable(, [a-z0-9-]+)* was '

# Control characters of a name do not reach the terminal.
run embed "$(printf 'a\033[31mb\n')"
check_code "a name with an escape" 1
check "a name with an escape: none on stderr" test -z "$(tr -d '[:print:]\n' <err)"

# A disk that is full, an output that is closed.
if [ -w /dev/full ]; then
    for arguments in --help version "models --json" "tokenize a" "embed --text a"; do
        # shellcheck disable=SC2086
        "$clipc" $arguments >/dev/full 2>err
        code=$?
        check_code "$arguments to a full disk" 3
        check_err "$arguments to a full disk" '^clipc: standard output: cannot write: '
    done
fi
"$clipc" version >&- 2>err
code=$?
check_code "stdout is closed" 3

# SIGTERM while it waits for input.
mkfifo pipe
for arguments in "tokenize -" "embed --texts - -o rows.npy"; do
    # shellcheck disable=SC2086
    "$clipc" $arguments <pipe >out 2>err &
    child=$!
    exec 9>pipe
    sleep 0.3
    kill -TERM $child
    wait $child
    code=$?
    exec 9>&-
    check_code "$arguments: SIGTERM" 130
    check "$arguments: no output file" test ! -e rows.npy
    check "$arguments: no temporary file" no_leftovers
done

finish
