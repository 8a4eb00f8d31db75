"""The command line; each command is imported when it is chosen."""


def main() -> None:
    """Entry point of the `opssquad` command."""
    raise SystemExit("no command yet")
