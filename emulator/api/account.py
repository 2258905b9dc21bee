"""The account: /version1/user."""

from starlette.requests import Request
from starlette.responses import Response

from emulator.api.answers import data_answer
from emulator.api.requests import authenticate, required_query
from emulator.faults import Faults
from emulator.sms.acceptance import Acceptance


class Account:
    """The endpoint. `api_key` is the key of the account."""

    def __init__(self, acceptance: Acceptance, faults: Faults, api_key: str) -> None:
        self._acceptance = acceptance
        self._faults = faults
        self._api_key = api_key

    async def user(self, request: Request) -> Response:
        """GET /api/version1/user: the balance in dollars."""
        authenticate(request, required_query(request, "username"), self._api_key)

        def work() -> Response:
            return data_answer(request, 200, {"UserData": {"balance": f"USD {self._acceptance.balance:.4f}"}})

        return await self._faults.answer_under(self._faults.take("account"), work)
