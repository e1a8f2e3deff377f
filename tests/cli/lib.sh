# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the command's tests share. Each test is a bash script called with the path of clipc; it
# sources this file, makes its checks, and ends with `finish`.
set -u

clipc=$(realpath "${1:?the path of clipc is missing}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# Nothing of the machine's owner takes part.
unset CLIPC_MODEL CLIPC_CACHE XDG_CACHE_HOME CLIPC_CPU
export HOME=$work LC_ALL=C
checks=0
failures=0
code=0

python=$(command -v python3 || true)
if [ -n "$python" ] && ! "$python" -c 'import json, struct' 2>/dev/null; then
    python=
fi

# run ARGUMENT...: the command's output goes to the files out and err, its exit code to $code.
run() {
    "$clipc" "$@" >out 2>err </dev/null
    code=$?
}

# run_stdin FILE ARGUMENT...: the same with FILE as standard input.
run_stdin() {
    local input=$1
    shift
    "$clipc" "$@" >out 2>err <"$input"
    code=$?
}

# check NAME COMMAND...: the command has to succeed.
check() {
    local name=$1
    shift
    checks=$((checks + 1))
    if ! "$@" >check.log 2>&1; then
        failures=$((failures + 1))
        printf 'FAILED: %s\n' "$name"
        sed 's/^/    check:  /' check.log | head -n 5
        printf '    exit code %s\n' "$code"
        sed 's/^/    stdout: /' out 2>/dev/null | cut -c 1-200 | head -n 5
        sed 's/^/    stderr: /' err 2>/dev/null | cut -c 1-300 | head -n 5
    fi
}

check_code() {
    check "$1: exit code $2" test "$code" -eq "$2"
}

# check_out NAME PATTERN, check_err NAME PATTERN: an extended regular expression.
check_out() {
    check "$1: stdout has $2" grep -Eq -- "$2" out
}

check_err() {
    check "$1: stderr has $2" grep -Eq -- "$2" err
}

# check_lines NAME COUNT: lines on stdout.
check_lines() {
    check "$1: $2 lines" test "$(wc -l <out)" -eq "$2"
}

# check_json NAME EXPRESSION: Python; `rows` are the objects of stdout, `row` the first of them.
# Without Python it is only seen that each line looks like an object.
check_json() {
    if [ -z "$python" ]; then
        check "$1: JSON lines" test "$(grep -c '^{.*}$' out)" -eq "$(wc -l <out)"
        return
    fi
    check "$1: $2" "$python" -c '
import json, math, sys
rows = [json.loads(line) for line in open("out", encoding="utf-8", newline="\n")]
row = rows[0]
assert eval("(" + sys.argv[1] + ")"), str(row)[:400]' "$2"
}

# check_npy NAME FILE EXPRESSION: `shape` and `values` (flat) of the .npy file.
check_npy() {
    check "$1: $2 is there" test -s "$2"
    check "$1: $2 is a .npy" grep -aq NUMPY "$2"
    if [ -n "$python" ]; then
        check "$1: $3" "$python" -c '
import ast, math, struct, sys
data = open(sys.argv[1], "rb").read()
assert data[:8] == b"\x93NUMPY\x01\x00"
start = 10 + struct.unpack("<H", data[8:10])[0]
assert start % 64 == 0
header = ast.literal_eval(data[10:start].decode())
assert header["descr"] in ("<f4", ">f4") and header["fortran_order"] is False
shape = header["shape"]
count = math.prod(shape)
assert len(data) == start + 4 * count
values = struct.unpack(header["descr"][0] + "%df" % count, data[start:])
assert eval("(" + sys.argv[2] + ")"), (shape, values[:8])' "$2" "$3"
    fi
}

# byte N...: raw bytes on stdout.
byte() {
    local value
    for value in "$@"; do
        # shellcheck disable=SC2059
        printf "\\x$(printf '%02x' "$value")"
    done
}

le32() {
    byte $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255))
}

# make_bmp FILE WIDTH HEIGHT RED GREEN BLUE: a plain picture with a darker lower half.
make_bmp() {
    local file=$1 width=$2 height=$3 row=$(($2 * 3)) pad x y scale
    pad=$(((4 - row % 4) % 4))
    {
        printf 'BM'
        le32 $((54 + (row + pad) * height))
        le32 0
        le32 54
        le32 40
        le32 "$width"
        le32 "$height"
        byte 1 0 24 0
        le32 0
        le32 $(((row + pad) * height))
        le32 2835
        le32 2835
        le32 0
        le32 0
        for ((y = 0; y < height; y++)); do
            scale=$((y < height / 2 ? 1 : 2))
            for ((x = 0; x < width; x++)); do
                byte $(($6 * scale / 2)) $(($5 * scale / 2)) $(($4 * scale / 2))
            done
            for ((x = 0; x < pad; x++)); do
                byte 0
            done
        done
    } >"$file"
}

# leftovers: succeeds when a temporary file was left behind.
leftovers() {
    find . -name '*.tmp' | grep -q .
}

no_leftovers() {
    ! leftovers
}

finish() {
    printf '%s: %d checks, %d failed\n' "$(basename "$0" .sh)" "$checks" "$failures"
    test "$failures" -eq 0
    exit
}
