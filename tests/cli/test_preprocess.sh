#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `clipc preprocess`: the tensor it writes is the original's; --exif; what goes wrong. And pictures
# that cannot be read among others, for the commands that take several.
pictures=$(realpath "$(dirname "$0")")/../reference/data/pictures
. "$(dirname "$0")/lib.sh"

# expected.txt has sums of tensors of several sizes; the built-in model has this one.
side=64

# tensor_sum FILE: CRC-32 of the floats of a .npy file, by way of gzip's trailer.
tensor_sum() {
    tail -c $((4 * 3 * side * side)) "$1" | gzip -c | tail -c 8 | head -c 4 | od -An -tx1 |
        awk '{ print $4 $3 $2 $1 }'
}

# expected_sum FILE EXIF
expected_sum() {
    awk -v file="$1" -v side="$side" -v exif="$2" \
        '$1 == file && $2 == side && $3 == exif { print $5 }' "$pictures/expected.txt"
}

run info --json
check_code "info" 0
check_json "the size that expected.txt is read for" "row['image_size'] == $side"

# One of each format, and of the shapes that are hard to crop.
for file in jpeg_own_420.jpg png_type4_8_interlaced.png webp_lossless.webp \
    gif_offset_transparent.gif bmp_rle4.bmp tiff_rgb16_be.tiff shape_1x300_type3_8.png \
    shape_71x234_type6_8.png; do
    run preprocess "$pictures/$file" -o out.npy
    check_code "$file" 0
    check_npy "$file" out.npy "shape == (3, $side, $side)"
    check "$file: the original's floats" test "$(tensor_sum out.npy)" = "$(expected_sum $file 0)"
    check_lines "$file: nothing on stdout" 0
done

# A picture of less than four times the size has nothing to be decoded faster.
run preprocess "$pictures/jpeg_own_420.jpg" -o fast.npy --fast-decode
check_code "--fast-decode" 0
check "--fast-decode" test "$(tensor_sum fast.npy)" = "$(expected_sum jpeg_own_420.jpg 0)"

# EXIF's rotation is applied when it is asked for.
for file in jpeg_exif_4.jpg png_exif_3_late.png; do
    run preprocess "$pictures/$file" -o upright.npy --exif
    check_code "$file --exif" 0
    check "$file --exif" test "$(tensor_sum upright.npy)" = "$(expected_sum $file 1)"
    run preprocess "$pictures/$file" -o stored.npy
    check "$file as stored" test "$(tensor_sum stored.npy)" = "$(expected_sum $file 0)"
    check "$file: they differ" test "$(expected_sum $file 0)" != "$(expected_sum $file 1)"
done

run preprocess --json "$pictures/bmp_1.bmp" -o out.npy
check_code "--json" 0
check_json "--json" "row['image'].endswith('bmp_1.bmp') and row['output'] == 'out.npy' and
    row['shape'] == [3, $side, $side]"

# Usage.
run preprocess
check_code "no picture" 2
run preprocess "$pictures/bmp_1.bmp"
check_code "no output" 2
check_err "no output" '-o OUT\.npy is missing'
run preprocess a.png b.png -o out.npy
check_code "two pictures" 2
check_err "two pictures" 'wants one picture, 2 were given'

# Bad pictures: one line, exit code 1, no output and no half of one.
: >empty.png
printf 'not a picture' >other.png
head -c 300 "$pictures/jpeg_own_420.jpg" >short.jpg
head -c 200 "$pictures/png_type4_8_interlaced.png" >short.png
{
    printf '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xea\x60\0\0\xea\x60\x08\x02\0\0\0'
    printf '\x0f\xb0\xe2\x15'
} >huge.png
mkdir folder
while read -r file message; do
    run preprocess "$file" -o bad.npy
    check_code "$file" 1
    check_err "$file" "^clipc: $file: $message"
    check "$file: one line" test "$(wc -l <err)" -eq 1
    check "$file: no output" test ! -e bad.npy
done <<'END'
empty.png the file is empty
other.png not a picture; JPEG, PNG, WebP, GIF, BMP or TIFF was expected
short.jpg damaged JPEG: it ends early
short.png damaged PNG: it ends early
huge.png has 60000 x 60000 pixels, more than the limit of 178956970
folder is a directory, a file was expected
none.png cannot open: No such file or directory
END
check "no temporary file" no_leftovers

# An earlier output stays when the next picture fails; one that cannot be written is exit code 3.
printf 'old' >keep.npy
run preprocess short.jpg -o keep.npy
check "the old file stays" test "$(cat keep.npy)" = old
run preprocess "$pictures/bmp_1.bmp" -o no/such/folder/x.npy
check_code "output cannot be created" 3
run preprocess -m none.pt "$pictures/bmp_1.bmp" -o out.npy
check_code "no such model" 3

# Among others: the rest is done, each bad one has its line.
good=("$pictures/jpeg_own_420.jpg" "$pictures/webp_lossless.webp")
bad=(empty.png short.jpg huge.png folder)
run classify -q --json --labels <(printf 'one\ntwo\n') \
    "${good[0]}" "${bad[0]}" "${bad[1]}" "${good[1]}" "${bad[2]}" "${bad[3]}"
check_code "classify" 1
check_lines "classify: the good ones" 2
for file in "${bad[@]}"; do
    check_err "classify" "^clipc: $file: "
done
check "classify: one line a bad one" test "$(grep -c '^clipc: ' err)" -eq 4
run embed -q --json "${bad[@]}" "${good[@]}"
check_code "embed" 1
check_lines "embed: the good ones" 2
check "embed: one line a bad one" test "$(grep -c '^clipc: ' err)" -eq 4

finish
