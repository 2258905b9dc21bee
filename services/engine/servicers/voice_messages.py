"""What is done in a call, as messages."""

from njia.engine.v1 import voice_pb2 as pb
from services.engine.triggers.timely_turns import TimelyAnswer
from workflow.voice import Action, GetDigits, Hold, Play, Redirect, Say


def voice_answer_to_message(answer: TimelyAnswer) -> pb.HandleVoiceResponse:
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
