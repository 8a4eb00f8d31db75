"""A value that goes past its line or word goes whole, what is around it stays, and no text takes long."""

import time
from collections.abc import Callable

import pytest

from opssquad.gate.blocks import blocks
from opssquad.gate.names import bundled
from opssquad.gate.redact import HIDDEN, Redactor

redact = Redactor()

KEPT_AROUND = [
    "[map[env:[map[name:A value:b] map[name:DB_PASSWORD value:@@zq 2@@] map[name:P value:80]] image:web:1]]",
    "map[httpHeaders:[map[name:Authorization value:@@Basic enEtaHVudGVyMjphYmM=@@]] path:/x]   Running",
    "map[LOG_LEVEL:info API_KEY:@@a b[1] c@@ SERVER:https://x ZONE:a] map[APP:web]",
    "map[name:DB_PASSWORD value:@@a [b c@@] map[name:P value:80]",
    "map[limits:map[cpu:1] API_KEY:@@a https://b c@@]\nREADY   1/1",
    "    - name: SIGNING_KEY\n      value: |-\n        @@one\n\n        two@@\n    - name: P\n",
    "data:\n  API_KEY: '@@x\n\n    it''s y@@'\n  ZONE: a\n\n  LIST:\n",
    '  API_KEY: "@@x\n\n    \\"y\\"@@"\n  ZONE: a\n',
    "  API_KEY: '@@x\n    never closed@@\n  ZONE: a\n",
    "      SIGNING_KEY:  @@one\n                    to: two@@\n      PORT:         80\n    Mounts:\n",
    "      SIGNING_KEY:\t@@one\n      \tto: two@@\n      PORT:\t80\n    Mounts:\t<none>\n",
    "Data\n====\nAPI_KEY:\n----\n@@one\n\ntwo@@\nzone:\n----\na\n\nBinaryData\n====\n\nEvents:  <none>\n",
    "Data\n====\nAPI_KEY:\n----\n@@one\ntwo@@\n\nThe rest: stays\n",
    "text: |\n  Data\n  ====\n  API_KEY:\n  ----\n  @@one\n\n  two@@\nother: stays\n",
    "+    value: x\n+  - name: API_KEY\n+    value: |\n+      @@one\n+      two@@\n+  image: web\n",
]

UNTOUCHED = [
    "map[name:DB_PASSWORD valueFrom:map[secretKeyRef:map[key:password name:db]]]",
    "map[name:LOG_LEVEL value:info] map[mountPath:/run name:token readOnly:true]",
    "map[name:auth value:on the host] map[name:TOKENS value:a b c]",
    "  token:\n    Type:        Secret (a volume populated by a Secret)\n    SecretName:  x\n",
    "token: expired\n    at the second try\n",
    "Token:\n  Where it comes from is in the manual\n",
    "    - name: LOG_FORMAT\n      value: |-\n        one\n        two\n",
    "Data\n====\nzone:\n----\na\nb\n\nBinaryData\n====\n",
    "password:\n- name: a\n- name: b\n",
]

HOSTILE: dict[str, Callable[[int], str]] = {
    "maps that nothing closes": lambda n: "map[name:auth value:" * (n // 20),
    "keys of one map": lambda n: "map[" + "auth:x " * (n // 7),
    "brackets": lambda n: "map[" + "] token:x [" * (n // 11),
    "keys ever deeper": lambda n: "".join(" " * i + "auth: |\n" for i in range(int((2 * n) ** 0.5))),
    "quotes ever deeper": lambda n: "".join(" " * i + "auth: 'x\n" for i in range(int((2 * n) ** 0.5))),
    "one quote": lambda n: "auth: '" + "\n  x''" * (n // 6),
    "sections": lambda n: "auth:\n----\nx\n" * (n // 13),
    "blank lines": lambda n: "auth: |\n" * 50 + "\n" * n,
    "blanks": lambda n: "auth\n" + " " * n,
    "signs": lambda n: "+" * n + "auth: x",
}


@pytest.mark.parametrize("text", KEPT_AROUND)
def test_a_value_goes_to_its_end_and_what_is_around_it_stays(text: str) -> None:
    before, _, after = text.split("@@")
    assert redact(before + text.split("@@")[1] + after) == (before + HIDDEN + after, 1)


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_only_looks_like_a_value_of_several_lines_stays(text: str) -> None:
    assert redact(text) == (text, 0)


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_text_takes_long(made: Callable[[int], str]) -> None:
    text = made(100_000)
    began = time.monotonic()
    for start, end in bundled().keywords(text):
        assert all(block.start < block.end for block in blocks(text, start, end))
    assert time.monotonic() - began < 10
