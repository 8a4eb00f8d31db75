"""What happens to an object between a request's body and the store: defaults, preparation, admission,
validation.
"""
