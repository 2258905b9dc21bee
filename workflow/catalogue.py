"""The node types by name, in the order in which a canvas lists them. A new type is one line here and its own file."""

from collections.abc import Mapping
from typing import Any

from workflow.node_type import NodeType
from workflow.nodes.collect_dtmf import CollectDtmf
from workflow.nodes.condition import Condition
from workflow.nodes.delay import Delay
from workflow.nodes.http_request import HttpRequestNode
from workflow.nodes.http_webhook import HttpWebhook
from workflow.nodes.incoming_call import IncomingCall
from workflow.nodes.initiate_call import InitiateCall
from workflow.nodes.merge import Merge
from workflow.nodes.payment_callback import PaymentCallback
from workflow.nodes.play_ivr import PlayIvr
from workflow.nodes.rate_limit import RateLimit
from workflow.nodes.refund_payment import RefundPayment
from workflow.nodes.request_payment import RequestPayment
from workflow.nodes.retry import Retry
from workflow.nodes.scheduled import Scheduled
from workflow.nodes.send_airtime import SendAirtime
from workflow.nodes.send_sms import SendSms
from workflow.nodes.send_ussd_response import SendUssdResponse
from workflow.nodes.session_end import SessionEnd
from workflow.nodes.session_read import SessionRead
from workflow.nodes.session_write import SessionWrite
from workflow.nodes.sms_received import SmsReceived
from workflow.nodes.switch import Switch
from workflow.nodes.ussd_session_start import UssdSessionStart
from workflow.nodes.wait_for_sms import WaitForSms

_TYPES: tuple[NodeType[Any], ...] = (
    SmsReceived(),
    UssdSessionStart(),
    IncomingCall(),
    PaymentCallback(),
    Scheduled(),
    HttpWebhook(),
    SendSms(),
    WaitForSms(),
    SendUssdResponse(),
    InitiateCall(),
    PlayIvr(),
    CollectDtmf(),
    SendAirtime(),
    RequestPayment(),
    RefundPayment(),
    HttpRequestNode(),
    Condition(),
    Switch(),
    Delay(),
    Retry(),
    RateLimit(),
    Merge(),
    SessionRead(),
    SessionWrite(),
    SessionEnd(),
)

CATALOGUE: Mapping[str, NodeType[Any]] = {node_type.type: node_type for node_type in _TYPES}
