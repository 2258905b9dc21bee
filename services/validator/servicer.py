"""The validator's RPCs. See protos/njia/validator/v1/validator_service.proto for the contract."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import grpc

from njia.validator.v1 import validator_service_pb2 as pb
from njia.validator.v1.validator_service_pb2_grpc import ValidatorServiceServicer
from njia.workflow.v1.workflow_pb2 import ExecutionGraph, WorkflowSource
from rpc.interceptors import SERVER_BUSY
from rpc.status import CallRefused
from services.validator.convert import document_of, graph_to_proto, hide_secrets, issues_to_proto, node_type_to_proto
from services.validator.errors import MissingWorkflow
from services.validator.validation import Report, validate
from workflow.catalogue import CATALOGUE
from workflow.compiler import compile_flow
from workflow.parse import parse_flow, parse_text
from workflow.spec import WorkflowSpec
from workflow.suggestions import few_suggestions

SMALL_BYTES = 8 * 1024
"""A flow up to this size is checked in a few milliseconds, on the event loop; a larger one in a thread."""

LARGE_AT_ONCE = 2
"""More threads would share one interpreter, and be no faster."""

MOST_LARGE = 50
"""Larger flows that are checked or wait for it; further ones are refused. Each may take seconds."""

LARGE = "large-flow"
"""Name of the threads."""

Context = grpc.aio.ServicerContext[Any, Any]
T = TypeVar("T")


class ValidatorServicer(ValidatorServiceServicer):
    """Answers from the core; it keeps nothing but the rows of the catalogue."""

    def __init__(self) -> None:
        # Threads of its own: those of the loop look up addresses too, and a large flow may take seconds.
        self._threads = ThreadPoolExecutor(LARGE_AT_ONCE, LARGE)
        self._large = 0
        self._node_types = pb.ListNodeTypesResponse(
            node_types=[node_type_to_proto(node_type) for node_type in CATALOGUE.values()]
        )

    async def ValidateWorkflow(
        self, request: pb.ValidateWorkflowRequest, context: Context
    ) -> pb.ValidateWorkflowResponse:
        """Reports every fault."""
        return await self._worked(request.source, lambda: _validated(request.source))

    async def CompileWorkflow(self, request: pb.CompileWorkflowRequest, context: Context) -> pb.CompileWorkflowResponse:
        """Reports every fault, or compiles."""
        return await self._worked(request.source, lambda: _compiled(request))

    async def ListNodeTypes(self, request: pb.ListNodeTypesRequest, context: Context) -> pb.ListNodeTypesResponse:
        """Lists the catalogue."""
        return self._node_types

    async def _worked(self, source: WorkflowSource, work: Callable[[], T]) -> T:
        """Does the work where it keeps nobody else waiting. Raises CallRefused (SERVER_BUSY): too many large flows."""
        if source.ByteSize() <= SMALL_BYTES:
            return work()
        if self._large >= MOST_LARGE:
            raise CallRefused(SERVER_BUSY)
        self._large += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._large -= 1


def _validated(source: WorkflowSource) -> pb.ValidateWorkflowResponse:
    report = _report(source)
    return pb.ValidateWorkflowResponse(
        valid=report.valid,
        errors=issues_to_proto(report.issues, warnings=False),
        warnings=issues_to_proto(report.issues, warnings=True),
    )


def _compiled(request: pb.CompileWorkflowRequest) -> pb.CompileWorkflowResponse:
    report = _report(request.source)
    return pb.CompileWorkflowResponse(
        success=report.valid,
        graph=None if report.spec is None else _graph(report.spec, with_secrets=request.with_secrets),
        errors=issues_to_proto(report.issues, warnings=False),
        warnings=issues_to_proto(report.issues, warnings=True),
    )


def _graph(spec: WorkflowSpec, *, with_secrets: bool) -> ExecutionGraph:
    graph = graph_to_proto(compile_flow(spec))
    if not with_secrets:
        hide_secrets(graph)
    return graph


def _report(source: WorkflowSource) -> Report:
    with few_suggestions():
        match source.WhichOneof("source"):
            case "workflow_json":
                return validate(parse_text(source.workflow_json))
            case "workflow":
                document, issues = document_of(source.workflow)
                return validate(parse_flow(document), issues)
    raise MissingWorkflow
