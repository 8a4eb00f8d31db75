"""Benchmarks of what the project promises: `make bench`, or `python -m tests.bench`. No tests."""
