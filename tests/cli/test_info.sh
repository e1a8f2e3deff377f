#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `clipc info`, `models`, `version` and `bench`: what they print, and files that are no model.
. "$(dirname "$0")/lib.sh"

run info --json
check_code "info" 0
check_lines "info" 1
check_json "keys" 'set("""arch embed_dim image_size patch_size vision_layers vision_width
    context_length vocab_size text_width text_layers text_heads activation logit_scale
    params mean std format layout""".split()) <= set(row)'
check_json "numbers" 'all(isinstance(row[k], int) and row[k] > 0 for k in """embed_dim image_size
    vision_width context_length vocab_size text_width text_layers text_heads params""".split())'
check_json "activation" 'row["activation"] in ("quickgelu", "gelu")'
check_json "a ViT" 'isinstance(row["vision_layers"], int) and row["patch_size"] > 0'
check_json "logit scale" '0 < row["logit_scale"] < 5'
check_json "mean and std" 'len(row["mean"]) == len(row["std"]) == 3 and min(row["std"]) > 0'
cp out by_default.json

for arguments in "info tiny --json" "info -m tiny --json"; do
    # shellcheck disable=SC2086
    run $arguments
    check_code "$arguments" 0
    check "$arguments: the same" cmp -s out by_default.json
done
CLIPC_MODEL=none.pt run info tiny
check_code "the operand goes before \$CLIPC_MODEL" 0
run info --json --activation gelu
check_json "--activation" 'row["activation"] == "gelu"'
run info --json --activation quickgelu
check_json "--activation" 'row["activation"] == "quickgelu"'

run info
check_code "the table" 0
check_out "the table" '^architecture +ViT'
check_out "the table" '^parameters +[0-9.]+ M$'

run info none.pt
check_code "not there" 3
check_err "not there" '^clipc: .*none\.pt'
printf 'this is no model\n' >text.pt
run info text.pt
check_code "no model" 3
check_err "no model" '^clipc: .*text\.pt'
: >empty.safetensors
run info empty.safetensors
check_code "an empty file" 3
mkdir folder
run info folder
check_code "an empty folder" 3

run models --json
check_code "models" 0
check_json "keys" 'all(list(r) == "name arch params bytes sha256 url cached".split() for r in rows)'
check_json "tiny" '[(r["params"] > 0, r["sha256"], r["url"], r["cached"]) for r in rows
    if r["name"] == "tiny"] == [(True, None, None, True)]'
check_json "the nine" '{"RN50", "RN101", "RN50x4", "RN50x16", "RN50x64", "ViT-B/32", "ViT-B/16",
    "ViT-L/14", "ViT-L/14@336px"} <= {r["name"] for r in rows if not r["cached"]
    and len(r["sha256"]) == 64 and r["url"].startswith("https://")}'
run models
check_code "models" 0
check_out "models" '^ViT-B/32 .* -$'
check_out "models" '^tiny .* built in$'

for what in image text preprocess tokenize load; do
    run bench --json --what $what --batch 2 --seconds 0.05
    check_code "bench $what" 0
    check_json "bench $what" "list(row) == '''what batch dtype threads median_ms items_per_s gflops
        peak_rss_mb'''.split()"
    check_json "bench $what" "row['what'] == '$what' and row['batch'] == 2 and row['threads'] > 0
        and row['median_ms'] > 0 and row['peak_rss_mb'] > 0 and row['dtype'] == 'f32'"
    check_json "bench $what" "abs(2000 / row['median_ms'] / row['items_per_s'] - 1) < 1e-3"
    check_json "bench $what" "(row['gflops'] is not None) == ('$what' in ('image', 'text'))"
done
run bench --seconds 0.05
check_code "bench" 0
check_out "bench" '^image: batch 1, f32, .* a second'

for tower in image text; do
    run bench --seconds 0.05 --what load --tower $tower
    check_code "bench --what load --tower $tower" 0
done
run bench --what text --tower image
check_code "bench --what text --tower image" 2

# Where the time goes.
for what in image text; do
    run bench --json --what $what --batch 3 --seconds 0.05 --profile
    check_code "bench --profile $what" 0
    check_json "bench --profile $what" "row['what'] == '$what' and len(rows) > 6 and all(list(r) ==
        'op shape depth calls ms share gflops gb_per_s'.split() for r in rows[1:])
        and abs(sum(r['share'] for r in rows[1:]) - 1) < 1e-6
        and [r['ms'] for r in rows[1:-1]] == sorted((r['ms'] for r in rows[1:-1]), reverse=True)
        and len({(r['op'], tuple(r['shape']), r['depth']) for r in rows[1:]}) == len(rows) - 1
        and all((r['op'] in ('linear', 'patch_embed')) == (r['depth'] is not None)
            for r in rows[1:])
        and rows[-1]['op'] == 'between ops'"
done
run bench --seconds 0.05 --profile
check_code "bench --profile" 0
check_out "bench --profile" '^ +ms +share +calls +GFLOP/s +GB/s +op and shape$'
check_out "bench --profile" '^ +[0-9.]+ +[0-9.]+% +6 +[0-9.]+ +[0-9.]+ +attention 65x192$'
check_out "bench --profile" '^ +[0-9.]+ +[0-9.]+% +0 +- +- +between ops$'
for what in preprocess tokenize load; do
    run bench --what $what --profile
    check_code "bench --what $what --profile" 2
done

finish
