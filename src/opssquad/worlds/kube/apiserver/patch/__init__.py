"""Patches as pure functions of an object and a patch: strategic merge, merge and JSON patch."""
