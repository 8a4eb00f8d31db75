"""Why a kubectl line is not taken: one sentence that says what to do instead."""


class Unclear(ValueError):
    """The line is refused; the text is the reason, as an engineer and a model read it."""
