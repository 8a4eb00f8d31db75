"""The offline model: what it understands, and what it does next. No cluster, made-up cases."""

from typing import Any

import pytest

from opssquad import content
from opssquad.findings import Check, Choice, Hypothesis, Option, Signal
from opssquad.models.base import CONCLUDE, Case, PastCall, Reply, Request, ToolSpec
from opssquad.models.offline import Offline
from opssquad.models.phrases import load_book
from opssquad.types import Json, Ref, Target

BOOK = load_book(content.phrase_books()[""])
TOOLS = tuple(
    ToolSpec(name=n, description="", parameters={})
    for n in (*(s.tool for s in BOOK.steps.values() if s.tool), "find", CONCLUDE)
)
PODS = ["Pod/auth/api-1", "Pod/auth/api-2", "Pod/auth/db-0"]


class Quiet:
    def text(self, piece: str) -> None: ...
    def warn(self, text: str) -> None: ...


def past(tool: str, turn: int = 1, **data: Any) -> PastCall:
    return PastCall(
        turn=turn, tool=tool, args={}, status="ok", text=f"{tool} said this", call=f"t-{tool}", data=data
    )


LOOKED = (
    past("find", matches=["Deployment/auth/api"]),
    past("health", workloads=["Deployment/auth/api", "StatefulSet/auth/db"], pods=PODS),
)


async def answer(
    text: str,
    *calls: PastCall,
    turn: int = 2,
    mode: str = "chat",
    tools: tuple[ToolSpec, ...] = TOOLS,
    **case: Any,
) -> Reply:
    asked = Case.model_validate(
        {
            "question": text,
            "turn": turn,
            "mode": mode,
            "target": Target(cluster="c"),
            "calls": calls,
            **case,
        }
    )
    return await Offline({"": BOOK}).reply(Request(system="", messages=(), tools=tools, case=asked), Quiet())


@pytest.mark.parametrize(
    ("said", "tool", "args"),
    [
        ("Yes, get the last 50 lines of logs from the first pod.", "logs", {"pod": "api-1", "tail": 50}),
        ("logs of db-0 please", "logs", {"pod": "db-0"}),
        ("who complains in the logs?", "errors", {"namespace": "auth"}),
        ("do any logs show errors?", "errors", {"namespace": "auth"}),
        ("show me the logs of db", "logs", {"pod": "db", "namespace": "auth"}),
        ("show me the logs of the second pod", "logs", {"pod": "api-2"}),
        ("Check recent deployments first.", "changes", {"namespace": "auth"}),
        ("what changed in the last 2 hours?", "changes", {"minutes": 120}),
        ("Yes, verify we can roll back safely.", "rollback_check", {"deployment": "api", "revision": 0}),
        ("is it safe to roll back?", "rollback_check", {"deployment": "api"}),
        ("Yes, please roll back.", "rollback", {"deployment": "api", "namespace": "auth"}),
        ("Roll api back", "rollback", {"deployment": "api"}),
        ("roll it back to revision 3", "rollback", {"revision": 3}),
        ("restart db", "restart", {"name": "db", "kind": "StatefulSet"}),
        ("scale api to 5", "scale", {"replicas": 5}),
        ("set LOG_LEVEL=debug on api", "set_env", {"env": "LOG_LEVEL=debug"}),
        ("delete the third pod", "delete_pod", {"pod": "db-0"}),
        ("did the previous revision ever restart?", "history", {"deployment": "api", "kind": "Deployment"}),
        ("How long did the previous revision run without a restart?", "history", {"namespace": "auth"}),
        ("was the last version of db stable?", "history", {"deployment": "db", "kind": "StatefulSet"}),
        ("for how long was the old release up?", "history", {"deployment": "api"}),
        ("has revision 2 crashed before?", "history", {"deployment": "api"}),
        ("how are the nodes?", "nodes", {}),
        ("can you check the pod status?", "health", {"namespace": "auth"}),
        ("please document the incident", "timeline", {}),
    ],
)
async def test_plain_words_become_the_call_that_is_meant(said: str, tool: str, args: Json) -> None:
    reply = await answer(said, *LOOKED)
    assert [c.tool for c in reply.calls] == [tool]
    assert args.items() <= reply.calls[0].args.items()


async def test_the_first_utterance_is_looked_up_before_anything_else() -> None:
    text = "High error rates on the authentication service in production. Can you check the pod status?"
    first = await answer(text, turn=1)
    assert [(c.tool, c.args) for c in first.calls] == [("find", {"what": text})]
    second = await answer(text, LOOKED[0], turn=1)
    assert [c.tool for c in second.calls] == ["health"]
    assert second.calls[0].args["namespace"] == "auth"


async def test_pods_that_were_seen_before_a_change_are_looked_up_anew_for_their_logs() -> None:
    check = Check(outcome="better", text="settled")
    changed = past("rollback", turn=2).model_copy(
        update={"args": {"deployment": "api", "namespace": "auth"}, "check": check}
    )
    first = await answer("logs of the first pod", *LOOKED, changed, turn=3)
    assert [(c.tool, c.args["workload"]) for c in first.calls] == [("health", "api")]
    seen = past("health", turn=3, pods=["Pod/auth/api-8", "Pod/auth/api-9"])
    second = await answer("logs of the first pod", *LOOKED, changed, seen, turn=3)
    assert [(c.tool, c.args["pod"]) for c in second.calls] == [("logs", "api-8")]


@pytest.mark.parametrize(
    ("said", "look"),
    [
        ("the api pods restart all the time, why?", "find"),
        ("why did somebody roll back api?", "find"),
        ("api pods restart every few minutes", "health"),
        ("why did the previous revision restart?", "find"),
    ],
)
async def test_a_complaint_that_holds_the_word_of_a_command_is_looked_into(said: str, look: str) -> None:
    reply = await answer(said, *LOOKED, turn=2)
    assert [c.tool for c in reply.calls] == [look]


@pytest.mark.parametrize("said", ["thanks", "ok, thank you", "great, thanks a lot"])
async def test_thanks_start_no_investigation(said: str) -> None:
    reply = await answer(said, *LOOKED)
    assert reply.text.startswith("You are welcome")
    assert not reply.calls


async def test_after_a_chosen_call_its_result_is_the_answer() -> None:
    refused = PastCall(turn=2, tool="scale", args={}, status="refused", text="refused by ada: no", call="t-s")
    reply = await answer("Bring it home", *LOOKED, refused)
    assert not reply.calls
    assert reply.text == "Not done: refused by ada: no. Nothing was changed."


async def test_two_matches_are_a_question_not_a_guess() -> None:
    found = past("find", turn=1, matches=["Deployment/a/api", "Deployment/b/api"])
    reply = await answer("restart api-gateway", found, turn=1)
    assert not reply.calls
    assert [c.label for c in reply.choices] == ["Deployment/a/api", "Deployment/b/api"]


async def test_what_was_asked_for_is_told_with_numbered_next_steps() -> None:
    reply = await answer("check the pods", *LOOKED[:1], past("health", turn=2, **LOOKED[1].data))
    assert "health said this" in reply.text
    assert len(reply.choices) >= 3
    assert reply.choices[0].label == "Read the last 50 log lines of api-1"


async def test_a_single_question_is_investigated_even_if_it_speaks_of_rolling_back() -> None:
    reply = await answer("checkout fails since the release. please confirm and roll back", turn=1, mode="ask")
    assert [c.tool for c in reply.calls] == ["find"]


async def test_a_plain_command_is_carried_out_in_a_single_question_too() -> None:
    reply = await answer("please roll back api", *LOOKED, turn=2, mode="ask")
    assert [c.tool for c in reply.calls] == ["rollback"]


async def test_an_investigation_follows_the_differential_and_then_concludes_with_its_evidence() -> None:
    leading = Hypothesis(
        fault="F",
        title="t",
        component=Ref.parse("Deployment/auth/api"),
        score=0.6,
        confidence="likely",
        root_cause="because",
        next_calls=(Choice(label="look", tool="workload", args={"name": "api", "namespace": "auth"}),),
    )
    looking = await answer("why does it fail?", *LOOKED, turn=1, differential=(leading,))
    assert ("workload", {"name": "api", "namespace": "auth"}) in [(c.tool, c.args) for c in looking.calls]
    made = PastCall(
        turn=1, tool="workload", args={"name": "api", "namespace": "auth"}, status="ok", text="", call="t-w"
    )
    done = await answer("why does it fail?", *LOOKED, made, turn=1, differential=(leading,))
    assert [c.tool for c in done.calls] == [CONCLUDE]
    assert done.calls[0].args["causes"][0]["component"] == "Deployment/auth/api"


def seen(id: str, name: str, *evidence: str) -> Json:
    pod = Ref(kind="Pod", namespace="auth", name=name)
    signal = Signal(id=id, entity=pod, owner=Ref.parse("Deployment/auth/api"), text=f"{name} {id}", quotes=())
    return {"signal": signal, "evidence": evidence}


async def test_alike_pods_do_not_crowd_the_logs_out_of_the_evidence() -> None:
    crashes = [seen("container.crash_loop", f"api-{n}", f"e{n}a", f"e{n}b") for n in range(20)]
    signals = [*crashes, seen("log.fatal", "api-0", "e99")]
    leading = Hypothesis(
        fault="F",
        title="t",
        component=Ref.parse("Deployment/auth/api"),
        score=0.6,
        confidence="likely",
        root_cause="because",
        supporting=tuple(range(len(signals))),
    )
    done = await answer("why does it fail?", *LOOKED, turn=1, signals=signals, differential=(leading,))
    cited = done.calls[0].args["causes"][0]["evidence"]
    assert cited[:5] == ["e0a", "e0b", "e99", "e1a", "e1b"]


async def test_a_step_that_only_a_human_can_take_is_given_with_the_line_to_type() -> None:
    option = Option(label="Add the key", action="patch", target="ConfigMap/auth/settings")
    reply = await answer("Add the key", *LOOKED, choices=[option.choice()])
    assert "$ kubectl -n auth edit configmap settings" in reply.text
    assert not reply.calls
    assert reply.choices


async def test_where_nothing_is_broken_it_reads_the_complaints_of_what_was_named() -> None:
    reply = await answer("why is api slow?", *LOOKED, turn=1)
    assert [(c.tool, c.args.get("pod")) for c in reply.calls] == [("logs", "api"), ("errors", None)]


async def test_with_nothing_found_it_says_what_is_missing() -> None:
    args = {"pod": "api", "namespace": "auth"}
    logs = PastCall(turn=1, tool="logs", args=args, status="ok", text="", call="t-l")
    everywhere = [
        past(tool).model_copy(update={"args": {"namespace": space}})
        for tool in ("health", "errors", "changes")
        for space in ("", "auth")
    ]
    reply = await answer("why is it slow?", *LOOKED, logs, past("errors"), *everywhere, turn=1)
    assert reply.calls[0].tool == CONCLUDE
    assert reply.calls[0].args["missing"]
    assert not reply.calls[0].args.get("causes")


async def test_a_command_that_is_not_offered_is_answered_with_that() -> None:
    reading = tuple(t for t in TOOLS if t.name != "rollback")
    reply = await answer("roll it back", *LOOKED, tools=reading)
    assert reply.calls == ()
    assert "rollback is not among the tools of this conversation" in reply.text
    checked = past("rollback_check", turn=2)
    told = await answer("verify we can roll back safely", *LOOKED, checked, tools=reading)
    assert "rollback" not in {c.tool for c in told.choices}


async def test_a_suggestion_is_told_as_one_and_not_offered_again() -> None:
    suggested = past("rollback", turn=2, declined="suggested", command="kubectl rollout undo").model_copy(
        update={"status": "refused"}
    )
    reply = await answer("roll it back", *LOOKED, suggested)
    assert reply.text.startswith("Suggested, not done. The command is on the card above")
    assert "rollback" not in {c.tool for c in reply.choices}


async def test_where_nothing_near_is_broken_logs_are_read_and_then_the_whole_cluster() -> None:
    near = (
        past("find", turn=2, matches=["Deployment/auth/api"]),
        past("health", turn=2).model_copy(update={"args": {"namespace": "auth"}}),
    )
    reply = await answer("why is the api failing?", *near, mode="ask")
    assert ("errors", {"namespace": "auth"}) in [(c.tool, c.args) for c in reply.calls]
    read = past("errors", turn=2).model_copy(update={"args": {"namespace": "auth"}})
    reply = await answer("why is the api failing?", *near, read, mode="ask")
    assert {"health", "errors", "changes"} <= {c.tool for c in reply.calls if c.args == {"namespace": ""}}


async def test_where_the_cluster_may_not_be_read_the_namespace_that_is_called_into_is_looked_at() -> None:
    refused = past("health", turn=2).model_copy(update={"args": {"namespace": ""}, "status": "error"})
    looked = (
        past("errors", turn=2),
        refused,
        past("find", turn=2, matches=["Deployment/auth/api"]),
        past("health", turn=2, calls_into={"stores": ["Deployment/auth/api"]}).model_copy(
            update={"args": {"namespace": "auth"}}
        ),
    )
    reply = await answer("why is the api failing?", *looked, mode="ask")
    assert ("health", {"namespace": "stores"}) in [(c.tool, c.args) for c in reply.calls]
    seen = past("health", turn=2).model_copy(update={"args": {"namespace": "stores"}})
    reply = await answer("why is the api failing?", *looked, seen, mode="ask")
    assert "health" not in [c.tool for c in reply.calls]


async def test_an_option_that_was_carried_out_is_told_whatever_words_its_label_has() -> None:
    book = load_book(content.phrase_books()["network"])
    act = past("patch").model_copy(update={"check": Check(outcome="better", text="it passes now")})
    label = "Let through in NetworkPolicy lock: the DNS queries of web"
    case = Case(question=label, turn=1, mode="chat", target=Target(cluster="c"), calls=(act,))
    tools = tuple(ToolSpec(name=n, description="", parameters={}) for n in ("patch", "resolve", CONCLUDE))
    asked = Request(system="", messages=(), tools=tools, case=case)
    assert "it passes now" in (await Offline({"": book}).reply(asked, Quiet())).text
