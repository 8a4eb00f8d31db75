"""Signals about a database: facts with a name, found in the rows of looks."""
