"""What a failure does: retries, time-outs, continueOnError, cancelled siblings, defects."""

from typing import Any

import pytest

from tests.engine.core.flow_dicts import FAST, NUMBER, condition, document, node, sms, switch, write
from tests.engine.core.outside import HANGS, Answer, failing, slow
from tests.engine.core.virtual_time import in_virtual_time, told
from tests.engine.core.world import World
from workflow.session import Scope

A, B, C = (f"+25471100001{digit}" for digit in range(3))


def one_sms(**more: Any) -> dict[str, Any]:
    """A flow of one SMS; `more` are sections of the flow, or `top` of the node."""
    top = more.pop("top", None)
    return document("sms", {"send": sms(top=top)}, ["start > send"], **more)


@in_virtual_time
async def test_an_uncaught_failure_cancels_what_runs_and_the_rest_is_not_run() -> None:
    flow = document(
        "sms",
        {"bad": sms(A), "slow": sms(B, "{{message}}"), "behind-bad": sms(C), "behind-slow": sms(C)},
        ["start > bad", "start > slow", "bad > behind-bad", "slow > behind-slow"],
    )
    world = World(flow)
    world.sms.script = {A: [failing("REJECTED", "permanent", after=1)], B: [slow(20)]}
    state = await world.execute({"message": "a secret"})
    assert state.status == "failed"
    assert state.error is not None
    assert state.error.code == "REJECTED"
    assert world.statuses() == {"start": "success", "bad": "error", "slow": "error"}
    cancelled = world.results("slow")[-1].error
    assert cancelled is not None
    assert cancelled.code == "CANCELLED"
    assert state.nodes["slow"].config is None, "what a cancelled node was about to say is not kept"
    assert state.completed_at_ms is not None
    assert state.completed_at_ms - state.started_at_ms == 1000


@in_virtual_time
async def test_continue_on_error_takes_plain_edges_only_and_completes() -> None:
    flow = document(
        "sms",
        {"send": sms(), "plain": sms(A), "success": sms(B), "choice": switch("x", value="{{nothing}}"), "else": sms(C)},
        [
            "start > send",
            "send > plain",
            "send:success > success",
            "start > choice",
            "choice:x > success",
            "choice > else",
        ],
        errorHandling={"continueOnError": True},
    )
    world = World(flow)
    world.sms.script[NUMBER] = [failing("REJECTED", "permanent")]
    state = await world.execute()
    assert (state.status, state.error) == ("completed", None)
    assert sorted(world.sms.inbox) == ["exe:else:0", "exe:plain:0"]
    assert world.statuses()["send"] == world.statuses()["choice"] == "error"
    assert world.statuses()["success"] == "skipped"


@in_virtual_time
async def test_continue_on_error_takes_neither_side_of_a_condition() -> None:
    flow = document(
        "sms",
        {"fork": condition("{{message}} > 3"), "yes": sms(A), "no": sms(B), "plain": sms(C)},
        ["start > fork", "fork:true > yes", "fork:false > no", "fork > plain"],
    )
    world = World(flow, continue_on_error=True)
    state = await world.execute({"message": [1]})
    assert state.status == "completed"
    assert list(world.sms.inbox) == ["exe:plain:0"]


@in_virtual_time
async def test_continue_on_error_skips_a_plain_edge_whose_expression_fails() -> None:
    flow = document(
        "sms", {"send": sms(), "next": sms(A)}, ["start > send", ("send > next", {"condition": "{{message}} < 3"})]
    )
    world = World(flow, continue_on_error=True)
    world.sms.script[NUMBER] = [failing("REJECTED", "permanent")]
    state = await world.execute({"message": [1]})
    assert state.status == "completed"
    assert world.statuses()["next"] == "skipped"


@in_virtual_time
async def test_a_caught_failure_takes_its_error_edge_alone_even_with_continue_on_error() -> None:
    flow = document(
        "sms", {"send": sms(), "plain": sms(A), "error": sms(B)}, ["start > send", "send > plain", "send:error > error"]
    )
    world = World(flow, continue_on_error=True)
    world.sms.script[NUMBER] = [failing("REJECTED", "permanent")]
    await world.execute()
    assert list(world.sms.inbox) == ["exe:error:0"]


@in_virtual_time
async def test_retries_grow_and_every_attempt_is_in_the_log() -> None:
    world = World(one_sms(), random=lambda: 0.5)
    world.sms.script[NUMBER] = [failing()]
    state = await world.execute()
    assert state.status == "failed"
    results = world.results("send")
    assert [(result.attempt, str(result.status), result.retry_delay_ms) for result in results] == [
        (1, "error", None), (2, "error", 750), (3, "error", 1500),
    ]  # fmt: skip
    assert [when for _, when in world.sms.calls] == [0, 0.75, 2.25]
    assert {key for key, _ in world.sms.calls} == {"exe:send:0"}


@pytest.mark.parametrize(("drawn", "delay"), [(0.0, 500), (1.0, 1000)])
def test_half_of_a_delay_is_fixed_and_half_is_random(drawn: float, delay: int) -> None:
    async def story() -> None:
        world = World(one_sms(), random=lambda: drawn)
        world.sms.script[NUMBER] = [failing(), Answer()]
        await world.execute()
        assert [result.retry_delay_ms for result in world.results("send")] == [None, delay]

    told(story())


@in_virtual_time
async def test_a_retry_that_succeeds_completes() -> None:
    world = World(one_sms())
    world.sms.script[NUMBER] = [failing(), Answer()]
    state = await world.execute()
    assert state.status == "completed"
    assert [str(result.status) for result in world.results("send")] == ["error", "success"]
    assert world.sms.texts() == ["hello"]


@in_virtual_time
async def test_the_largest_delay_bounds_the_others() -> None:
    retry = {"maxAttempts": 4, "initialDelayMs": 100, "backoffMultiplier": 10, "maxDelayMs": 400}
    world = World(one_sms(top={"retry": retry}), random=lambda: 1.0)
    world.sms.script[NUMBER] = [failing()]
    await world.execute()
    assert [result.retry_delay_ms for result in world.results("send")] == [None, 100, 400, 400]


@in_virtual_time
async def test_what_the_other_side_asks_for_wins() -> None:
    world = World(one_sms(top={"retry": {**FAST, "maxDelayMs": 2000}}))
    world.sms.script[NUMBER] = [failing("RATE_LIMIT", "rate_limit", retry_after_ms=7000), Answer()]
    await world.execute()
    assert [result.retry_delay_ms for result in world.results("send")] == [None, 7000]


@pytest.mark.parametrize(
    ("policy", "code", "kind", "attempts"),
    [
        (FAST, "ANY", "transient", 3),
        (FAST, "ANY", "rate_limit", 3),
        (FAST, "ANY", "permanent", 1),
        (FAST, "ANY", "validation", 1),
        ({**FAST, "retryableErrors": ["ODD"]}, "ODD", "permanent", 3),
        ({**FAST, "retryableErrors": ["ODD"]}, "SERVER_ERROR", "transient", 1),
        ({**FAST, "retryableErrors": ["ODD"]}, "ODD", "validation", 1),
        ({**FAST, "retryableErrors": []}, "ANY", "transient", 3),
        ({**FAST, "maxAttempts": 1}, "ANY", "transient", 1),
        (None, "NETWORK_ERROR", "transient", 3),
        (None, "OTHER", "transient", 1),
    ],
)
def test_only_what_may_pass_by_itself_or_is_named_is_retried(
    policy: dict[str, Any] | None, code: str, kind: str, attempts: int
) -> None:
    async def story() -> None:
        world = World(one_sms(top=None if policy is None else {"retry": policy}))
        world.sms.script[NUMBER] = [failing(code, kind)]
        await world.execute()
        assert len(world.results("send")) == attempts

    told(story())


@in_virtual_time
async def test_retry_on_failure_false_means_one_attempt() -> None:
    flow = document("sms", {"send": sms(retryOnFailure=False, top={"retry": FAST})}, ["start > send"])
    world = World(flow)
    world.sms.script[NUMBER] = [failing()]
    await world.execute()
    assert len(world.results("send")) == 1


@pytest.mark.parametrize(("own", "default", "attempts"), [(2, 4, 2), (None, 4, 4), (None, None, 3)])
def test_the_policy_of_a_node_beats_that_of_the_flow_which_beats_that_of_the_type(
    own: int | None, default: int | None, attempts: int
) -> None:
    async def story() -> None:
        flow = one_sms(
            top=None if own is None else {"retry": {**FAST, "maxAttempts": own}},
            **({} if default is None else {"errorHandling": {"defaultRetry": {**FAST, "maxAttempts": default}}}),
        )
        world = World(flow)
        world.sms.script[NUMBER] = [failing()]
        await world.execute()
        assert len(world.results("send")) == attempts

    told(story())


@in_virtual_time
async def test_a_node_that_takes_too_long_times_out_and_takes_its_timeout_edge() -> None:
    flow = document(
        "sms",
        {"send": sms(top={"timeout": 5000}), "late": sms(A), "failed": sms(B)},
        ["start > send", "send:timeout > late", "send:error > failed"],
    )
    world = World(flow)
    world.sms.script[NUMBER] = [HANGS]
    state = await world.execute()
    assert state.status == "completed"
    result = world.results("send")[-1]
    assert (str(result.status), result.duration_ms) == ("timeout", 5000)
    assert result.error is not None
    assert result.error.code == "TIMEOUT"
    assert list(world.sms.inbox) == ["exe:send:0", "exe:late:0"]


@in_virtual_time
async def test_a_time_out_without_an_edge_of_its_own_takes_the_error_edge() -> None:
    flow = document(
        "sms", {"send": sms(top={"timeout": 5000}), "failed": sms(B)}, ["start > send", "send:error > failed"]
    )
    world = World(flow)
    world.sms.script[NUMBER] = [HANGS]
    state = await world.execute()
    assert state.status == "completed"
    assert world.statuses()["failed"] == "success"


@in_virtual_time
async def test_the_active_time_of_an_execution_is_bounded() -> None:
    world = World(one_sms(settings={"maxExecutionTimeMs": 3000}))
    world.sms.script[NUMBER] = [HANGS]
    state = await world.execute()
    assert state.status == "timeout"
    assert state.error is not None
    assert state.error.code == "EXECUTION_TIMEOUT"
    assert state.completed_at_ms is not None
    assert state.completed_at_ms - state.started_at_ms == 3000


@in_virtual_time
async def test_an_option_of_the_call_beats_the_flow() -> None:
    world = World(one_sms(settings={"maxExecutionTimeMs": 3000}), max_active_ms=1000)
    world.sms.script[NUMBER] = [HANGS]
    state = await world.execute()
    assert state.completed_at_ms is not None
    assert state.completed_at_ms - state.started_at_ms == 1000


@in_virtual_time
async def test_a_missing_variable_is_a_validation_error_that_names_the_path() -> None:
    world = World(document("sms", {"send": sms(message="Hello {{name.first}}")}, ["start > send"]))
    state = await world.execute()
    assert state.status == "failed"
    assert state.error is not None
    assert (state.error.code, state.error.type) == ("MISSING_VARIABLE", "validation")
    assert "name.first" in state.error.message
    assert state.error.details["path"] == "name.first"
    assert world.sms.calls == []


@in_virtual_time
async def test_a_text_that_fits_no_more_once_it_is_rendered_fails_with_the_words_of_the_validator() -> None:
    flow = document("sms", {"pay": node("SEND_AIRTIME", to=NUMBER, amount="{{message}}")}, ["start > pay"])
    state = await World(flow).execute({"message": "10.555"})
    assert state.error is not None
    assert state.error.code == "INVALID_NODE_CONFIG"
    assert state.error.message.startswith("config.amount: amount '10.555' is no amount: it must be a decimal")


@in_virtual_time
async def test_text_that_looks_like_a_template_or_an_expression_stays_text() -> None:
    evil = '" || true || "{{session.data.pin}} {{workflow.id}}'
    flow = document(
        "ussd",
        {
            "keep": write(said="{{message}}"),
            "fork": condition("{{message}} == 'x'"),
            "send": sms(message="{{message}}!"),
        },
        ["start > keep", "keep > fork", "fork:false > send"],
    )
    world = World(flow)
    await world.execute({"message": evil})
    assert world.sms.texts() == [f"{evil}!"]
    assert world.output("keep") == {"sessionData": {"said": evil}}


@in_virtual_time
async def test_an_output_that_is_too_large_is_a_failure_and_is_not_kept() -> None:
    flow = document(
        "ussd",
        {"keep": write(a="{{message}}", b="{{message}}"), "caught": sms(A)},
        ["start > keep", "keep:error > caught"],
    )
    world = World(flow, max_output_bytes=1000)
    await world.execute({"message": "é" * 200})
    assert world.statuses()["keep"] == "success"
    world = World(flow, max_output_bytes=1000)
    await world.execute({"message": "é" * 300})
    error = world.results("keep")[-1].error
    assert error is not None
    assert error.code == "OUTPUT_TOO_LARGE"
    assert world.statuses()["caught"] == "success"
    assert world.sessions.data[Scope.SESSION] == {}


@in_virtual_time
async def test_a_defect_of_a_port_is_an_internal_error_and_the_flow_goes_on_as_for_any_failure() -> None:
    flow = document("sms", {"send": sms(), "caught": sms(A)}, ["start > send", "send:error > caught"])
    world = World(flow)
    world.sms.script[NUMBER] = [Answer(failure=ZeroDivisionError("secret"))]
    state = await world.execute()
    assert state.status == "completed"
    error = world.results("send")[-1].error
    assert error is not None
    assert (error.code, error.type) == ("INTERNAL", "permanent")
    assert "secret" not in error.message
    assert list(world.sms.inbox) == ["exe:caught:0"]


@in_virtual_time
async def test_what_stands_behind_a_failure_can_say_why_it_failed() -> None:
    flow = document(
        "sms",
        {
            "ask": node("HTTP_REQUEST", url="https://api.example.com/orders"),
            "missing": sms(A, "{{node_ask.error.code}}: {{node_ask.error.details.body.status}}"),
            "other": sms(B),
        },
        [
            "start > ask",
            ("ask:error > missing", {"condition": "{{node_ask.error.details.statusCode}} == 404"}),
            ("ask:error > other", {"condition": "{{node_ask.error.details.statusCode}} != 404"}),
        ],
    )
    world = World(flow)
    world.web.statuses = [404]
    state = await world.execute()
    assert state.status == "completed"
    assert world.sms.inbox == {"exe:missing:0": ((A,), "4XX: here")}


@in_virtual_time
async def test_a_failure_is_forgotten_once_a_retry_succeeds() -> None:
    flow = document(
        "sms",
        {
            "ask": node("HTTP_REQUEST", url="https://api.example.com/"),
            "tell": sms(A, '{{node_ask.error.code | default("fine")}}'),
        },
        ["start > ask", "ask > tell"],
    )
    world = World(flow)
    world.web.statuses = [503, 200]
    await world.execute()
    assert world.sms.texts() == ["fine"]
