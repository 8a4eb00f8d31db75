"""Suites of recorded incidents: getting recordings, linting them, running and scoring squads on them."""
