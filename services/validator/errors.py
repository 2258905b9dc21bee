"""What the validator refuses as a call. A flow with faults is an answer and no error."""


class MissingWorkflow(Exception):
    """The request names no flow."""
