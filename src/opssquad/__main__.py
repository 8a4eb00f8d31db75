"""Runs the command line: `python -m opssquad`."""

from opssquad.cli import main

if __name__ == "__main__":
    main()
