"""A grant is for one call, once, in time, and signed by this installation."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.errors import Refused, StoreError
from opssquad.gate.grant import Signer
from opssquad.gate.keys import KEY_BYTES
from opssquad.types import Cleared, Grant, ToolCall, Verdict
from tests.samples import NOW, a_call, a_card, a_decision

KEY = b"k" * KEY_BYTES
ASK = Verdict(outcome="ask", rule="mutations ask")


def signer(key: bytes = KEY, minutes: float = 0) -> Signer:
    return Signer(key, now=lambda: NOW + timedelta(minutes=minutes))


def a_grant(call: ToolCall | None = None, key: bytes = KEY) -> Grant:
    card = a_card(call=call)
    return signer(key).grant(card.call, a_decision(card), card.expires_at)


def cleared(grant: Grant | None, call: ToolCall | None = None) -> Cleared:
    return Cleared(call=call or a_call(), verdict=ASK, grant=grant)


def test_a_granted_call_is_admitted_once() -> None:
    gate = signer()
    gate.admit(cleared(a_grant()))
    with pytest.raises(Refused, match="the grant was used before"):
        gate.admit(cleared(a_grant()))


def test_a_call_without_a_grant_is_refused() -> None:
    with pytest.raises(Refused, match="it carries no grant"):
        signer().admit(cleared(None))


def test_a_grant_ends_at_its_expiry() -> None:
    signer(minutes=9.99).admit(cleared(a_grant()))
    with pytest.raises(Refused, match="the grant expired at 14:47:00 UTC"):
        signer(minutes=10).admit(cleared(a_grant()))


def test_a_grant_of_another_installation_is_refused() -> None:
    with pytest.raises(Refused, match="not signed by this installation"):
        signer().admit(cleared(a_grant(key=b"x" * KEY_BYTES)))


def test_a_grant_for_another_call_is_refused() -> None:
    for other in (a_call(deployment="db"), a_call("c2"), a_call(tool="restart")):
        with pytest.raises(Refused, match="the grant is for another call"):
            signer().admit(cleared(a_grant(), other))


def test_a_grant_that_did_not_fit_is_not_used_up() -> None:
    gate = signer()
    with pytest.raises(Refused):
        gate.admit(cleared(a_grant(), a_call("c2")))
    gate.admit(cleared(a_grant()))


@given(
    st.sampled_from(["call_digest", "approval", "by", "signature"]),
    st.text(st.characters(blacklist_categories=("Cs",)), max_size=70),
)
def test_a_grant_with_any_field_changed_is_refused(field: str, value: str) -> None:
    grant = a_grant()
    if getattr(grant, field) == value:
        return
    with pytest.raises(Refused, match="not signed by this installation"):
        signer().admit(cleared(grant.model_copy(update={field: value})))


def test_a_grant_cannot_be_prolonged() -> None:
    longer = a_grant().model_copy(update={"expires": NOW + timedelta(days=1)})
    with pytest.raises(Refused, match="was changed"):
        signer().admit(cleared(longer))


@pytest.mark.parametrize("outcome", ["refused", "expired", "voided"])
def test_only_a_yes_grants(outcome: str) -> None:
    card = a_card()
    with pytest.raises(Refused, match=f"a-c1 is {outcome}"):
        signer().grant(card.call, a_decision(card, outcome), card.expires_at)


def test_a_yes_to_another_call_grants_nothing() -> None:
    with pytest.raises(Refused, match="is for another call than restart"):
        signer().grant(a_call(tool="restart"), a_decision(a_card()), NOW)


def test_the_key_is_made_once_and_only_the_owner_reads_it(tmp_path: Path) -> None:
    card = a_card()
    grant = Signer.open(tmp_path).grant(card.call, a_decision(card), card.expires_at)
    Signer.open(tmp_path, now=lambda: NOW).admit(cleared(grant))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["grant.key", "grants"]
    assert stat.S_IMODE((tmp_path / "grant.key").stat().st_mode) == 0o600
    assert len((tmp_path / "grant.key").read_bytes()) == KEY_BYTES


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "grant.key"
    path.write_bytes(KEY)
    path.chmod(0o640)
    with pytest.raises(StoreError, match=f"can be read by others; run: chmod 600 {path}"):
        Signer.open(tmp_path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(StoreError, match="not a key of 32 bytes; move it away"):
        Signer.open(tmp_path)


def test_a_folder_that_cannot_hold_a_key_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="grant.key: No such file or directory"):
        Signer.open(tmp_path / "absent")


def test_of_many_that_make_the_key_at_once_all_use_the_same(tmp_path: Path) -> None:
    card = a_card()
    with ThreadPoolExecutor(8) as pool:
        signers = list(pool.map(lambda _: Signer.open(tmp_path), range(8)))
    grants = {each.grant(card.call, a_decision(card), card.expires_at).signature for each in signers}
    assert len(grants) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["grant.key"]


def test_a_key_that_is_no_file_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "grant.key", 0o600)
    with pytest.raises(StoreError, match="is no file"):
        Signer.open(tmp_path)
