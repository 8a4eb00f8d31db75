"""Faults of a PostgreSQL database, made on a real server by real clients; each comes with its truth."""
