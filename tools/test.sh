#!/bin/sh
# Every check there is, in the order of how fast it fails. Stops at the first that does.
set -eu
cd "$(dirname "$0")/.."
PATH=$(pwd)/.venv/bin:$PATH
export PATH
# Where Python may not keep what it compiled, each of a thousand processes compiles all of it anew.
unset PYTHONDONTWRITEBYTECODE

step() {
    printf '\n== %s\n' "$*"
}

step "ruff: rules"
ruff check .
step "ruff: format"
ruff format --check .
step "mypy: types"
# Beside it, on the other core, the tests are compiled once and not by every worker.
pytest --collect-only --quiet >/dev/null 2>&1 &
mypy
step "import-linter: which floor may import which"
lint-imports --no-logo
step "translations: complete"
python tools/messages.py
wait
# What measures how soon a bot answers goes first at every moment; all else takes what that leaves of the
# machine, which is most of it.
said=$(mktemp)
pytest --durations 10 --ignore tests/wire/test_kills.py --ignore tests/wire/test_alert_kills.py \
    tests/wire tests/browser >"$said" 2>&1 &
bots=$!
trap 'kill "$bots" 2>/dev/null || true; rm -f "$said"' EXIT
trap 'exit 130' INT TERM
status=0
step "pytest: what minds nobody beside it"
rest=$(ls -d tests/*/ tests/test_*.py tests/wire/test_*kills.py | grep -v -e /wire/$ -e /browser/$ -e __pycache__)
# shellcheck disable=SC2086 -- names, one after the other
nice -n 15 pytest --numprocesses auto --dist worksteal --durations 25 $rest || status=$?
step "pytest: the bot as a process, and the page in a browser"
wait "$bots" || status=$?
cat "$said"
exit "$status"
