"""The door to PostgreSQL's parser, 14 MB of C: imported late, by who proves something and by nobody else.

The types that come with it are not valid Python, so a type checker is not shown them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    postgast: Any
    DecodeError: type[Exception]
else:
    import postgast as postgast
    from google.protobuf.message import DecodeError as DecodeError
