"""The command line. This package's root stays light: a command's module is imported when it is chosen."""


def main() -> None:
    """Entry point of the `opssquad` command."""
    import sys

    from opssquad.cli.app import run

    sys.exit(run(sys.argv[1:]))
