#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the Debian packages that clipc needs and that are missing. Asks for nothing; where all is
# there it does nothing. On other systems it looks for the same things and says what is missing.
#
#     setup.sh [--lint] [--fuzz] [--arm]    also what `make lint`, `make fuzz`, `make arm` need
set -euo pipefail

libraries=(libjpeg62-turbo-dev libpng-dev libwebp-dev libgif-dev libtiff-dev
    libpcre2-dev libunistring-dev zlib1g-dev libcjson-dev
    libcurl4-openssl-dev libssl-dev libcmocka-dev)
packages=(cmake ninja-build pkg-config ca-certificates libsimde-dev "${libraries[@]}")
foreign= # a further architecture to have libraries of
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
    --arm)
        foreign=arm64
        packages+=(gcc-aarch64-linux-gnu qemu-user libc6-dev:arm64 "${libraries[@]/%/:arm64}")
        commands+=(aarch64-linux-gnu-gcc qemu-aarch64)
        ;;
    *)
        printf 'usage: setup.sh [--lint] [--fuzz] [--arm]\n' >&2
        exit 2
        ;;
    esac
done

# On Debian: the missing packages into the array `missing`.
find_missing_packages() {
    local package native architecture
    native=$(dpkg --print-architecture)
    missing=()
    if ! command -v cc >/dev/null; then
        packages+=(gcc libc6-dev)
    fi
    for package in "${packages[@]}"; do
        architecture=$native
        case $package in *:*) architecture=${package#*:} ;; esac
        dpkg-query -W -f '${Architecture} ${db:Status-Status}\n' "$package" 2>/dev/null |
            grep -qxE "($architecture|all) installed" || missing+=("$package")
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
    local -a as_root=() apt
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            printf 'setup: not root and no sudo here; as root, run\n' >&2
            [ -z "$foreign" ] || printf '    dpkg --add-architecture %s\n' "$foreign" >&2
            printf '    apt-get install %s\n' "${missing[*]}" >&2
            exit 1
        fi
        as_root=(sudo)
    fi
    apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q
        -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
    [ -z "$foreign" ] || "${as_root[@]}" dpkg --add-architecture "$foreign"
    printf 'setup: installing Debian packages: %s\n' "${missing[*]}"
    # A list that cannot be updated matters only when the packages then cannot be had.
    "${apt[@]}" update || printf 'setup: apt-get update failed; going on\n' >&2
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
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
