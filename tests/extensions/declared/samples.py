"""Declared tools that are sound, and each way in which one may be wrong."""

READS = """
name: listing
description: What a folder holds.
kind: command
effect: read
parameters:
  folder: {type: string}
argv: [ls, --, "{folder}"]
"""
ASKS = """
name: deploys
description: The deploys of an app.
kind: http
effect: read
parameters:
  app: {type: string}
url: https://deploy.internal/apps/{app}
destinations: [deploy.internal]
"""
CHANGES = """
name: pause
description: Pause a queue.
kind: command
effect: mutate
parameters:
  queue: {type: string}
argv: [queuectl, pause, "{queue}"]
preview: {argv: [queuectl, show, "{queue}"]}
undo: {argv: [queuectl, resume, "{queue}"]}
verify: {argv: [queuectl, show, "{queue}"], expect: {regex: paused}}
"""
COUNTS = """
name: orders
description: Orders of a customer.
kind: sql
effect: read
parameters:
  customer: {type: string}
statement: select id from orders where customer = :customer
"""


WRONG: dict[str, tuple[str, str, str, str]] = {
    "a shell line": (READS, 'argv: [ls, --, "{folder}"]', 'argv: "ls {folder} | wc"', "argv: must be a list"),
    "a pipe": (
        READS,
        '"{folder}"]',
        '"{folder}", "|", wc]',
        "argv.3: '|' is for a shell, and none reads this",
    ),
    "a substitution": (READS, '"{folder}"]', '"{folder}", "$(id)"]', r"'\$\(id\)' is for a shell"),
    "a redirect": (READS, '"{folder}"]', '"{folder}", "2>&1"]', "'2>&1' is for a shell"),
    "a variable of a shell": (READS, '"{folder}"]', '"{folder}", $HOME]', r"'\$HOME' is for a shell"),
    "an end of a command": (READS, '"{folder}"]', '"{folder}", ";", ls]', "';' is for a shell"),
    "a shell itself": (READS, "[ls, --,", "[/bin/sh, -c,", "sh -c is a shell; name the program itself"),
    "a hole in a program": (READS, "[ls, --,", "[python3, -c,", "lets an argument be program"),
    "a program that is a hole": (READS, "[ls, --,", '["{folder}",', "the program has a fixed name"),
    "a hole for nothing": (
        READS,
        '"{folder}"',
        '"{foldr}{folder}"',
        "{foldr} is no parameter; there is: folder",
    ),
    "a parameter for nothing": (READS, ', "{folder}"', "", "parameters.folder: is used nowhere"),
    "a secret in arguments": (
        READS,
        "ls, --",
        "ls, --password=hunter2hunter2",
        "a secret stands in it; put it",
    ),
    "a secret in the environment": (
        READS,
        "effect: read",
        "effect: read\nenv: {API_TOKEN: abcdefgh12345678}",
        "a secret stands in it",
    ),
    "writes of a read": (
        READS,
        "effect: read",
        "effect: read\nwrites: [/tmp]",
        "writes: is for what changes",
    ),
    "no description": (READS, "description: What a folder holds.\n", "", "description: is missing"),
    "an empty description": (READS, "What a folder holds.", '" "', "description: is empty"),
    "a bad name": (READS, "name: listing", "name: My Tool", "no name that models take"),
    "a bad parameter": (READS, "{type: string}", "{type: string, patern: x}", "did you mean 'pattern'"),
    "a reserved parameter": (READS, "folder", "before", "no name for a parameter"),
    "a default of another type": (
        READS,
        "{type: string}",
        "{type: integer, default: x}",
        "'x' is no integer",
    ),
    "a bad pattern": (READS, "{type: string}", "{type: string, pattern: '('}", "not a regular expression"),
    "a bound of a text": (READS, "{type: string}", "{type: string, minimum: 1}", "minimum: is for numbers"),
    "an unknown kind": (
        READS,
        "kind: command",
        "kind: comand",
        "kind: 'comand' is none; write one of command",
    ),
    "no kind": (READS, "kind: command\n", "", "kind: is missing; write one of"),
    "an unknown effect": (READS, "effect: read", "effect: reads", "effect: "),
    "a deadline of none": (READS, "effect: read", "effect: read\ndeadline: 0", "deadline: "),
    "a key twice": (READS, "effect: read", "effect: read\neffect: read", "key 'effect' stands twice"),
    "no effect": (READS, "effect: read\n", "", "effect is not declared, so it counts as one that changes"),
    "a secret in the URL": (
        ASKS,
        "https://",
        "https://kim:hunter2@",
        "url: a secret stands in it; put it into",
    ),
    "a secret in the query": (
        ASKS,
        "/apps/{app}",
        "/apps/{app}?api_key=abcdefgh12345678",
        "url: a secret stands in it",
    ),
    "a secret in a header": (
        ASKS,
        "effect: read",
        "effect: read\nheaders: {Authorization: Bearer abcdefgh12345678}",
        "headers.Authorization: a secret stands in it; put it into `tools.yaml`",
    ),
    "a hole in the host": (
        ASKS,
        "deploy.internal/apps",
        "{app}/apps",
        "a hole stands in its scheme, host or port",
    ),
    "a hole in the port": (
        ASKS,
        ".internal/apps",
        ".internal:{app}/apps",
        "a hole stands in its scheme, host",
    ),
    "a hole in the scheme": (
        ASKS,
        "https://deploy.internal/apps/{app}",
        '"{app}://deploy.internal/x"',
        "a hole stands in its scheme, host or port",
    ),
    "another scheme": (ASKS, "https://", "file://", "only http and https"),
    "no destinations": (
        ASKS,
        "destinations: [deploy.internal]",
        "",
        "write `destinations: .deploy.internal.`",
    ),
    "another destination": (ASKS, "[deploy.internal]", "[other.internal]", "is not among them; write"),
    "another port": (
        ASKS,
        ".internal/apps",
        ".internal:8443/apps",
        "deploy.internal:8443 of the url is not among",
    ),
    "a read that posts": (
        ASKS,
        "effect: read",
        "effect: read\nmethod: POST",
        "method: POST changes something",
    ),
    "a bad answer": (ASKS, "effect: read", "effect: read\nanswer: a..b", "answer: 'a..b' is no path"),
    "a header of the client's": (
        ASKS,
        "effect: read",
        "effect: read\nheaders: {Host: x}",
        "no header to set",
    ),
    "a bad name of a secret": (
        ASKS,
        "effect: read",
        "effect: read\nheaders: {X-Own: {secret: a-b}}",
        "'a-b' is no name of a secret",
    ),
    "a preview of a read": (
        READS,
        "effect: read",
        "effect: read\npreview: {argv: [ls]}",
        "preview: is for a tool",
    ),
    "no preview": (CHANGES, 'preview: {argv: [queuectl, show, "{queue}"]}\n', "", "lacks `preview:`"),
    "no undo": (
        CHANGES,
        'undo: {argv: [queuectl, resume, "{queue}"]}\n',
        "",
        "lacks `undo:` .* or `irreversible",
    ),
    "no verify": (
        CHANGES,
        'verify: {argv: [queuectl, show, "{queue}"], expect: {regex: paused}}',
        "",
        "`verify:`",
    ),
    "no expectation": (CHANGES, ", expect: {regex: paused}", "", "verify.expect: is missing"),
    "two ways to expect": (CHANGES, "regex: paused", "regex: paused, path: x", "one of `regex` and `path`"),
    "undo and irreversible": (
        CHANGES,
        "effect: mutate",
        "effect: mutate\nirreversible: lost",
        "drop one of them",
    ),
    "a preview that writes": (
        CHANGES,
        "preview: {",
        "preview: {writes: [/tmp], ",
        "preview.writes: is for what",
    ),
    "a statement that changes": (COUNTS, "select id from", "delete from", "does not provably only read"),
    "two statements": (COUNTS, "= :customer", "= :customer; select 1", "a second statement"),
    "a declared change by statement": (
        COUNTS,
        "effect: read",
        "effect: mutate",
        "a statement only reads here",
    ),
    "a bad signal": (READS, "effect: read", "effect: read\nsignals: [{id: x}]", "signals.0"),
    "a signal without entity": (
        READS,
        "effect: read",
        "effect: read\nsignals: [{id: a.b, when: {regex: x}, text: x, entity: queue}]",
        "not Kind/namespace/name",
    ),
    "a signal with an unknown hole": (
        READS,
        "effect: read",
        "effect: read\nsignals: [{id: a.b, when: {regex: '(?P<name>x)'}, text: '{nam}', entity: Queue//q}]",
        "{nam} is no parameter; there is: name",
    ),
    "nothing": (READS, READS, "", "must be a mapping"),
    "a list": (READS, READS, "- a\n", "must be a mapping"),
    "tools that are none": (READS, READS, "tools: {}\n", "tools: must be a list of tools"),
    "a tool that is a word": (READS, READS, "tools: [x]\n", "must be a mapping"),
    "keys beside tools": (READS, READS, "tools: []\nname: x\n", "name: stands beside `tools`"),
}
