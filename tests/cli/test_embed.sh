#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `clipc embed`: rows and their order, .npy files, bad inputs among good ones.
. "$(dirname "$0")/lib.sh"

make_bmp red.bmp 20 16 250 20 20
make_bmp blue.bmp 17 33 20 20 250
printf 'not a picture' >bad.png
printf 'a red square\n\na blue square\n' >texts.txt

run info --json
check_code "info" 0
dim=$(sed 's/.*"embed_dim":\([0-9]*\).*/\1/' out)

run embed --json blue.bmp --text "a circle" --texts texts.txt --text "a line" red.bmp
check_code "order" 0
check_lines "order" 7
check_json "keys" 'list(row) == ["kind", "source", "embedding"]'
check_json "order" '[r["source"] for r in rows] == ["a circle", "a red square", "",
    "a blue square", "a line", "blue.bmp", "red.bmp"]'
check_json "kinds" '[r["kind"] for r in rows][-3:] == ["text", "image", "image"]'
check_json "size" "all(len(r['embedding']) == $dim for r in rows)"
check_json "length 1" 'all(abs(math.hypot(*r["embedding"]) - 1) < 1e-5 for r in rows)'
check_json "9 digits" 'max(len(repr(x).lstrip("-0.").split("e")[0].replace(".", "")) for r in rows
    for x in r["embedding"]) >= 8'
cp out all.json

run embed --json --raw red.bmp
check_code "raw" 0
check_json "raw points the same way" 'max(abs(a / math.hypot(*row["embedding"]) - b) for a, b in
    zip(row["embedding"], json.loads(open("all.json").readlines()[-1])["embedding"])) < 1e-6'
check_json "raw is not normalised" 'abs(math.hypot(*row["embedding"]) - 1) > 1e-4'

# One at a time and with one thread: the same bits.
run embed --json -j1 red.bmp
check "alone it is the same" test "$(cat out)" = "$(tail -n 1 all.json)"

run embed red.bmp --text "a circle"
check_code "plain" 0
check_lines "plain" 2
check_out "plain" "^a circle[[:blank:]]-?[0-9]"
check "plain: values" test "$(tail -n 1 out | cut -f 2 | wc -w)" -eq "$dim"

# .npy
run embed -o rows.npy --texts texts.txt red.bmp blue.bmp
check_code "npy" 0
check_lines "npy: nothing on stdout" 0
check_npy "npy" rows.npy "shape == (5, $dim)"
check_npy "npy" rows.npy "all(abs(math.hypot(*values[i * $dim:(i + 1) * $dim]) - 1) < 1e-5
    for i in range(5))"
run embed --json -o rows2.npy --texts texts.txt red.bmp blue.bmp
check "npy is written again the same" cmp -s rows.npy rows2.npy
check_json "npy has what JSON has" 'len(rows) == 5'
check "no temporary file" no_leftovers

# Bad inputs: reported, a row of zeros, the rest done.
mkdir folder
long=$(printf 'word %.0s' {1..100})
run embed -q --json -o some.npy --text "a circle" --text "$long" \
    red.bmp bad.png folder none.png blue.bmp
check_code "some fail" 1
check_lines "some fail" 3
check_err "too long" '^clipc: text 2: .*too long'
check_err "no picture" '^clipc: .*bad\.png'
check_err "a folder" '^clipc: folder: is a directory'
check_err "not there" '^clipc: .*none\.png'
check "one line each" test "$(wc -l <err)" -eq 4
check_npy "some fail" some.npy "shape == (7, $dim) and [any(values[i * $dim:(i + 1) * $dim])
    for i in range(7)] == [True, False, True, False, False, False, True]"
run embed --truncate --text "$long"
check_code "--truncate" 0

run embed --texts none.txt red.bmp
check_code "no such list" 1
check_err "no such list" '^clipc: none\.txt: cannot open: '
run embed -o no/such/folder/x.npy red.bmp
check_code "output cannot be created" 3
if [ -w /dev/full ]; then
    run embed -o /dev/full red.bmp
    check_code "output is full" 3
    check "a device stays one" test -c /dev/full
fi
printf 'old' >keep.npy
run embed -m none.pt -o keep.npy red.bmp
check_code "the model fails" 3
check "the old file stays" test "$(cat keep.npy)" = old
ln -s real.npy link.npy
printf 'old' >real.npy
run embed -o link.npy red.bmp
check "a link stays one" test -L link.npy
check_npy "through a link" real.npy "shape == (1, $dim)"
run embed --dtype int8 --text a
check "a dtype is done, or refused as such" test "$code" -eq 0 -o "$code" -eq 3

# One tower alone: the same bits, and an error where the other one is needed.
run embed --json --tower image red.bmp
check_code "--tower image" 0
check "--tower image: the same" test "$(cat out)" = "$(tail -n 1 all.json)"
run embed --json --tower text --text "a circle"
check_code "--tower text" 0
check "--tower text: the same" test "$(cat out)" = "$(head -n 1 all.json)"
run embed --tower image --text "a circle" red.bmp
check_code "--tower image for a text" 2
check_err "--tower image for a text" '^clipc: embed: --tower: texts need the other one'
run embed --tower text red.bmp
check_code "--tower text for a picture" 2

# More than a batch.
cp red.bmp "$(printf 'p%02d.bmp' 0)"
for i in {1..20}; do
    cp blue.bmp "$(printf 'p%02d.bmp' "$i")"
done
run embed --json p*.bmp
check_code "21 pictures" 0
check_json "21 pictures" 'len(rows) == 21 and rows[1]["embedding"] == rows[20]["embedding"]'
for i in {1..150}; do
    echo "picture $i"
done >many.txt
run embed -o many.npy --texts many.txt
check_code "150 texts" 0
check_npy "150 texts" many.npy "shape == (150, $dim)"
check "no temporary file" no_leftovers

# The picture's tensor.
run preprocess red.bmp -o red.npy
check_code "preprocess" 0
check_npy "preprocess" red.npy 'len(shape) == 3 and shape[0] == 3 and shape[1] == shape[2]'
check_npy "preprocess: red is high" red.npy 'sum(values[:shape[1] ** 2]) >
    sum(values[shape[1] ** 2:2 * shape[1] ** 2])'
run preprocess bad.png -o bad.npy
check_code "preprocess what is no picture" 1
check "no file" test ! -e bad.npy

finish
