"""A squad: its files, its prompt, its graph."""
