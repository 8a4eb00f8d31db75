"""Whether one SQL statement only reads, proved on PostgreSQL's own grammar; nothing is run here.

Closed by default: `grammar.yaml` says what a read may consist of, `functions.yaml` what it may call. The
proof is one layer of several. It cannot see what a name means in a given database: a view or a policy may
call a function, and one of another schema may have a built-in's name for other types of arguments, or stand
behind `table.name` where there is no such column. So the session has to be read only, under a role that may
only read, with a timeout and a cap on rows.
"""

from opssquad.gate.sql.prove import SqlRead as SqlRead
from opssquad.gate.sql.prove import SqlRefusal as SqlRefusal
from opssquad.gate.sql.prove import prove as prove
