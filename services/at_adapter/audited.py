"""Calls that are noted in the audit log."""

from storage.audit import Audited
from telemetry.masking import mask_msisdn

AUDITED = {
    "/njia.at_adapter.v1.AtAdapterService/LiftOptOut": Audited(
        "opt_out.lift", lambda request, _: f"{mask_msisdn(request.number)} of {request.sender or 'every sender'}"
    ),
}
