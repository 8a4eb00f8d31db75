"""opssquad: ask a squad what is wrong, approve the fix, see that it helped.

The public names, for tool authors and embedders, are resolved on first use: starting the command line stays
instant.
"""

__version__ = "0.1.0"
