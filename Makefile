# make run      the bot on Discord, or its preview in a local page when there is no token
# make test     every check
# make install  only .venv with the `leadline` command in it
# make lock     the hash-locked requirements anew; UPGRADE=1 takes the newest versions
#
# PORT=8777 chooses the port of the preview, PYTHON=python3.12 the Python.

.PHONY: run test install lock

# exec: a signal sent to make's child is a signal sent to Leadline itself.
run:
	@sh tools/install.sh preview
	@exec .venv/bin/leadline run

test:
	@sh tools/install.sh dev
	@exec sh tools/test.sh

install:
	@sh tools/install.sh run

lock:
	@sh tools/lock.sh
