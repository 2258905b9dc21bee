"""USSD_SESSION_START: a dialled code starts the flow."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field

from workflow.fields import NodeConfig
from workflow.node_type import Finding
from workflow.session import USSD
from workflow.text_patterns import NETWORK_CODE, SERVICE_CODE
from workflow.trigger_type import TriggerType


class Config(NodeConfig):
    """
    Which dialled codes start the flow; an absent filter lets all through.

    Attributes:
        service_code: Code as Africa's Talking knows it, such as *384*1#.
        network_code: Network of the phone, such as 63902.
        session_timeout: Life of the session between two screens, seconds.
        require_session_id: No effect: every callback of Africa's Talking carries one.
    """

    service_code: Annotated[str, Field(pattern=SERVICE_CODE)] | None = None
    network_code: Annotated[str, Field(pattern=NETWORK_CODE)] | None = None
    session_timeout: Annotated[int, Field(ge=10, le=300)] = 60
    require_session_id: bool = True


class Payload(BaseModel):
    """
    What the flow knows of the dial.

    `text` is all that was typed so far, `input` only the newest entry, `timestamp` ISO 8601 UTC.
    """

    sessionId: str
    msisdn: str
    serviceCode: str
    networkCode: str
    text: str
    input: str
    timestamp: str


class UssdSessionStart(TriggerType[Config]):
    type = "USSD_SESSION_START"
    title = "USSD session"
    description = "Starts the flow when somebody dials the code."
    config = Config
    output = Payload
    requires_session = True
    channel = USSD
    session_type = USSD

    def specificity(self, config: Config, payload: Mapping[str, Any]) -> int | None:
        narrowness = 0
        if config.service_code is not None:
            if config.service_code != payload.get("serviceCode"):
                return None
            narrowness += 2
        if config.network_code is not None:
            if config.network_code != payload.get("networkCode"):
                return None
            narrowness += 1
        return narrowness

    def claim(self, config: Config) -> tuple[str, ...]:
        return (self.channel, config.service_code or "", config.network_code or "")

    def session_ttl_seconds(self, config: Config) -> int:
        return config.session_timeout

    def findings(self, config: Config) -> Iterable[Finding]:
        code = config.service_code
        if code is not None and not (code.startswith("*") and code.endswith("#")):
            yield Finding(
                "UNSUPPORTED_BY_PROVIDER",
                f"Africa's Talking names a code as it is dialled, so no dial is {code}: write *{code.strip('*#')}#",
                "serviceCode",
                is_warning=True,
            )
        if not config.require_session_id:
            yield Finding(
                "UNSUPPORTED_BY_PROVIDER",
                "every USSD callback of Africa's Talking carries a session id; this has no effect",
                "requireSessionId",
                is_warning=True,
            )
