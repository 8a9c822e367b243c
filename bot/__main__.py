"""Entry point. Imports only the command line: worker processes read this file again."""

import sys

try:
    from bot.cli import main
except KeyboardInterrupt:  # Ctrl-C while the first libraries load is no reason for a traceback
    sys.exit(130)

if __name__ == "__main__":
    main()
