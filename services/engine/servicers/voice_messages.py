"""Calls: what the adapter reports of them, as the engine has it, and what is done in them, as messages."""

from njia.engine.v1 import voice_pb2 as pb
from services.engine.errors import InvalidRequest
from services.engine.executions.executions import check_session_id
from services.engine.triggers.timely_turns import TimelyAnswer
from services.engine.triggers.voice_turns import CallEnd, VoiceCallback
from workflow.voice import MAX_DIGITS, Action, GetDigits, Hold, Play, Redirect, Say


def voice_callback(request: pb.HandleVoiceRequest) -> VoiceCallback:
    """Reads a callback of a live call. Raises InvalidRequest."""
    check_session_id(request.session_id)
    if len(request.digits) > MAX_DIGITS:
        raise InvalidRequest("digits", f"at most {MAX_DIGITS} keys are asked for at once")
    return VoiceCallback(
        session_id=request.session_id,
        caller=request.msisdn,
        called=request.called_number,
        direction=request.direction,
        answers=request.answers,
        digits=request.digits if request.HasField("digits") else None,
        check=request.check,
        request=request.request_id,
    )


def call_end(request: pb.HandleVoiceEndRequest) -> CallEnd:
    """Reads the end of a call. Raises InvalidRequest."""
    check_session_id(request.session_id)
    return CallEnd(
        session_id=request.session_id,
        direction=request.direction,
        request=request.request_id,
        status=request.status,
        cause=request.hangup_cause,
    )


def voice_answer_to_proto(answer: TimelyAnswer) -> pb.HandleVoiceResponse:
    """Writes what is done next in a call."""
    return pb.HandleVoiceResponse(
        actions=[_action(action) for action in answer.reply.actions],
        turn=answer.reply.turn,
        execution_id=answer.execution_id,
        repeated_answer=answer.repeated,
    )


def _action(action: Action) -> pb.VoiceAction:
    match action:
        case Say():
            return pb.VoiceAction(say=_say(action))
        case Play():
            return pb.VoiceAction(play=_play(action))
        case GetDigits(max_digits, timeout_seconds, finish_on_key, prompt):
            asked = pb.GetDigitsAction(
                max_digits=max_digits,
                timeout_seconds=timeout_seconds,
                finish_on_key=finish_on_key,
                say=_say(prompt) if isinstance(prompt, Say) else None,
                play=_play(prompt) if isinstance(prompt, Play) else None,
            )
            return pb.VoiceAction(get_digits=asked)
        case Redirect(url):
            return pb.VoiceAction(redirect=pb.RedirectAction(url=url))
        case Hold():
            return pb.VoiceAction(hold=pb.HoldAction())
    return pb.VoiceAction(reject=pb.RejectAction())


def _say(action: Say) -> pb.SayAction:
    return pb.SayAction(text=action.text, voice=action.voice, interruptible=action.interruptible)


def _play(action: Play) -> pb.PlayAction:
    return pb.PlayAction(url=action.url, interruptible=action.interruptible)
