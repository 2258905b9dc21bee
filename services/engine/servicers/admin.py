"""AdminService: unpacks a message, has the work done, packs the answer."""

import re
from collections.abc import Callable
from typing import Any

import grpc

from njia.engine.v1 import admin_service_pb2 as pb
from njia.engine.v1.admin_service_pb2_grpc import AdminServiceServicer
from services.engine.errors import InvalidRequest
from services.engine.executions.erasure import Erasure
from services.engine.servicers import pages
from services.engine.servicers.moments import timestamp_of
from services.engine.store.redis.calls import answer_of
from storage.audit import AuditLog

Context = grpc.aio.ServicerContext[Any, Any]

_PLACE = re.compile(r"[0-9]{1,16}-[0-9]{1,16}")


class AdminServicer(AdminServiceServicer):
    """See admin_service.proto. `now_ms` is Unix time."""

    def __init__(self, audit: AuditLog, erasure: Erasure, now_ms: Callable[[], int]) -> None:
        self._audit = audit
        self._erasure = erasure
        self._now_ms = now_ms

    async def ListAudit(self, request: pb.ListAuditRequest, context: Context) -> pb.ListAuditResponse:
        limit = pages.page_size(request.page_size)
        if request.page_token and not _PLACE.fullmatch(request.page_token):
            raise InvalidRequest("page_token", "is not one that a listing gave", pages.INVALID)
        found = await answer_of(self._audit.page(limit + 1, request.page_token, self._now_ms()))
        return pb.ListAuditResponse(
            entries=[
                pb.AuditEntry(at=timestamp_of(entry.at_ms), who=entry.who, action=entry.action, subject=entry.subject)
                for entry in found[:limit]
            ],
            next_page_token=found[limit - 1].place if len(found) > limit else "",
        )

    async def EraseSubject(self, request: pb.EraseSubjectRequest, context: Context) -> pb.EraseSubjectResponse:
        erased = await self._erasure.erase(request.msisdn)
        return pb.EraseSubjectResponse(
            executions=erased.executions,
            left=erased.left,
            sessions=erased.sessions,
            value_sets=erased.value_sets,
            unclaimed=erased.unclaimed,
        )
