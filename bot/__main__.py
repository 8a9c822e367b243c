"""Entry point. Imports only the command line: worker processes read this file again."""

from bot.cli import main

if __name__ == "__main__":
    main()
