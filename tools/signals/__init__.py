"""Signals: facts with names that code finds in API objects, events and logs.

Pure functions from what was read to `Signal` values, one module for each kind of thing. Nothing here reads,
waits, or knows the name of any workload; which fault a signal speaks for is the catalogue's business.
"""
