"""The example survey, played by SMS."""

import pytest

from tests.e2e.driving import EXAMPLES, Document, Platform, eventually, new_phone

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHORT_CODE = "22384"


async def test_a_survey_asks_by_sms_and_goes_on_with_what_is_answered(platform: Platform) -> None:
    phone = new_phone()
    await platform.publish((EXAMPLES / "survey-by-sms.json").read_text(encoding="utf-8"))

    async def asked(count: int) -> str:
        """Waits for so many messages and for the execution to wait for an answer; returns the newest message."""

        async def sent() -> list[str]:
            found = await platform.sent_to(phone)
            return found if len(found) == count else []

        return str((await eventually(sent))[-1])

    async def waiting() -> list[Document]:
        listed = await platform.rest.get("/api/workflows/executions", params={"workflowId": "survey-by-sms"})
        return [row for row in listed.json()["executions"] if row.get("waitingFor", {}).get("kind") == "sms"]

    async def answers(message: str) -> None:
        await eventually(waiting)
        assert (await platform.text(phone, SHORT_CODE, message))["delivered"] is True

    try:
        await platform.text(phone, SHORT_CODE, "survey")
        assert "from 1 (bad) to 5" in await asked(1)
        await answers("great")
        assert await asked(2) == "Please answer with a number from 1 to 5."
        await answers(" 5 ")
        assert await asked(3) == "Thank you. What should we do better?"
        await answers("More shade & water")
        assert await asked(4) == 'Noted: 5 of 5, and "More shade & water". See you at the market.'
    finally:
        await platform.unpublish("survey-by-sms")
