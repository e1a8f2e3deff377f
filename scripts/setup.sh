#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the Debian packages that clipc needs and that are missing. Asks for nothing; where all is
# there it does nothing. On other systems it looks for the same things and says what is missing.
#
#     setup.sh [--lint] [--fuzz]    also what `make lint`, `make fuzz` need
set -euo pipefail

packages=(cmake ninja-build pkg-config
    libjpeg62-turbo-dev libpng-dev libwebp-dev libgif-dev libtiff-dev
    libpcre2-dev libunistring-dev zlib1g-dev libcjson-dev
    libcurl4-openssl-dev libssl-dev ca-certificates libcmocka-dev libsimde-dev)
commands=(cmake pkg-config cc)
modules=(libjpeg libpng libwebp libwebpdemux libtiff-4 libpcre2-8 zlib libcjson libcurl libcrypto
    cmocka)
headers=(unicase.h gif_lib.h)

for argument in "$@"; do
    case $argument in
    --lint)
        packages+=(clang-format clang-tidy cppcheck shellcheck python3 git)
        commands+=(clang-format clang-tidy cppcheck shellcheck python3 git)
        ;;
    --fuzz)
        packages+=(clang libclang-rt-14-dev)
        commands+=(clang)
        ;;
    *)
        printf 'usage: setup.sh [--lint] [--fuzz]\n' >&2
        exit 2
        ;;
    esac
done

# On Debian: the missing packages into the array `missing`.
find_missing_packages() {
    local package status
    missing=()
    if ! command -v cc >/dev/null; then
        packages+=(gcc libc6-dev)
    fi
    for package in "${packages[@]}"; do
        status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        if [ "$status" != installed ]; then
            missing+=("$package")
        fi
    done
}

# Elsewhere: the missing commands, pkg-config modules and headers.
find_missing_things() {
    local thing
    missing=()
    for thing in "${commands[@]}"; do
        command -v "$thing" >/dev/null || missing+=("$thing")
    done
    for thing in "${modules[@]}"; do
        pkg-config --exists "$thing" 2>/dev/null || missing+=("$thing")
    done
    for thing in "${headers[@]}"; do
        printf '#include <stdio.h>\n#include <%s>\n' "$thing" |
            cc -E -o /dev/null - 2>/dev/null || missing+=("$thing")
    done
}

install_missing() {
    local -a as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            printf 'setup: not root and no sudo here; as root, run\n    apt-get install %s\n' \
                "${missing[*]}" >&2
            exit 1
        fi
        as_root=(sudo)
    fi
    as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -q
        -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
    printf 'setup: installing Debian packages: %s\n' "${missing[*]}"
    # A list that cannot be updated matters only when the packages then cannot be had.
    "${as_root[@]}" update || printf 'setup: apt-get update failed; going on\n' >&2
    "${as_root[@]}" install -y --no-install-recommends "${missing[@]}"
}

if [ -r /etc/os-release ] && grep -qx 'ID=debian' /etc/os-release; then
    find_missing_packages
    if [ ${#missing[@]} -eq 0 ]; then
        printf 'setup: all packages are there\n'
        exit 0
    fi
    install_missing
    printf 'setup: done\n'
else
    find_missing_things
    if [ ${#missing[@]} -gt 0 ]; then
        printf 'setup: this is not Debian; please install what gives: %s\n' "${missing[*]}" >&2
        printf "setup: Debian's packages for all of it are: %s\n" "${packages[*]}" >&2
        exit 1
    fi
    printf 'setup: all libraries are there\n'
fi
