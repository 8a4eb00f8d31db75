"""Events drawn on a terminal or into a pipe; nothing here decides, waits or asks."""
