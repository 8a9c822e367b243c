"""``leadline preview`` as it is, but as patient with a slow machine as tests are."""

from __future__ import annotations

if __name__ == "__main__":  # drawing processes read this file again
    from bot.cli import main
    from tests.patience import lend

    lend()
    main()
