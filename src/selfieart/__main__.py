"""``python -m selfieart`` is the command line."""

from selfieart.cli import main

if __name__ == "__main__":
    main()
