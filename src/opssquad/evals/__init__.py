"""Evaluations: how well squads diagnose recorded incidents, and whether their answers hang on names."""
