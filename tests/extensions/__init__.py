"""Tools from outside this repository."""
