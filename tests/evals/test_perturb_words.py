"""Renaming in text and moving of dates: whole words, every form of a date, new words that mean nothing."""

import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from opssquad import content
from opssquad.evals.perturb.clock import Moved
from opssquad.evals.perturb.material import Material
from opssquad.evals.perturb.names import renamer, words
from opssquad.evals.perturb.rename import Renamer

ROOT = content.root()
CLOCK = datetime(2026, 4, 12, 10, 41, tzinfo=UTC)
OLD = st.from_regex(r"[a-m]{3,7}(?:-[a-m]{2,6}){0,2}", fullmatch=True)
NEW = st.from_regex(r"[n-z]{4,8}(?:-[n-z]{4,8})?", fullmatch=True)
LETTERS = st.text("nopqrtuvwxyz019", min_size=1, max_size=4)
"""What no name of `OLD` holds and no plural ends in."""
FILLING = st.lists(
    st.one_of(OLD, st.sampled_from([" ", "/", ".", ":", '"', "-", "_", "=", "7", "Q", "XY"])), max_size=30
).map("".join)


def pairs(least: int = 1) -> st.SearchStrategy[dict[str, str]]:
    """Names with new ones, no new one given twice."""
    olds = st.lists(OLD, min_size=least, max_size=6, unique=True)
    return olds.flatmap(
        lambda names: st.lists(NEW, min_size=len(names), max_size=len(names), unique=True).map(
            lambda made: dict(zip(names, made, strict=True))
        )
    )


@given(pairs(), FILLING)
def test_a_text_renamed_and_renamed_back_is_the_same(names: dict[str, str], text: str) -> None:
    parts = [part for new in names.values() for part in new.split("-")]
    assume(len(set(parts)) == len(parts))
    there, back = Renamer(names), Renamer({new: old for old, new in names.items()})
    assume(not re.search("[n-z]", text))
    assert back(there(text)) == text


@given(pairs(), OLD)
def test_a_name_among_other_words_is_renamed_as_it_is_alone(names: dict[str, str], other: str) -> None:
    rename = Renamer(names)
    for old, new in names.items():
        assert rename(old) == new
        assert rename(f"http://{old}.{other}.svc:80/{old}") == f"http://{new}.{rename(other)}.svc:80/{new}"


@given(OLD, NEW, LETTERS, LETTERS)
def test_a_name_inside_a_longer_word_stays(old: str, new: str, before: str, after: str) -> None:
    rename = Renamer({old: new})
    for longer in (f"{before}{old}", f"{old}{after}", f"{before}{old}{after}"):
        assert rename(longer) == longer
        assert rename(f"/{longer}/{old}") == f"/{longer}/{new}"


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("cart cartesian carton", "otter cartesian carton"),
        ("webhook web webs WebSocket", "webhook heron herons HeronSocket"),
        ('{"apiVersion": "v1", "name": "api"}', '{"apiVersion": "v1", "name": "robin"}'),
        ("title-api-config subtitle-api title", "tulip-larch-config subtitle-robin title"),
        ("title-api-5d6dccdf56-8g6vd", "tulip-larch-5d6dccdf56-8g6vd"),
        ("carts and a Cart; CartErrorRate, CART_URL", "otters and a Otter; OtterErrorRate, CART_URL"),
        (
            "a payment, payments.shop.svc:80, PaymentsApplication",
            "a ladle, ladles.shop.svc:80, LadlesApplication",
        ),
        ("title_api: cart-title_api", "tulip_larch: otter-tulip_larch"),
        ('"{\\"a\\":\\"x\\\\ncart\\"}"', '"{\\"a\\":\\"x\\\\notter\\"}"'),
        ("org.springframework.web.client and c.a.web", "org.springframework.web.client and c.a.heron"),
        ("kube-api-access-7k2", "kube-api-access-7k2"),
    ],
)
def test_names_are_known_in_their_forms_and_words_that_hold_them_stay(text: str, renamed: str) -> None:
    names = {
        "cart": "otter",
        "web": "heron",
        "api": "robin",
        "title-api": "tulip-larch",
        "payments": "ladles",
    }
    assert Renamer(names, kept=words().phrases)(text) == renamed


def test_a_host_is_renamed_where_it_ends_a_longer_one_and_nowhere_else() -> None:
    rename = Renamer({}, {"shop.test": "otter.example"})
    assert rename("id.shop.test, shop.test/x, myshop.test, shop.tests") == (
        "id.otter.example, otter.example/x, myshop.test, shop.tests"
    )


@given(st.integers(1_704_067_200_000, 1_775_000_000_000), st.integers(-60, 60))
def test_every_form_of_a_date_moves_by_the_same_weeks(millis: int, weeks: int) -> None:
    moment = datetime.fromtimestamp(millis / 1000, UTC)

    def forms(at: datetime) -> str:
        nanos = int(at.timestamp()) * 10**9
        return (
            f"{at:%Y-%m-%dT%H:%M:%S}.5Z {at:%Y/%m/%d %H:%M} [{at:%d/%b/%Y:%H:%M:%S} +0000] 1:M {at:%d %b %Y} "
            f'{{"ts": {int(at.timestamp())}.25, "time": {round(at.timestamp() * 1000)}}} pod.{nanos:x} '
            f"{at:%Y-%m-%dT%H:%M}:0"
        )

    # A number of seconds may be a time years ago only for a clock near it.
    moved = Moved(weeks, moment + timedelta(days=1))
    assert moved(forms(moment)) == forms(moment + timedelta(weeks=weeks))


@pytest.mark.parametrize(
    "text",
    [
        "ghcr.io/a/profile:2026.7.1",
        "0001-01-01T00:00:00Z",
        "als-2026-05",
        "9d1c2026-04-12e",
        "took 1779212645n",
        "2026-13-01",
        "2026-02-30",
        "order 1012345678",
        "at 10:02 UTC",
    ],
)
def test_what_is_no_date_of_the_recording_stays(text: str) -> None:
    assert Moved(7, CLOCK)(text) == text


def test_no_word_of_the_list_means_anything_to_a_squad_or_to_kubernetes() -> None:
    folders = ("squads", "tools", "prompts", "src")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in _KNOWLEDGE]
    own = Path("evals") / "perturb"
    text = "\n".join(p.read_text(encoding="utf-8") for p in files if str(own) not in str(p)).lower()
    assert len(files) > 100
    known = words().words
    assert [word for word in known if re.search(rf"(?<![a-z]){word}s?(?![a-z])", text)] == []
    assert len(set(known)) == len(known) > 120
    assert all(re.fullmatch(r"[a-z]{4,10}", word) and not word.endswith("s") for word in known)


_KNOWLEDGE = {".py", ".yaml", ".md"}


@pytest.mark.parametrize(
    "name", ["events", "pod", "ready", "rollback", "kube-system", "postgres", "data-redis-0"]
)
def test_words_of_kubernetes_of_recordings_and_of_products_are_nobodys_names(name: str) -> None:
    assert words().keeps(name)
    assert words().keeps(f"{name}-web") == name.startswith("kube-")


def test_hosts_nodes_and_single_words_of_another_organisation_are_renamed_as_well() -> None:
    node = "ip-10-0-1-2.eu-west-1.compute.internal"
    image = "registry.acme.co.uk:5000/team/api:1.2"
    pod = {"containers": [{"name": "api", "image": image}], "nodeName": node}
    objects = [
        {"kind": "Namespace", "metadata": {"name": "sales"}},
        {"kind": "Node", "metadata": {"name": node}},
        {"kind": "Deployment", "metadata": {"name": "api"}, "spec": {"template": {"spec": pod}}},
    ]
    incident = {"id": "x", "clock": "2026-04-12T10:41:00Z", "cluster": {"name": "prod"}}
    rename = renamer(Material(incident, {}, {}, objects, {}), random.Random(1), Moved(1, CLOCK))
    text = f'{{"apiVersion": "v1"}} {image} on {node}, api.sales.svc in prod, apis'
    new = rename(text)
    assert new.startswith('{"apiVersion": "v1"} registry.')
    assert ".co.uk:5000/" in new
    assert re.findall(r"acme|team|ip-10|sales|prod|\bapis?\b", new) == []
    assert re.search(r":1\.2 on \w+, (\w+)\.\w+\.svc in \w+, \1s$", new)
