"""Databases: what can be looked at in one, live and recorded, and what may be done there."""
