"""The conversation in a terminal: where lines come from, what they mean, what becomes of them."""
