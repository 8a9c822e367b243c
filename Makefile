# make run      the bot on Discord, or its preview in a local page when there is no token
# make test     every check
# make soak     the tests that kill and repeat, for long: half an hour or more
# make install  only .venv with the `leadline` command in it
# make bench    how fast everything is, beside the usual ways; writes benchmarks/RESULTS.md
# make lock     the hash-locked requirements anew; UPGRADE=1 takes the newest versions
#
# PORT=8777 chooses the port of the preview, PYTHON=python3.12 the Python.

.PHONY: run test soak bench install lock

# exec: a signal sent to make's child is a signal sent to Leadline itself.
run:
	@sh tools/install.sh preview
	@exec .venv/bin/leadline run

test:
	@sh tools/install.sh dev
	@exec sh tools/test.sh

soak:
	@sh tools/install.sh dev
	@exec env LEADLINE_SOAK=1 .venv/bin/pytest -m soak --durations=0

bench:
	@sh tools/install.sh bench
	@exec .venv/bin/python -m benchmarks

install:
	@sh tools/install.sh run

lock:
	@sh tools/lock.sh
