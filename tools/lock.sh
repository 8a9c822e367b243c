#!/bin/sh
# Writes requirements/{run,preview,dev,bench}.txt from pyproject.toml: every package with the hashes
# of its files, one version for CPython 3.11 to 3.13 on Linux and macOS. Versions that still
# fit stay as they are; UPGRADE=1 takes the newest.
set -eu
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
python=$(sh tools/python.sh)
"$python" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip --quiet --disable-pip-version-check install 'uv>=0.13.9,<0.14'
uv=$scratch/venv/bin/uv

# What builds Leadline is locked too, so that installing it fetches nothing.
build_requirements() {
    "$python" -c '
import pathlib, tomllib
project = tomllib.loads(pathlib.Path("pyproject.toml").read_text(encoding="utf-8"))
print(*project["build-system"]["requires"], sep="\n")
'
}

# lock SET OPTION...
lock() {
    file=requirements/$1.txt
    shift
    echo "$file"
    build_requirements | "$uv" pip compile --quiet \
        --universal --python-version 3.11 --fork-strategy fewest \
        --generate-hashes --no-emit-index-url --no-annotate \
        --custom-compile-command "make lock" --output-file "$file" ${UPGRADE:+--upgrade} \
        pyproject.toml - "$@"
}

# The largest first: the others are held to its versions.
lock bench --extra preview --extra dev --extra bench
lock dev --extra preview --extra dev --constraint requirements/bench.txt
lock preview --extra preview --constraint requirements/dev.txt
lock run --constraint requirements/dev.txt

# Nobody who installs Leadline shall need a compiler: each machine must find built packages.
for platform in x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu x86_64-apple-darwin aarch64-apple-darwin; do
    for version in 3.11 3.12 3.13; do
        echo "$platform, CPython $version"
        MACOSX_DEPLOYMENT_TARGET=14.0 "$uv" pip install --quiet --dry-run --python "$python" \
            --target "$scratch/nothing" --only-binary :all: --no-deps --require-hashes \
            --python-platform "$platform" --python-version "$version" --requirement requirements/bench.txt
    done
done
