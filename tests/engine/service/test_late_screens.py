"""What a person sees whose screen is not there in time."""

import pytest

from services.engine.core.state import Reply
from services.engine.triggers.ussd_turns import GOES_ON, STILL_WORKING, late_screen
from workflow.screens import screen_size
from workflow.spec import UssdSettings


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({}, Reply("end", GOES_ON)),
        ({"apology": "Pole, jaribu tena."}, Reply("end", "Pole, jaribu tena.")),
        ({"whenBusy": "checkAgain", "apology": "Pole"}, Reply("con", STILL_WORKING)),
    ],
)
def test_who_waited_too_long_is_not_told_that_it_failed(settings: dict[str, str], shown: Reply) -> None:
    assert late_screen(UssdSettings.model_validate(settings)) == shown
    assert screen_size(shown.text).is_gsm
