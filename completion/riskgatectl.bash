# Completion of riskgatectl for bash. What may stand where, riskgatectl itself knows: its commands and options, and the
# names of alarms, points, devices and so on from the running daemon.

_riskgatectl()
{
    local current=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]/#\~/$HOME} line
    local -a files

    [[ $current == = ]] && current=
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == @file ]]; then
            compopt -o filenames
            mapfile -t files < <(compgen -f -- "$current")
            COMPREPLY+=("${files[@]}")
        else
            COMPREPLY+=("$line")
        fi
    done < <("$program" complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null)
}

complete -F _riskgatectl riskgatectl
