#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `clipc convert`: there and back between formats, layouts and number types; what it leaves behind
# when it fails, is interrupted, or the disk is full: nothing.
root=$(realpath "$(dirname "$0")/../..")
. "$(dirname "$0")/lib.sh"

tiny=$root/models/tiny/clipc-tiny.safetensors
picture=$root/models/tiny/pictures/boat.png
[ -f "$picture" ] || make_bmp picture.bmp 40 30 200 60 20
[ -f "$picture" ] || picture=$work/picture.bmp

# embeddings MODEL OUT: of a text and a picture.
embeddings() {
    run embed -m "$1" --text "a boat on the sea" -o "$2.text.npy"
    check_code "embed --text with $1" 0
    run embed -m "$1" "$picture" -o "$2.image.npy"
    check_code "embed a picture with $1" 0
}

# describe MODEL OUT: its info, without what a conversion changes.
describe() {
    run info --json "$1"
    check_code "info $1" 0
    sed 's/"format":"[^"]*"/"format":""/; s/"layout":"[^"]*"/"layout":""/' out >"$2"
}

# check_same NAME MODEL: info and embeddings as those of the input.
check_same() {
    describe "$2" described.json
    check "$1: the same info" cmp described.json in.json
    embeddings "$2" made
    check "$1: the same embedding of a text" cmp made.text.npy in.text.npy
    check "$1: the same embedding of a picture" cmp made.image.npy in.image.npy
}

describe "$tiny" in.json
embeddings "$tiny" in

# --- Formats and layouts ---

mkdir pt openai hf hf-bin back
run convert "$tiny" pt/model.pt
check_code "to .pt" 0
check_lines "to .pt" 0
check "to .pt: no configuration beside it, the tensors tell all" test "$(ls pt)" = model.pt
check_same "to .pt" pt/model.pt

run convert pt/model.pt openai/model.safetensors --json
check_code "to .safetensors" 0
check_json "to .safetensors" 'row == {"input": "pt/model.pt", "output": "openai/model.safetensors"}'
check "to .safetensors: the configuration is inside" test "$(ls openai)" = model.safetensors
check_same "to .safetensors" openai/model.safetensors

run convert "$tiny" hf/model.safetensors --layout huggingface
check_code "to Hugging Face's layout" 0
check "to Hugging Face's layout: configurations beside it" \
    test -s hf/config.json -a -s hf/preprocessor_config.json
check_same "to Hugging Face's layout" hf
run info hf --json
check_json "its layout" 'row["layout"] == "huggingface" and row["format"] == "safetensors"'

run convert "$tiny" hf-bin/pytorch_model.bin --layout huggingface
check_code "to Hugging Face's layout in .bin" 0
check_same "to Hugging Face's layout in .bin" hf-bin

run convert hf back/model.safetensors
check_code "back from Hugging Face's layout" 0
check "back: byte for byte what came from .pt" cmp back/model.safetensors openai/model.safetensors
run convert hf-bin/pytorch_model.bin back/model.safetensors
check_code "over an older file" 0
check "over an older file: the same" cmp back/model.safetensors openai/model.safetensors

# --- Number types ---

run convert "$tiny" f32.safetensors --dtype f32
check_code "to f32" 0
check_same "to f32" f32.safetensors
check "to f32: twice as large" \
    test "$(stat -c %s f32.safetensors)" -gt "$(($(stat -c %s "$tiny") * 3 / 2))"
run convert f32.safetensors f16.safetensors --dtype f16
check_code "to f16" 0
check "f16 to f32 and back: the same file" cmp f16.safetensors openai/model.safetensors
run convert "$tiny" bf16.pt --dtype bf16
check_code "to bf16" 0
run embed -m bf16.pt --text "a boat on the sea" --json
check_code "embed with bf16" 0
mv out bf16.json
run embed -m "$tiny" --text "a boat on the sea" --json
cat bf16.json >>out
check_json "bf16 is near" \
    'sum(a * b for a, b in zip(rows[0]["embedding"], rows[1]["embedding"])) > 0.999'

# --- What the tensors do not tell stands beside a state dict ---

mkdir gelu
run convert "$tiny" gelu/model.pt --activation gelu
check_code "--activation" 0
check "--activation: a configuration beside it" test -s gelu/open_clip_config.json
run info gelu/model.pt --json
check_json "--activation" 'row["activation"] == "gelu"'
run info gelu/model.pt --json --activation quickgelu
check_json "--activation goes before the configuration" 'row["activation"] == "quickgelu"'
run convert gelu/model.pt gelu.safetensors
check_code "from a file with a configuration" 0
run info gelu.safetensors --json
check_json "the configuration came along" 'row["activation"] == "gelu"'
run convert "$tiny" gelu/other.pt --activation gelu
check_code "another file with the same configuration" 0
printf '{"model_cfg": {}}\n' >gelu/open_clip_config.json
run convert "$tiny" gelu/third.pt --activation gelu
check_code "a configuration in the way" 3
check_err "a configuration in the way" \
    '^clipc: gelu/open_clip_config\.json: is there already and says something else'
check "a configuration in the way: no file" test ! -e gelu/third.pt

# --- Packed for use ---

mkdir packed
for dtype in f32 bf16 int8; do
    file=packed/$dtype.clipc
    run convert "$tiny" "$file" --dtype "$dtype" --json
    check_code "to .clipc in $dtype" 0
    check_json "to .clipc in $dtype" "row == {'input': '$tiny', 'output': '$file'}"
    run info "$file" --json --verify
    check_code "info --verify of $dtype" 0
    check_json "info of $dtype" "row['format'] == 'clipc' and row['dtype'] == '$dtype' and
        row['is_mapped'] is True"
    run embed -m "$tiny" --dtype "$dtype" "$picture" --text "a boat on the sea" -o wanted.npy
    check_code "embed in $dtype" 0
    run embed -m "$file" "$picture" --text "a boat on the sea" -o packed.npy
    check_code "embed with .clipc in $dtype" 0
    check "embed with .clipc in $dtype: not a remark" test ! -s err
    check "embed with .clipc in $dtype: the same" cmp packed.npy wanted.npy
    CLIPC_CPU=portable run embed -m "$file" "$picture" --text "a boat on the sea" -o packed.npy
    check_code "embed with .clipc in $dtype on another level" 0
    CLIPC_CPU=portable run embed -m "$tiny" --dtype "$dtype" "$picture" \
        --text "a boat on the sea" -o wanted.npy
    check "embed with .clipc in $dtype on another level: the same" cmp packed.npy wanted.npy
done
check "int8 is the smallest" \
    test "$(stat -c %s packed/int8.clipc)" -lt "$(stat -c %s packed/bf16.clipc)"
run convert tiny packed/named.clipc
check_code "a model by its name" 0
check "a model by its name: f32" cmp packed/named.clipc packed/f32.clipc
run embed -m packed/int8.clipc --dtype bf16 --text "a boat"
check_code "another --dtype" 3
check_err "another --dtype" '^clipc: packed/int8\.clipc: is packed for int8, .* for bf16$'
run convert "$tiny" packed/other.clipc --cpu portable --dtype int8
check_code "--cpu" 0
run info packed/other.clipc
check_code "info --cpu" 0
check_out "info --cpu" '^packed +for int8 in portable, '
run convert packed/other.clipc packed/again.clipc
check_code ".clipc for this processor" 0
check ".clipc for this processor: the same file" cmp packed/again.clipc packed/int8.clipc
run convert packed/f32.clipc out.safetensors
check_code "from .clipc" 3
check_err "from .clipc" '^clipc: packed/f32\.clipc: its weights are packed for use'
run convert "$tiny" packed/z80.clipc --cpu z80
check_code "an unknown level" 3
check_err "an unknown level" '^clipc: z80: no CPU level'
run convert "$tiny" out.pt --cpu avx2
check_code "--cpu for another format" 2
run convert "$tiny" out.clipc --dtype f16
check_code "f16 in .clipc" 2
run convert "$tiny" out.clipc --layout huggingface
check_code "--layout of .clipc" 2
run info "$tiny" --verify
check_code "--verify without checksums" 3
check_err "--verify without checksums" 'has no checksums to verify'
printf 'x' | dd of=packed/other.clipc bs=1 seek=200000 conv=notrunc 2>/dev/null
run info packed/other.clipc
check_code "damaged data are not looked at" 0
run info packed/other.clipc --verify
check_code "damaged data are found" 3
check_err "damaged data are found" 'is damaged: its bytes do not have the checksum'

# --- What fails leaves nothing ---

run convert none.pt out.safetensors
check_code "no such file" 3
check_err "no such file" '^clipc: none\.pt: cannot open: '
printf 'this is no model\n' >text.pt
run convert text.pt out.safetensors
check_code "no model" 3
check_err "no model" '^clipc: text\.pt: not a checkpoint'
run convert "$tiny" out.onnx
check_code "an unknown ending" 3
check_err "an unknown ending" \
    '^clipc: out\.onnx: .*\.safetensors, \.clipc, \.pt, \.pth or \.bin was'
run convert "$tiny" none/out.pt
check_code "no such folder" 3
check_err "no such folder" '^clipc: none/out\.pt: cannot create'
run convert "$tiny"
check_code "no OUT" 2
run convert "$tiny" out.pt --dtype int8
check_code "int8" 2
mkdir folder.pt
run convert "$tiny" folder.pt
check_code "a folder in the way" 3
head -c 100000 "$tiny" >cut.safetensors
run convert cut.safetensors out.pt
check_code "a truncated file" 3
check_err "a truncated file" '^clipc: cut\.safetensors: tensor .* outside the file'
check "a truncated file: no output" test ! -e out.pt

# A limit on the size of files stands in for a full disk.
mkdir full
for name in out.pt out.safetensors out.clipc; do
    layout=huggingface
    [ "$name" = out.clipc ] && layout=openai
    (
        trap '' XFSZ
        ulimit -f 4096
        exec "$clipc" convert "$tiny" "full/$name" --layout "$layout"
    ) >out 2>err
    code=$?
    check_code "a full disk, $name" 3
    check_err "a full disk, $name" "^clipc: full/$name: cannot write: "
    check "a full disk, $name: nothing is left" test -z "$(ls -A full)"
done
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=2m none full 2>/dev/null; then
    run convert "$tiny" full/out.pt --layout huggingface
    check_code "a full tmpfs" 3
    check_err "a full tmpfs" '^clipc: full/out\.pt: cannot write: No space left'
    check "a full tmpfs: nothing is left" test -z "$(ls -A full)"
    umount full
fi

# Ctrl-C in the middle. The conversion may be over before the signal comes: then once more.
mkdir stopped
for signal in INT TERM; do
    code=0
    for ((attempt = 0; attempt < 50 && code == 0; attempt++)); do
        rm -f stopped/*
        "$clipc" convert "$tiny" stopped/out.pt --dtype f32 --activation gelu >out 2>err &
        job=$!
        while kill -0 "$job" 2>/dev/null && ! compgen -G 'stopped/out.pt.*.tmp' >/dev/null; do
            :
        done
        kill -s "$signal" "$job" 2>/dev/null
        wait "$job"
        code=$?
    done
    check_code "SIG$signal" 130
    check_err "SIG$signal" '^clipc: stopped/out\.pt: cancelled$'
    check "SIG$signal: nothing is left" test -z "$(ls -A stopped)"
done
check "no temporary file is left" no_leftovers

finish
