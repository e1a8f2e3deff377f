#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `clipc pull`: a file that is not the model gets no final name; `convert` with bad input.
. "$(dirname "$0")/lib.sh"

export CLIPC_CACHE=$work/cache
printf 'this is not the model\n' >wrong.pt

run pull RN50 --url "file://$work/wrong.pt"
check_code "another file" 3
check_err "another file" '^clipc: .*RN50'
check "another file: one line" test "$(wc -l <err)" -eq 1
check "another file: no final name" test ! -e cache/RN50.pt
run models --json
check_json "it is not cached" '[r["cached"] for r in rows if r["name"] == "RN50"] == [False]'
run info RN50
check_code "a model that is not here" 3

run pull RN50 --url "file://$work/none.pt"
check_code "no such file" 3
check "no such file: no final name" test ! -e cache/RN50.pt
run pull nonesuch
check_code "no such model" 3
check_err "no such model" '^clipc: nonesuch: '
run pull tiny
check_code "the built-in model" 0
check_out "the built-in model" '^tiny: built in$'
run pull -q tiny
check_lines "-q" 0
run pull --json tiny
check_json "JSON" 'row == {"name": "tiny", "path": None}'

# What is in the cache under the name is known as cached.
mkdir -p cache
printf 'x' >cache/RN50.pt
run models --json
check_json "it is cached" '[r["cached"] for r in rows if r["name"] == "RN50"] == [True]'
run pull tiny RN50 --json --url "file://$work/wrong.pt"
check_code "--url with two models" 2

run convert none.pt out.safetensors
check_code "convert what is not there" 3
check_err "convert what is not there" '^clipc: .*none\.pt'
run convert wrong.pt out.safetensors
check_code "convert what is no model" 3
check "convert: no file" test ! -e out.safetensors

finish
