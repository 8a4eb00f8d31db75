"""What an owner adds from outside: tools of their own, found, read, and made like those that came with us."""
