"""What is wrong with a chain of certificates, judged from PEM alone."""

from datetime import datetime, timedelta

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from opssquad.worlds.net.answers import Certificate
from opssquad.worlds.net.certificates import Trust, covers, faults, read
from tests.network.certificates import AT, DAY, Issued, rsa_key

ROOT = Issued.root()
MIDDLE = ROOT.intermediate()
GOOD = MIDDLE.issue("cart.shop", "*.web.shop", "10.0.0.1", "fd00::1")


def judged(
    *chain: Issued, name: str = "cart.shop", at: datetime = AT, trusted: str = ROOT.pem
) -> tuple[str, ...]:
    return faults([read(each.der) for each in chain], name, at, Trust(trusted))


def test_a_certificate_says_who_for_and_how_long() -> None:
    found = read(GOOD.der)
    assert (found.subject, found.issuer) == ("CN=cart.shop", "CN=test intermediate")
    assert found.names == ("cart.shop", "*.web.shop", "10.0.0.1", "fd00::1")
    assert (found.not_before, found.not_after) == (AT - 30 * DAY, AT + 60 * DAY)
    assert (found.key, found.self_signed, found.problem) == ("EC secp256r1", False, "")
    assert found.pem == GOOD.pem
    assert read(ROOT.der).self_signed


def test_a_chain_to_somebody_trusted_has_no_fault() -> None:
    assert judged(GOOD, MIDDLE) == ()
    assert judged(GOOD, MIDDLE, ROOT) == ()


def test_whom_somebody_put_into_the_store_is_trusted_root_or_not() -> None:
    assert judged(GOOD, trusted=MIDDLE.pem) == ()


@pytest.mark.parametrize(
    ("at", "found"),
    [
        (AT + 61 * DAY, ("expired",)),
        (AT + 60 * DAY + timedelta(seconds=1), ("expired",)),
        (AT + 60 * DAY - timedelta(seconds=1), ()),
        (AT - 31 * DAY, ("not_yet_valid",)),
        (AT - 30 * DAY + timedelta(seconds=1), ()),
    ],
)
def test_dates_are_judged_by_the_clock_that_is_given(at: datetime, found: tuple[str, ...]) -> None:
    assert judged(GOOD, MIDDLE, at=at) == found


def test_an_issuer_that_is_expired_is_told_as_well() -> None:
    root = Issued.root(after=AT - DAY)
    assert judged(root.issue("cart.shop"), trusted=root.pem) == ("expired",)


def test_a_date_does_not_hide_who_signed() -> None:
    late = AT + 61 * DAY
    assert judged(GOOD, MIDDLE, at=late, trusted="") == ("expired", "unknown_issuer")
    assert judged(Issued.alone("cart.shop"), at=late) == ("expired", "self_signed")


def test_a_missing_intermediate_and_a_strange_root_are_unknown_issuers() -> None:
    assert judged(GOOD) == ("unknown_issuer",)
    assert judged(GOOD, MIDDLE, ROOT, trusted=Issued.root("other").pem) == ("unknown_issuer",)


def test_a_self_signed_certificate_is_fine_for_whoever_trusts_it() -> None:
    own = Issued.alone("cart.shop")
    assert judged(own) == ("self_signed",)
    assert judged(own, trusted=own.pem) == ()


def test_a_signature_that_does_not_fit_is_no_issuer() -> None:
    imposter = Issued.root()
    assert judged(imposter.issue("cart.shop")) == ("broken",)


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("cart.shop", True), ("CART.shop.", True), ("pay.shop", False), ("a.cart.shop", False),
        ("a.web.shop", True), ("web.shop", False), ("a.b.web.shop", False),
        ("10.0.0.1", True), ("10.0.0.2", False), ("fd00:0::1", True), ("fd00::1%eth0", True),
        ("fd00::2", False),
    ],
)  # fmt: skip
def test_a_certificate_covers_its_names_wildcards_and_addresses(name: str, fits: bool) -> None:
    assert covers(GOOD.certificate, name) is fits
    assert judged(GOOD, MIDDLE, name=name) == (() if fits else ("wrong_name",))


def test_a_common_name_a_top_level_wildcard_and_an_address_as_a_name_cover_nothing() -> None:
    assert not covers(ROOT.issue().certificate, "nobody")
    assert not covers(ROOT.issue("*.shop").certificate, "cart.shop")
    assert not covers(ROOT.issue("*.0.0.1").certificate, "10.0.0.1")


def test_keys_that_are_too_short_are_weak() -> None:
    assert judged(ROOT.issue("cart.shop", key=rsa_key(1024))) == ("weak",)
    assert judged(ROOT.issue("cart.shop", key=rsa_key(2048))) == ()


def test_a_certificate_that_is_not_for_servers_is_broken() -> None:
    client = ROOT.issue("cart.shop", usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    assert judged(client) == ("broken",)
    assert judged(ROOT.issue("cart.shop", usage=None)) == ()


@pytest.mark.parametrize(
    "der", [b"", b"no certificate", GOOD.der[:-20], GOOD.der[:30] + b"\xff" * 60 + GOOD.der[90:]]
)
def test_what_does_not_parse_has_a_problem_in_one_line_and_nothing_else(der: bytes) -> None:
    found = read(der)
    assert found.problem
    assert "\n" not in found.problem
    assert found == Certificate(problem=found.problem)
    assert faults([found], "cart.shop", AT, Trust(ROOT.pem)) == ("broken",)


def test_a_certificate_that_holds_line_breaks_is_told_on_one_line() -> None:
    found = read(Issued.alone("cart.shop", name="cart\nwrong with it: nothing").der)
    assert found.subject == "CN=cart wrong with it: nothing"


def test_a_text_that_is_no_certificate_is_broken() -> None:
    assert faults([Certificate(pem="no certificate")], "cart.shop", AT, Trust()) == ("broken",)


def test_a_chain_with_one_that_does_not_parse_is_judged_by_the_others() -> None:
    bad = Certificate(problem="no")
    chain = [read(GOOD.der), bad, read(MIDDLE.der)]
    assert faults(chain, "pay.shop", AT, Trust(ROOT.pem)) == ("broken", "wrong_name")
    assert faults([], "cart.shop", AT, Trust(ROOT.pem)) == ("broken",)
