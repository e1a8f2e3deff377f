#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `clipc classify`: its forms, numbers that agree with each other, what people see.
. "$(dirname "$0")/lib.sh"

make_bmp red.bmp 24 24 250 20 20
make_bmp blue.bmp 40 20 20 20 250
printf 'not a picture' >bad.png
printf 'apple\r\n\nboat\nsun\n' >labels.txt

run classify --json red.bmp "an apple" "a boat" "the sun"
check_code "JSON" 0
check_lines "JSON" 1
check_json "keys" 'list(row) == ["image", "labels", "logits", "probs"]'
check_json "values" 'row["image"] == "red.bmp" and
    row["labels"] == ["an apple", "a boat", "the sun"]'
check_json "sum" 'abs(sum(row["probs"]) - 1) < 1e-5 and len(row["logits"]) == 3'
check_json "softmax" 'max(abs(math.exp(a - max(row["logits"])) / sum(
    math.exp(b - max(row["logits"])) for b in row["logits"]) - p)
    for a, p in zip(row["logits"], row["probs"])) < 1e-5'
cp out three.json

# Logits are the scaled cosines of what embed and info print.
run embed --json --text "an apple" red.bmp
cp out vectors.json
run info --json
cp out info.json
cp three.json out
check_json "scaled cosine" '(lambda v, i: abs(math.exp(i["logit_scale"]) * sum(a * b for a, b in
    zip(v[0]["embedding"], v[1]["embedding"])) - row["logits"][0]) < 1e-3)(
    [json.loads(l) for l in open("vectors.json")], json.load(open("info.json")))'

run classify --json --labels labels.txt red.bmp bad.png blue.bmp
check_code "a list of labels" 1
check_lines "a list of labels, the rest is done" 2
check_json "a list of labels" 'row["labels"] == ["apple", "boat", "sun"]'
check_json "pictures" '[r["image"] for r in rows] == ["red.bmp", "blue.bmp"]'
check_err "the bad one" '^clipc: .*bad\.png'

run classify --json --labels labels.txt --template "a drawing of a {}." red.bmp
check_code "a template" 0
cp out by_template.json
run classify --json red.bmp "a drawing of a apple." "a drawing of a boat." "a drawing of a sun."
check_json "a template is the text" 'max(abs(a - b) for a, b in zip(row["logits"],
    json.load(open("by_template.json"))["logits"])) < 1e-3'
run classify --json --labels labels.txt --templates imagenet7 --template "a {}" red.bmp
check_code "a set of templates" 0
check_json "a set of templates" 'row["labels"] == ["apple", "boat", "sun"]'
run classify --json --classes cifar10 --templates cifar10 red.bmp blue.bmp
check_code "a built-in list" 0
check_json "a built-in list" 'len(rows) == 2 and len(row["labels"]) == 10'

run classify --labels labels.txt --templates nonesuch red.bmp
check_code "no such set" 2
check_err "no such set" 'nonesuch is not one of .*imagenet'
run classify --classes nonesuch red.bmp
check_code "no such list" 2
run classify --labels labels.txt --template "no place" red.bmp
check_code "a template without {}" 2
run classify --labels labels.txt --classes cifar10 red.bmp
check_code "labels twice" 2
run classify --labels none.txt red.bmp
check_code "labels that are not there" 1
printf '\n\n' >empty.txt
run classify --labels empty.txt red.bmp
check_code "no label" 1
printf 'a\0b\n' >nul.txt
run classify --labels nul.txt red.bmp
check_code "a label with a NUL" 1
check_err "a label with a NUL" 'nul\.txt, line 1: '
long=$(printf 'word %.0s' {1..100})
run classify red.bmp "$long"
check_code "a label that is too long" 1
run classify --truncate red.bmp "$long" b
check_code "--truncate" 0
run classify bad.png a b
check_code "the only picture is bad" 1
run classify -m none.pt red.bmp a b
check_code "no model" 3

# For people: the name, sorted bars, percent, label.
run classify red.bmp "an apple" "a boat" "the sun"
check_code "plain" 0
check_lines "plain" 4
check "the name first" test "$(head -n 1 out)" = red.bmp
check_out "plain" '^  #* +[0-9]+\.[0-9] %  (an apple|a boat|the sun)$'
check "sorted" test "$(sed -n 's/.* \([0-9.]*\) %.*/\1/p' out)" = \
    "$(sed -n 's/.* \([0-9.]*\) %.*/\1/p' out | sort -rn)"
check "no colours" test -z "$(tr -d '[:print:]\n' <out)"
run classify --classes cifar100 red.bmp
check_lines "5 of 100" 6
run classify --classes cifar100 --top 12 red.bmp blue.bmp
check_lines "12 of 100, twice" 27
LC_ALL=C.UTF-8 run classify red.bmp "an apple"
check_out "blocks" '████'

# Many pictures.
for i in {1..20}; do
    cp blue.bmp "p$i.bmp"
done
run classify --json --labels labels.txt p*.bmp
check_code "20 pictures" 0
check_json "20 pictures" 'len(rows) == 20 and all(r["logits"] == row["logits"] for r in rows)'

finish
