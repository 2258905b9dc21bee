"""/control/faults, /control/settings, /control/reset and /control/health."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.control.answers import ControlRefused, describe_faults, json_answer, read_object
from emulator.faults import MAX_QUEUED, Faults, TooManyFaults, fault_adapter
from emulator.settings import LiveSettings


class BehaviourControl:
    """
    The endpoints.

    Args:
        faults: The queues.
        settings: The settings.
        reset: Puts everything back to the start.
        counts: Returns what health tells.
    """

    def __init__(
        self,
        faults: Faults,
        settings: LiveSettings,
        reset: Callable[[], Awaitable[None]],
        counts: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._faults = faults
        self._settings = settings
        self._reset = reset
        self._counts = counts

    def routes(self) -> list[Route]:
        """Returns what to mount."""
        return [
            Route("/control/faults", self.add_fault, methods=["POST"]),
            Route("/control/faults", self.list_faults, methods=["GET"]),
            Route("/control/faults", self.clear_faults, methods=["DELETE"]),
            Route("/control/settings", self.show_settings, methods=["GET"]),
            Route("/control/settings", self.change_settings, methods=["PATCH"]),
            Route("/control/reset", self.reset, methods=["POST"]),
            Route("/control/health", self.health, methods=["GET"]),
        ]

    async def add_fault(self, request: Request) -> Response:
        """Answers `POST /control/faults`."""
        document = await read_object(request)
        try:
            self._faults.add(fault_adapter.validate_python(document))
        except ValidationError as error:
            raise ControlRefused(400, describe_faults(error)) from error
        except TooManyFaults as error:
            raise ControlRefused(409, f"{MAX_QUEUED} faults wait for {error} already") from error
        return json_answer(self._listed(), 201)

    async def list_faults(self, _: Request) -> Response:
        """Answers `GET /control/faults`."""
        return json_answer(self._listed())

    async def clear_faults(self, _: Request) -> Response:
        """Answers `DELETE /control/faults`."""
        self._faults.clear()
        return json_answer(self._listed())

    async def show_settings(self, _: Request) -> Response:
        """Answers `GET /control/settings`."""
        return json_answer(self._settings.current.model_dump(by_alias=True))

    async def change_settings(self, request: Request) -> Response:
        """Answers `PATCH /control/settings`."""
        changes = await read_object(request)
        try:
            return json_answer(self._settings.change(changes).model_dump(by_alias=True))
        except ValidationError as error:
            raise ControlRefused(400, describe_faults(error)) from error

    async def reset(self, _: Request) -> Response:
        """Answers `POST /control/reset`."""
        await self._reset()
        return json_answer({"status": "ok"})

    async def health(self, _: Request) -> Response:
        """Answers `GET /control/health`."""
        return json_answer({"status": "ok", **self._counts()})

    def _listed(self) -> dict[str, Any]:
        return {
            "faults": [
                {**fault.model_dump(by_alias=True, exclude_none=True), "left": left}
                for fault, left in self._faults.waiting()
            ],
            "taken": self._faults.taken,
        }
