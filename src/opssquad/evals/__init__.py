"""Evals: suites of recorded incidents, played by a squad, scored by code, and reported."""
