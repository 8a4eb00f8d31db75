"""Tools that come from outside this repository: where they are found, how they are loaded and guarded."""
