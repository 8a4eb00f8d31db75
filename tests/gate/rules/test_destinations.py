"""Rules about destinations: what fits, what an address has in it, whose word holds, and what is odd."""

import ipaddress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad import content
from opssquad.documents import BadFile
from opssquad.gate.policy import Policy
from opssquad.gate.rules.alone import House
from opssquad.gate.rules.destinations import Destination
from opssquad.gate.rules.fits import Fit
from opssquad.gate.rules.lint import lint
from opssquad.gate.rules.reading import Layer, Origin

BUNDLED = Policy.load(content.policy())
METADATA = "169.254.169.254"


def destination(verdict: str = "refuse", name: str = "d", **keys: Any) -> Destination:
    return Destination.model_validate({"name": name, "verdict": verdict, **keys})


@pytest.mark.parametrize(
    "address",
    [
        METADATA,
        "169.254.0.1",
        "fe80::1",
        "fe80::a9fe:a9fe%eth0",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "168.63.129.16",
        "224.0.0.1",
        "239.255.255.250",
        "ff02::1",
        "255.255.255.255",
        "0.0.0.0",
        "::",
        "::ffff:169.254.169.254",
        "::ffff:0.0.0.0",
        "::169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "2001:db8::5efe:169.254.169.254",
        "2001:0:a9fe:a9fe::1",
    ],
)
def test_link_local_metadata_and_many_at_once_are_refused_by_default_in_every_form(address: str) -> None:
    assert BUNDLED.refuses("cart", address, 80).startswith("policy: ")
    assert BUNDLED.refuses("cart", address, 0).startswith("policy: ")


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "127.0.0.1", "::1", "192.0.2.7", "2001:db8::1", "fd00::1", "::ffff:10.0.0.1"]
)
def test_all_else_is_allowed_by_default(address: str) -> None:
    assert BUNDLED.refuses("cart", address, 443) == ""


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_the_forms_that_lead_to_it(address: ipaddress.IPv4Address) -> None:
    plain = BUNDLED.reach("h", str(address), 80).outcome
    assert BUNDLED.reach("h", f"::ffff:{address}", 80).outcome == plain
    if plain == "refuse":
        number = int(address)
        assert BUNDLED.reach("h", f"64:ff9b::{address}", 80).outcome == "refuse"
        six_to_four = f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1"
        assert BUNDLED.reach("h", six_to_four, 80).outcome == "refuse"


def test_the_reason_names_the_rule() -> None:
    assert BUNDLED.refuses("cart", METADATA, 80) == (
        "policy: link-local and cloud metadata addresses are not probed (rule 'metadata of clouds')"
    )


def test_a_policy_that_cannot_be_read_lets_nothing_be_probed(tmp_path: Path) -> None:
    assert "bad.yaml" in Policy.load(content.policy(), tmp_path / "bad.yaml").refuses("cart", "10.0.0.1", 80)


def test_what_no_rule_matches_is_refused() -> None:
    assert Policy([]).reach("cart", "10.0.0.1", 80).outcome == "refuse"
    assert Policy([Layer("bundled", ())]).reach("cart", "10.0.0.1", 80).rule == "no rule matches"


def test_hosts_are_patterns_in_any_case_and_with_or_without_the_final_dot() -> None:
    rule = destination(hosts=["*.Shop.example", "pay?"])
    for host in ("cart.shop.example", "CART.shop.EXAMPLE.", "pay1"):
        assert rule.fit(host, "10.0.0.1", 80) is Fit.YES
    for host in ("shop.example", "pay", "cart.shop.example.org"):
        assert rule.fit(host, "10.0.0.1", 80) is Fit.NO


def test_ports_are_numbers_and_ranges_and_a_ping_has_none() -> None:
    rule = destination(ports=[443, "8000-8100"])
    fits = {port: rule.fit("cart", "10.0.0.1", port) for port in (0, 442, 443, 7999, 8000, 8100, 8101)}
    assert [port for port, fit in fits.items() if fit is Fit.YES] == [443, 8000, 8100]
    assert destination().fit("cart", "10.0.0.1", 0) is Fit.YES


def test_a_rule_by_networks_may_be_meant_while_the_address_is_not_known() -> None:
    assert destination(networks="10.0.0.0/8").fit("cart", "", 80) is Fit.MAYBE
    assert destination(networks="10.0.0.0/8", hosts="pay").fit("cart", "", 80) is Fit.NO


def test_a_rule_that_allows_goes_by_the_address_alone() -> None:
    allow = destination("allow", networks="10.0.0.0/8")
    assert allow.fit("cart", "2002:a00:1::1", 80) is Fit.NO
    assert destination(networks="10.0.0.0/8").fit("cart", "2002:a00:1::1", 80) is Fit.YES


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("networks: 10.0.0.1/8", "is no network"),
        ("networks: 7", "give a network such as"),
        ("ports: 0", "ports go from 1 to 65535"),
        ("ports: 90-80", "the lower one first"),
        ("ports: http", "give a port or a range"),
        ("ports: true", "give a port or a range"),
        ("port: 80", "port"),
        ("hosts: 'a[bc]'", "only * and ?"),
        ("verdict: ask", "verdict"),
    ],
)
def test_what_a_file_says_wrongly_is_refused_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    verdict = "" if line.startswith("verdict") else "    verdict: refuse\n"
    (tmp_path / "p.yaml").write_text(f"destinations:\n  - name: d\n{verdict}    {line}\n")
    with pytest.raises(BadFile) as bad:
        Layer.read(tmp_path / "p.yaml")
    assert said in bad.value.reason
    assert bad.value.line in (2, 3, 4)


def layers(tmp_path: Path, **texts: str) -> list[Layer]:
    """The bundled layer, and those of files by their origin."""
    found = [Layer.read(content.policy())]
    for origin, text in texts.items():
        path = tmp_path / f"{origin}.yaml"
        path.write_text(text)
        origins: dict[str, Origin] = {"organisation": "organisation", "squad": "squad"}
        found.append(Layer.read(path, origins[origin]))
    return found


CLOSED = """
destinations:
  - {name: shop, hosts: "*.shop", ports: [80, 443], verdict: allow}
  - {name: rest, verdict: refuse, reason: only the shop}
"""
LINK = "destinations: [{name: dns of the node, networks: 169.254.20.10, ports: 53, verdict: allow}]"


def test_an_organisation_may_say_which_destinations_there_are(tmp_path: Path) -> None:
    policy = Policy(layers(tmp_path, organisation=CLOSED))
    assert policy.refuses("cart.shop", "10.0.0.1", 443) == ""
    assert policy.refuses("cart.shop", "10.0.0.1", 22) == "policy: only the shop (rule 'rest')"
    assert policy.refuses("evil.shop", METADATA, 80)


def test_only_an_organisation_that_may_loosen_opens_what_is_refused(tmp_path: Path) -> None:
    tight = Policy(layers(tmp_path, organisation=LINK))
    loose = Policy(layers(tmp_path, organisation=f"may_loosen: true\n{LINK}"))
    squad = Policy(layers(tmp_path, squad=LINK))
    asked = ("169.254.20.10", "169.254.20.10", 53)
    assert [bool(each.refuses(*asked)) for each in (tight, loose, squad)] == [True, False, True]
    assert loose.refuses(METADATA, METADATA, 53)


def test_an_included_file_loosens_nothing(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text(LINK)
    text = "may_loosen: true\ninclude: more.yaml\n"
    assert Policy(layers(tmp_path, organisation=text)).refuses("n", "169.254.20.10", 53)


def test_a_squad_may_tighten(tmp_path: Path) -> None:
    text = "destinations: [{name: no ssh, ports: 22, verdict: refuse}]"
    policy = Policy(layers(tmp_path, squad=text))
    assert policy.refuses("cart", "10.0.0.1", 22) == "policy: it is not to be probed (rule 'no ssh')"
    assert policy.refuses("cart", "10.0.0.1", 80) == ""


def findings(tmp_path: Path, text: str) -> list[str]:
    found = lint(layers(tmp_path, organisation=text), House({}, ("k8s",)))
    return [each.text for each in found if each.file.name == "organisation.yaml"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[{name: a, networks: 10.0.0.0/8, verdict: refuse}, "
         "{name: b, networks: 10.1.0.0/16, ports: 80, verdict: refuse}]", "'b' is shadowed by"),
        ("[{name: a, hosts: x, verdict: refuse}, {name: b, hosts: x, verdict: allow}]", "'b' contradicts"),
        ("[{name: a, hosts: x, verdict: refuse}, {name: a, hosts: y, verdict: refuse}]", "name of another"),
        ("[{name: a, networks: 169.254.1.0/24, verdict: allow}]", "'a' is void: destination 'metadata"),
        ("[{name: a, networks: '::ffff:10.0.0.0/104', verdict: refuse}]", "'a' can match nothing"),
    ],
)  # fmt: skip
def test_what_is_odd_is_found(tmp_path: Path, text: str, said: str) -> None:
    (found,) = findings(tmp_path, f"destinations: {text}")
    assert said in found


def test_what_is_sound_is_not_odd(tmp_path: Path) -> None:
    assert findings(tmp_path, CLOSED) == []
    assert findings(tmp_path, f"may_loosen: true\n{LINK}") == []
    # A form of 10.1.0.1 in IPv6 is refused by the second, and no business of the first.
    wide = "{name: a, networks: 10.0.0.0/8, verdict: allow}"
    narrow = "{name: b, networks: 10.1.0.0/16, verdict: refuse}"
    assert findings(tmp_path, f"destinations: [{wide}, {narrow}]") == []


DESTINATIONS = st.builds(
    lambda verdict, networks, hosts, ports: destination(
        verdict,
        **({"networks": networks} if networks else {}),
        hosts=hosts,
        **({"ports": ports} if ports else {}),
    ),
    st.sampled_from(["allow", "refuse"]),
    st.lists(st.sampled_from(["10.0.0.0/8", "10.1.0.0/16", "2002::/16", "::/0", "0.0.0.0/0"]), max_size=2),
    st.lists(st.sampled_from(["*", "cart", "c*", "*.shop"]), min_size=1, max_size=2),
    st.lists(st.sampled_from([80, "80-90", "85-443"]), max_size=2),
)
PLACES = st.tuples(
    st.sampled_from(["cart", "card", "cart.shop"]),
    st.sampled_from(["", "10.0.0.1", "10.1.0.1", "2002:a01:1::1", "::ffff:10.1.0.1", "2001:db8::1"]),
    st.sampled_from([0, 80, 85, 443]),
)


@given(DESTINATIONS, DESTINATIONS, PLACES)
def test_a_rule_that_covers_another_fits_wherever_that_does(
    wide: Destination, narrow: Destination, place: tuple[str, str, int]
) -> None:
    if wide.covers(narrow):
        assert wide.fit(*place) >= narrow.fit(*place)
