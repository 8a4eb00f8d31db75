"""Tests of the public testing kit: what it gives is what production does."""
