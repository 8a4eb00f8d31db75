"""The differential over the bundled catalogue, with signals of made-up workloads."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opssquad import Quote, Ref, Signal, UsageError
from opssquad.diagnosis.catalogue import load_catalogue
from opssquad.diagnosis.differential import leads, rank
from opssquad.findings import Hypothesis
from opssquad.squad.knowledge import known_faults

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CATALOGUE = known_faults("k8s", None).catalogue


def signal(id: str, owner: str = "Deployment/ns/api", entity: str = "", at: int = 0, **data: Any) -> Signal:
    """A signal `at` minutes after noon."""
    who = Ref.parse(owner)
    return Signal(
        id=id,
        entity=Ref.parse(entity) if entity else who,
        owner=who,
        text=f"{id} at {owner}",
        at=NOON + timedelta(minutes=at),
        data=data,
        quotes=(Quote(locator=owner, text=id),),
    )


def crash(**data: Any) -> Signal:
    return signal("container.crash_loop", at=5, **{"exit_code": 1, "reason": "Error", **data})


def release(at: int = 0, field: str = "image", **data: Any) -> Signal:
    diff = [{"field": field, "from": "v1", "to": "v2"}]
    return signal("rollout.recent", at=at, revision=7, diff=diff, **data)


def top(*signals: Signal) -> Hypothesis:
    return rank(CATALOGUE, signals)[0]


def test_a_crash_after_a_release_is_blamed_on_the_release_and_offers_a_rollback() -> None:
    found = top(crash(), release())
    assert (found.fault, str(found.component)) == ("K01", "Deployment/ns/api")
    assert found.root_cause.startswith("rollout.recent at Deployment/ns/api. Since then")
    assert [o.action for o in found.options] == ["rollback", "escalate"]
    assert found.options[0].args == {"deployment": "api", "namespace": "ns", "kind": "Deployment"}


def test_a_release_after_the_crash_began_is_not_blamed() -> None:
    found = top(crash(), release(at=30))
    assert found.confidence != "confirmed"
    assert "Since then" not in found.root_cause
    assert "rollback" not in [o.action for o in found.options]


def test_an_out_of_memory_kill_is_not_a_bad_release() -> None:
    found = top(
        crash(exit_code=137, reason="OOMKilled"),
        signal("container.oom_killed", at=5, limit="64Mi"),
        release(field="resources.limits.memory"),
    )
    assert found.fault == "K05"
    assert "64Mi" in found.root_cause


def test_a_missing_piece_names_the_call_that_would_show_it() -> None:
    found = top(crash())
    assert found.next_calls[0].tool == "changes"
    assert found.next_calls[0].args == {"namespace": "ns"}


def test_the_logs_of_a_caller_are_asked_for_where_one_is_known() -> None:
    gone = {"from": 3, "by": "kubectl-scale"}
    known = top(signal("workload.scaled_to_zero", caller="shop", caller_namespace="front", **gone))
    logs = next(c for c in known.next_calls if c.tool == "logs")
    assert logs.args == {"pod": "shop", "namespace": "front"}
    unknown = top(signal("workload.scaled_to_zero", **gone))
    assert "logs" not in [c.tool for c in unknown.next_calls], "nobody's logs cannot be read"


def test_a_changed_config_is_blamed_and_not_the_workload_that_reads_it() -> None:
    edit = signal(
        "config.changed",
        owner="ConfigMap/ns/settings",
        at=-60,
        used_by=["Deployment/ns/api"],
        keys=["TIMEOUT"],
    )
    parse = signal("log.parse_error", at=5, value="6s")
    ranked = rank(CATALOGUE, [crash(), edit, parse, signal("workload.same_revision_runs", at=5)])
    assert str(ranked[0].component) == "ConfigMap/ns/settings"
    assert ranked[0].fault == "K12"


def test_what_does_not_help_is_told_with_the_names_of_the_case() -> None:
    edit = signal("config.changed", owner="ConfigMap/ns/settings", at=-60, used_by=["Deployment/ns/api"])
    found = top(crash(), edit)
    told = {each.action: each.reason for each in found.inadmissible}
    assert {*told} == {"rollback", "restart"}
    assert "no revision of api holds ConfigMap/ns/settings" in told["rollback"]


def test_no_option_of_a_fault_is_one_that_is_inadmissible_for_it() -> None:
    assert sum(bool(fault.inadmissible) for fault in CATALOGUE.faults) >= 6
    for fault in CATALOGUE.faults:
        for each in (each for each in fault.inadmissible if not each.target):
            offered = [option for option in fault.actions if option.action == each.action]
            for option in offered:
                apart = (
                    each.unless and option.needs == each.unless,
                    each.needs and option.unless == each.needs,
                )
                assert any(apart), fault.id


def test_what_is_inadmissible_unless_a_clause_holds_is_told_only_where_it_does_not() -> None:
    blind = signal("hpa.inactive", why="no_request", hpa="HorizontalPodAutoscaler/ns/api", message="m")
    diff = [{"field": "resources.requests.cpu"}]
    rolled = signal("rollout.recent", at=-60, text="api revision 2", diff=diff)
    alone, with_it = (
        next(h for h in rank(CATALOGUE, some) if h.fault == "K15") for some in ([blind], [blind, rolled])
    )
    assert {each.action for each in alone.inadmissible} == {"rollback", "restart"}
    assert {each.action for each in with_it.inadmissible} == {"restart"}
    assert ["rollback" in {each.action for each in h.options} for h in (alone, with_it)] == [False, True]


def test_an_edit_of_a_config_that_nothing_broken_uses_is_not_on_the_list() -> None:
    edit = signal("config.changed", owner="ConfigMap/ns/other", at=-60, used_by=["Deployment/ns/web"])
    assert {h.fault for h in rank(CATALOGUE, [crash(), release(), edit])} == {"K01"}


def test_a_caller_that_only_complains_opens_nothing() -> None:
    complaint = signal("log.connect_refused", owner="Deployment/ns/web", workload="Deployment/ns/api")
    zero = signal("workload.scaled_to_zero", **{"from": 3})
    ranked = rank(CATALOGUE, [complaint, zero])
    assert [str(h.component) for h in ranked] == ["Deployment/ns/api"]
    assert ranked[0].options[0].args["replicas"] == 3


def test_history_is_no_cause() -> None:
    over = crash().model_copy(update={"until": NOON + timedelta(minutes=9)})
    assert rank(CATALOGUE, [over]) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("faults: [{id: X, title: t, anchors: []}]", "did you mean 'anchor'"),
        ("faults: {", "yaml, line 1: not YAML"),
        ("[]", "the whole file"),
    ],
)
def test_a_bad_catalogue_is_refused_in_one_line_that_names_the_file(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"faults\.yaml") as caught:
        load_catalogue(path)
    assert said in str(caught.value)


def test_a_fault_whose_component_is_not_known_is_left_out() -> None:
    refused = {"why": "limit_range", "message": "maximum memory usage per Container is 1Gi"}
    assert rank(CATALOGUE, [signal("replicaset.create_failed", object="", **refused)]) == []
    (found,) = rank(CATALOGUE, [signal("replicaset.create_failed", object="LimitRange/ns/sizes", **refused)])
    assert (found.fault, str(found.component)) == ("K18", "LimitRange/ns/sizes")


def denial(**data: Any) -> Signal:
    lock = "NetworkPolicy/ns/lock"
    return signal("policy.denies", owner=lock, used_by=["Deployment/ns/api"], recent=True, **data)


def test_what_is_denied_and_what_fails_must_be_the_same_where_both_say_what() -> None:
    denied = denial(service=["Service/ns/db"])
    for said, opens in (
        ({"service": "Service/ns/db"}, True),
        ({"service": "Service/ns/mail"}, False),
        ({}, True),
    ):
        failed = signal("log.timeout", at=2, **said)
        assert [each.fault for each in rank(CATALOGUE, [denied, failed])] == (["N05"] if opens else [])
    every = denial(service=[], allows_dns=False)
    assert top(every, signal("log.timeout", at=2, service="Service/ns/mail")).fault == "N05"


def test_pods_that_fail_behind_a_service_speak_against_its_port() -> None:
    mismatch = signal(
        "service.port_mismatch", owner="Service/ns/db", workload="Deployment/ns/db", port=80, target_port=9999
    )
    refused = signal("log.connect_refused", service="Service/ns/db", workload="Deployment/ns/db")
    alone = top(mismatch, refused)
    down = signal("workload.unavailable", owner="Deployment/ns/db")
    elsewhere = signal("workload.unavailable", owner="Deployment/ns/mail")
    assert (alone.fault, alone.opposing) == ("N02", ())
    assert top(mismatch, refused, elsewhere).score == alone.score
    assert top(mismatch, refused, down).score < alone.score


MISMATCH = signal(
    "service.port_mismatch",
    owner="Service/ns/db",
    port=80,
    target_port=9999,
    caller="shop",
    caller_namespace="front",
    callers=["Deployment/front/shop"],
)


def test_a_fault_that_lacks_a_look_is_a_lead_to_the_logs_of_the_caller() -> None:
    assert rank(CATALOGUE, [MISMATCH]) == []
    (lead,) = leads(CATALOGUE, [MISMATCH])
    assert (lead.tool, lead.args) == ("logs", {"pod": "shop", "namespace": "front"})
    refused = signal("log.connect_refused", owner="Deployment/front/shop")
    assert leads(CATALOGUE, [MISMATCH, refused]) == []
    nobody = MISMATCH.model_copy(update={"data": {"port": 80}})
    assert leads(CATALOGUE, [nobody]) == []


def test_a_refused_call_that_names_nobody_counts_for_what_its_owner_is_known_to_call() -> None:
    assert top(MISMATCH, signal("log.connect_refused", owner="Deployment/front/shop")).fault == "N02"
    for owner, data in (
        ("Deployment/front/other", {}),
        ("Deployment/front/shop", {"service": "Service/ns/mail"}),
    ):
        assert rank(CATALOGUE, [MISMATCH, signal("log.connect_refused", owner=owner, **data)]) == []


def test_what_still_goes_on_is_not_over() -> None:
    serving, well = signal("log.serving"), signal("workload.healthy")
    past = signal("log.error", owner="Deployment/ns/other", role="over")
    assert top(serving, well, past).fault == "Z1"
    assert rank(CATALOGUE, [serving, well, signal("log.error", owner="Deployment/ns/other")]) == []
    assert rank(CATALOGUE, [serving, past]) == []
    assert top(serving, well, past, signal("workload.recovered", owner="Deployment/ns/db")).fault == "Z2"


def test_another_form_of_a_fault_is_concluded_under_its_id() -> None:
    facts = {"odd": ["Host//10.0.0.3"], "about": "Host//pay.example"}
    found = top(signal("net.servers_differ", "Host//here", "Host//pay.example", **facts))
    assert (found.fault, str(found.component)) == ("N06", "Host//pay.example")
    assert "(Host//10.0.0.3)" in found.options[0].label


def test_what_probes_of_a_host_show_to_work_is_no_fault_unless_one_shows_another_thing() -> None:
    about = {"about": "Host//pay.example"}
    serves = signal("net.serves", "Host//here", "Host//pay.example", **about)
    assert [(h.fault, h.no_fault) for h in rank(CATALOGUE, [serves])] == [("Z1", True)]
    late = signal("net.timeout", "Host//here", "Host//map.example", about="Host//map.example")
    assert [(h.fault, str(h.component)) for h in rank(CATALOGUE, [serves, late])] == [
        ("N15", "Host//map.example")
    ]
