#!/bin/sh
# Prints the command of a Python that Leadline can run on, $PYTHON if that is set;
# when there is none, says in one sentence what to install and exits 1.
set -eu

# how_to_get VERSION...: the command that installs the first of these CPythons that the system has.
how_to_get() {
    if [ "$(uname -s)" = Darwin ]; then
        echo "brew install python@$1"
    elif command -v apt-get >/dev/null 2>&1; then
        for version; do
            if apt-cache show "python$version" >/dev/null 2>&1; then
                break
            fi
        done
        echo "sudo apt install python$version python$version-venv"
    elif command -v dnf >/dev/null 2>&1; then
        echo "sudo dnf install python$1"
    else
        echo "your system's package manager (the package is called python$1 or python3)"
    fi
}

# Runs on whatever Python is there, Python 2 included; prints "ok 3.12", "old 3.9" or
# "lacks 3.12 venv". Debian keeps ensurepip, without which venv makes nothing, in a package
# of its own; a Python built by hand may lack ssl or sqlite3.
probe='
import sys
def judge():
    version = "%d.%d" % sys.version_info[:2]
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return "other " + version
    if sys.implementation.name != "cpython":
        return "other " + version + " (" + sys.implementation.name + ")"
    for module in "venv", "ensurepip", "ssl", "sqlite3":
        try:
            __import__(module)
        except ImportError:
            return "lacks " + version + " " + module
    return "ok " + version
print(judge())
'

if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
    found=
else
    set -- python3.13 python3.12 python3.11 python3 python
    found="and no Python was found"
fi
needed="Leadline needs CPython 3.11, 3.12 or 3.13"
remedy=
nearest=0

for candidate; do
    # A name may stand for nothing: version managers leave such behind.
    verdict=$("$candidate" -c "$probe" 2>/dev/null) || continue
    rest=${verdict#* }
    case $verdict in
        ok*)
            echo "$candidate"
            exit 0
            ;;
        lacks*)
            if [ "$nearest" -lt 2 ]; then
                nearest=2
                needed="Leadline needs the module ${rest#* }"
                found="which Python ${rest%% *} ($candidate) lacks"
                remedy=$(how_to_get "${rest%% *}")
            fi
            ;;
        other*)
            if [ "$nearest" -lt 1 ]; then
                nearest=1
                found="and $candidate is $rest"
            fi
            ;;
    esac
done

echo "$needed, ${found:-and $PYTHON does not run}; install it with: ${remedy:-$(how_to_get 3.13 3.12 3.11)}" >&2
exit 1
