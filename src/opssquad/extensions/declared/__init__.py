"""Tools that are declared in YAML: a command, an HTTP request or a statement, with typed parameters.

`document` says what may be written, `sound` what of it makes no sense, `making` turns it into tools.
"""

from opssquad.extensions.declared.loading import load as load
from opssquad.extensions.declared.loading import schema as schema
