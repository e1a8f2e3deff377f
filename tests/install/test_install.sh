#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs a build into a temporary folder, moves that, and builds the example against it as users
# do: with pkg-config, with the static library, and with CMake's find_package.
#
#     test_install.sh BUILD
set -euo pipefail

build=$(realpath "${1:?usage: test_install.sh BUILD}")
source=$(realpath "$(dirname "$0")/../..")
picture=$source/models/tiny/pictures/boat.png
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-cc}

unset CLIPC_MODEL CLIPC_CACHE DESTDIR
export HOME=$work

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

cmake --install "$build" --prefix "$work/first" >"$work/install.log" ||
    fail "$(tail -n 5 "$work/install.log")"
mv "$work/first" "$work/prefix"
prefix=$work/prefix

for file in bin/clipc include/clipc.h share/man/man1/clipc.1 share/man/man3/libclipc.3 \
    share/bash-completion/completions/clipc share/zsh/site-functions/_clipc; do
    [ -s "$prefix/$file" ] || fail "$file is not installed"
done
config=$(find "$prefix" -name clipc.pc)
libraries=$(dirname "$(dirname "$config")")
[ -e "$libraries/libclipc.so" ] || fail 'libclipc.so is not installed'
[ -e "$libraries/libclipc.a" ] || fail 'libclipc.a is not installed'
export PKG_CONFIG_PATH=$libraries/pkgconfig

version=$("$prefix/bin/clipc" --version)
[[ $version == *"$(pkg-config --modversion clipc)"* ]] || fail "clipc.pc is not of $version"

# works NAME PROGRAM: it classifies a picture, says what is wrong otherwise, and with which code.
works() {
    local name=$1 program=$2 code=0
    "$program" "$picture" boat apple >"$work/out" || fail "$name: the example fails"
    grep -q '%  boat$' "$work/out" || fail "$name: no probability of a boat"
    "$program" "$work/none.png" boat >"$work/out" 2>"$work/err" || code=$?
    [ "$code" -eq 1 ] || fail "$name: exit code $code for a missing picture"
    grep -q 'none\.png: ' "$work/err" || fail "$name: the error does not name the picture"
    code=0
    "$program" 2>"$work/err" || code=$?
    [ "$code" -eq 2 ] || fail "$name: exit code $code without arguments"
    printf 'ok: %s\n' "$name"
}

example=$source/examples/classify.c
# pkg-config prints several words.
# shellcheck disable=SC2046
"$cc" "$example" -o "$work/shared" $(pkg-config --cflags --libs clipc) \
    -Wl,-rpath,"$libraries" || fail 'pkg-config: the example does not build'
works 'pkg-config, shared' "$work/shared"

# libclipc.a with the shared libraries of others: `pkg-config --static` would ask for theirs, too,
# which distributions do not have complete.
# shellcheck disable=SC2046
"$cc" "$example" -o "$work/static" $(pkg-config --cflags clipc) -L"$libraries" -l:libclipc.a \
    $(pkg-config --libs $(pkg-config --print-requires-private clipc)) \
    $(sed -n 's/^Libs.private: //p' "$config") ||
    fail 'the example does not build with libclipc.a'
works 'libclipc.a' "$work/static"

mkdir "$work/project"
cat >"$work/project/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.22)
project(user LANGUAGES C)
find_package(clipc 0.1 REQUIRED)
add_executable(classify $example)
target_link_libraries(classify PRIVATE clipc::clipc)
END
{
    cmake -S "$work/project" -B "$work/project/build" -DCMAKE_PREFIX_PATH="$prefix" &&
        cmake --build "$work/project/build"
} >"$work/cmake.log" 2>&1 || fail "find_package: $(tail -n 20 "$work/cmake.log")"
works 'find_package' "$work/project/build/classify"

# Completion takes its words from the command.
complete_words() {
    PATH=$prefix/bin:$PATH bash -c '
        . "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _clipc; echo "${COMPREPLY[@]}"' \
        _ "$prefix/share/bash-completion/completions/clipc" "$@"
}
[[ $(complete_words clipc cl) == classify ]] || fail 'completion of a command'
[[ $(complete_words clipc classify --templ) == '--template --templates' ]] ||
    fail 'completion of an option'
[[ $(complete_words clipc embed --dtype f) == f32 ]] || fail 'completion of a choice'
[[ $(complete_words clipc classify --templates imagenet) == 'imagenet imagenet7' ]] ||
    fail 'completion of a template set'
[[ $(complete_words clipc pull ViT-B) == 'ViT-B/32 ViT-B/16' ]] || fail 'completion of a model'
printf 'ok: completion\n'
