#!/bin/sh
# sh tools/install.sh SET: a .venv with the locked requirements of SET (run, preview, dev or bench)
# and Leadline itself. Does nothing when that is already so.
#
# What is installed is written down in .venv/leadline-SET: the folder, the project file and
# the locks as they were. It is removed before anything changes and written last, so it is
# there only after an installation that went through.
set -eu
cd "$(dirname "$0")/.."

set=${1:-}
case $set in
    run) sufficient="run preview dev bench" ;;
    preview) sufficient="preview dev bench" ;;
    dev) sufficient="dev bench" ;;
    bench) sufficient="bench" ;;
    *)
        echo "usage: sh tools/install.sh run|preview|dev|bench" >&2
        exit 2
        ;;
esac

state() {
    pwd
    cat pyproject.toml requirements/run.txt requirements/preview.txt requirements/dev.txt requirements/bench.txt
}

say() {
    echo "leadline: $*" >&2
}

# The PYTHON asked for when .venv was made: naming another makes it anew, naming none keeps it.
asked=
[ ! -f .venv/leadline-python ] || asked=$(cat .venv/leadline-python)
same_python() {
    [ -x .venv/bin/python ] && [ "${PYTHON:-$asked}" = "$asked" ]
}

if same_python; then
    for installed in $sufficient; do
        if [ -f ".venv/leadline-$installed" ] && state | cmp -s - ".venv/leadline-$installed"; then
            exit 0
        fi
    done
fi

failed() {
    say "$1. Nothing is marked as installed: the same command tries again."
    exit 1
}
trap 'failed "interrupted"' HUP INT TERM

# The scripts in .venv name its folder: after a move they lead nowhere.
python=
if ! same_python || [ "$(cat .venv/leadline-folder 2>/dev/null)" != "$(pwd)" ]; then
    python=$(sh tools/python.sh)
    case $(command -v "$python") in
        "$(pwd)/.venv/"*)
            say "the active .venv has to be made anew: run 'deactivate' first."
            exit 1
            ;;
    esac
fi

rm -f .venv/leadline-run .venv/leadline-preview .venv/leadline-dev .venv/leadline-bench
if [ -n "$python" ]; then
    # First of all: a .venv half removed must not look like one that can be kept.
    rm -f .venv/leadline-folder
    rm -rf .venv
    "$python" -m venv .venv || failed "the virtual environment could not be made"
    echo "${PYTHON:-}" > .venv/leadline-python
    pwd > .venv/leadline-folder
fi

lock=requirements/$set.txt
say "installing $(grep -c '==' "$lock") packages into .venv; the first time takes about a minute."
pip() {
    .venv/bin/python -m pip --quiet --disable-pip-version-check "$@"
}
pip install --no-compile --require-hashes --no-deps --requirement "$lock" ||
    failed "the packages could not be installed"
pip install --no-deps --no-build-isolation --editable . || failed "leadline itself could not be installed"
# pip compiles on one core, and our own code not at all: a service may not write beside it and would compile it
# at every start. This uses all cores and leaves out the packages' own tests. A file that cannot be compiled is
# a template or for another Python.
.venv/bin/python -m compileall -q -j 0 -x '/tests/' analysis bot cogs providers storage .venv/lib >/dev/null 2>&1 || :

state > .venv/leadline-state
mv .venv/leadline-state ".venv/leadline-$set"
