# SPDX-License-Identifier: MIT
# bash completion for clipc. Commands, options and their values are what the command itself prints,
# so that nothing here can be out of date. A wrong value makes it list the right ones.

_clipc_commands() {
    "$1" --help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p'
}

_clipc_options() {
    "$1" "$2" --help 2>/dev/null | sed -n '/^options:/,/^$/s/^ [ a-z,-]* \(--[a-z][a-z-]*\) .*/\1/p'
}

# _clipc_values CLIPC COMMAND ARGUMENT...: from "... one of A, B, C, not ?" and the like.
_clipc_values() {
    "$@" 2>&1 </dev/null | sed -n 's/.* one of \(.*\)/\1/p' | sed 's/, not .*//; s/;.*//; s/,//g'
}

_clipc_models() {
    "$1" models --json 2>/dev/null | sed -n 's/^{"name":"\([^"]*\)".*/\1/p'
}

_clipc() {
    local clipc=${COMP_WORDS[0]} command=${COMP_WORDS[1]-}
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local words='' files=yes

    clipc=${clipc/#\~/$HOME}
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="$(_clipc_commands "$clipc") --help --version"
        files=
    elif [ "$command" = help ]; then
        words=$(_clipc_commands "$clipc")
        files=
    else
        case $previous in
        -m | --model) words=$(_clipc_models "$clipc") ;;
        --dtype | --activation | --tower | --layout | --what | --classes)
            words=$(_clipc_values "$clipc" "$command" "$previous" '?')
            files=
            ;;
        --templates)
            words=$(_clipc_values "$clipc" "$command" --classes mnist --templates '?' picture)
            files=
            ;;
        --template | --text | --url | --top | --batch | --seconds | --context | -j | --threads)
            return
            ;;
        *)
            case $current in
            -*)
                words=$(_clipc_options "$clipc" "$command")
                files=
                ;;
            *)
                case $command in
                pull)
                    words=$(_clipc_models "$clipc")
                    files=
                    ;;
                info) words=$(_clipc_models "$clipc") ;;
                models | version | bench) files= ;;
                esac
                ;;
            esac
            ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    if [ -n "$files" ]; then
        compopt -o filenames 2>/dev/null
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
    fi
}

complete -F _clipc clipc
