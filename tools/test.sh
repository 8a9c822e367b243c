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
step "pytest: what minds nobody beside it"
pytest --numprocesses auto --dist worksteal --durations 25 --ignore tests/wire --ignore tests/browser
step "pytest: bots that are killed, which measure no time"
pytest --numprocesses 2 --durations 5 tests/wire/test_kills.py tests/wire/test_alert_kills.py
step "pytest: the bot as a process, and the page in a browser"
# Beside nothing: some of it measures how soon an answer comes.
exec pytest --durations 10 --ignore tests/wire/test_kills.py --ignore tests/wire/test_alert_kills.py tests/wire tests/browser
