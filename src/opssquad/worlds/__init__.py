"""The systems that tools may touch, live or recorded, each a handle with its own clock."""
