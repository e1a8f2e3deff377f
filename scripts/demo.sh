#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `make demo` shows: pictures of the repository classified by the small model that ships. Each
# command line stands before its output, so that it can be typed again.
#
#     demo.sh CLIPC
set -euo pipefail

clipc=${1:?usage: demo.sh CLIPC}
pictures=models/tiny/pictures
unset CLIPC_MODEL

# Prints a command as one would type it, then runs it.
show() {
    local word line='$'
    for word in "$@"; do
        if [[ $word =~ ^[A-Za-z0-9_./=-]+$ ]]; then
            line+=" $word"
        else
            line+=" \"$word\""
        fi
    done
    printf '\n%s\n' "$line"
    "$@"
}

show "$clipc" classify --template "a drawing of {}" "$pictures/boat.png" \
    "a sailing boat" "a red apple" "a cat" "a house" "a hot air balloon" "a bicycle" "a tree" \
    "a fish"
labels=$(dirname "$clipc")/labels.txt
printf '%s\n' apple boat cat house balloon bicycle tree fish >"$labels"
for picture in apple cat house bicycle; do
    set -- "$@" "$pictures/$picture.png"
done
shift
printf '\nMore pictures, eight labels in two templates, the best two of each:\n'
show "$clipc" classify --labels "$labels" --template "a drawing of a {}" \
    --template "an icon of a {}" --top 2 "$@"

printf '\nThe model is small: it knows drawings, icons and emoji, not photographs, and is sure of\n'
printf 'few things (models/tiny/README.md says how few).\n'
printf '"%s pull ViT-B/32" fetches one that is for photographs; "-m ViT-B/32" uses it.\n' "$clipc"
