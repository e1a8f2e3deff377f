#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `clipc tokenize`: ids that the original's clip.tokenize printed, standard input, bad texts.
. "$(dirname "$0")/lib.sh"

ids() { # NAME TEXT EXPECTED
    run tokenize "$2"
    check_code "$1" 0
    check "$1: $3" test "$(cat out)" = "$3"
}

ids "a prompt" "a photo of a dog" "49406 320 1125 539 320 1929 49407"
ids "two words" "hello world" "49406 3306 1002 49407"
ids "no word" "" "49406 49407"
ids "case, entities, quotes, blanks" "Schrödinger’s  CAT &amp; dog" \
    "49406 844 81 7255 45580 568 2368 261 1929 49407"
ids "Korean" "한국어" "49406 15197 250 31871 255 31625 368 49407"
ids "a special token" "<|startoftext|>x" "49406 49406 343 49407"

run tokenize --json "hello world" "a photo of a dog"
check_code "JSON" 0
check_lines "JSON" 2
check_json "keys" 'list(row) == ["text", "tokens", "length"]'
check_json "padding" 'row["tokens"] == [49406, 3306, 1002, 49407] + [0] * 73'
check_json "length" '[r["length"] for r in rows] == [4, 7]'
check_json "text" '[r["text"] for r in rows] == ["hello world", "a photo of a dog"]'

run tokenize --json --context 4 "hello world"
check_code "it just fits" 0
check_json "it just fits" 'row["tokens"] == [49406, 3306, 1002, 49407]'

run tokenize --json --context 4 "hello world" "a photo of a dog" "hello"
check_code "one is too long" 1
check_lines "one is too long, the rest is done" 2
check_err "one is too long" '^clipc: text 2: .*too long for context length 4'
run tokenize --json --truncate --context 4 "a photo of a dog"
check_code "truncate" 0
check_json "truncate" 'row["tokens"] == [49406, 320, 1125, 49407] and row["length"] == 4'

# Standard input: an empty line is a text, the last line feed makes none.
printf 'hello world\n\na photo of a dog\n' >lines
run_stdin lines tokenize --json -
check_code "stdin" 0
check_json "stdin" '[r["text"] for r in rows] == ["hello world", "", "a photo of a dog"]'
check_json "stdin" '[r["length"] for r in rows] == [4, 2, 7]'
printf 'hello world\nhello' >lines
run_stdin lines tokenize -
check_lines "no last line feed" 2
: >lines
run_stdin lines tokenize --json -
check_code "empty stdin" 0
check_lines "empty stdin" 0
printf '\n' >lines
run_stdin lines tokenize -
check "one empty line" test "$(cat out)" = "49406 49407"
printf 'a\0b\n"quoted\\"\ttab\n' >lines
run_stdin lines tokenize --json -
check_code "a NUL" 0
check_json "a NUL" '[r["text"] for r in rows] == ["a\0b", "\"quoted\\\"\ttab"]'
printf 'hello\n' >lines
run_stdin lines tokenize --json "hello world" - "a photo of a dog"
check_json "- among texts" '[r["length"] for r in rows] == [4, 3, 7]'
# A line of 17 MB is refused, the one after it is done.
{
    head -c 17000000 /dev/zero | tr '\0' a
    printf '\nhello\n'
} >lines
run_stdin lines tokenize -
check_code "a huge line" 1
check_lines "a huge line" 1
check_err "a huge line" '^clipc: standard input: line 1 has [0-9]+ bytes or more$'

# What is not UTF-8.
printf 'hello\nab\377cd\nworld\n' >lines
run_stdin lines tokenize --json -
check_code "not UTF-8" 1
check_lines "not UTF-8, the rest is done" 2
check_err "not UTF-8" '^clipc: standard input, line 2: '
run_stdin lines tokenize --json --replace-invalid -
check_code "--replace-invalid" 0
check_lines "--replace-invalid" 3
check_json "--replace-invalid" 'rows[1]["text"] == "ab\ufffdcd"'

finish
