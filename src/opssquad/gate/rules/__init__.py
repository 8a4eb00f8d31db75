"""The rules of a policy file: what one says, which calls it is about, and which rule covers another.

What follows from several of them is said by `gate.policy`, where they are read from by `gate.layers`.
"""
