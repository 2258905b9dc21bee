"""The REST API as the command line uses it."""

from collections.abc import Mapping
from typing import Any

import httpx

TIMEOUT_SECONDS = 75.0
"""Above the longest time that an execute may take to answer (60 s)."""

CONNECT_SECONDS = 5.0


class Refused(Exception):
    """
    The API refused a request.

    Attributes:
        document: Its error, see the error shape of the API.
    """

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        super().__init__(f"{document.get('error', 'refused')} ({status})")
        self.document = document


class Unreachable(Exception):
    """
    Nobody answers, or somebody who is not the gateway.

    Attributes:
        remedy: What to do about it.
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


NAME_IT = "Name the gateway by --url or NJIA_URL, such as http://127.0.0.1:8080"
START_IT = "Start everything with `make run`, or name the gateway by --url or NJIA_URL"
TRUST_IT = "SSL_CERT_FILE names the file of the authority that signed its certificate"
WAIT_FOR_IT = "It may have too much to do, or be another program: try again, or name the gateway by --url or NJIA_URL"
SPEAK_ITS_TONGUE = "It answers without TLS: name the gateway by http:// instead of https://"


class Api:
    """One gateway, such as http://127.0.0.1:8080."""

    def __init__(self, url: str, key: str | None) -> None:
        """Raises Unreachable where the URL is none."""
        self._url = url
        timeout = httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS)
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        try:
            self._client = httpx.Client(base_url=url, timeout=timeout, headers=headers)
        except httpx.InvalidURL as problem:
            raise Unreachable(f"{url} is no address: {problem}", NAME_IT) from None

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Reads; what is None is left out of the query. Raises Refused, Unreachable."""
        return self._answer("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, document: Any = None) -> dict[str, Any]:
        """Sends a JSON document. Raises Refused, Unreachable."""
        return self._answer("POST", path, json={} if document is None else document)

    def post_text(self, path: str, text: bytes) -> dict[str, Any]:
        """Sends a JSON text as it is, so that its faults are reported where they stand. Raises Refused, Unreachable."""
        return self._answer("POST", path, content=text, headers={"content-type": "application/json"})

    def delete(self, path: str) -> dict[str, Any]:
        """Deletes. Raises Refused, Unreachable."""
        return self._answer("DELETE", path)

    def _answer(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            answer = self._client.request(method, path, **request)
        except httpx.HTTPError as problem:
            why = str(problem) or type(problem).__name__
            raise Unreachable(f"{self._url} does not answer: {why}", _remedy(problem)) from problem
        try:
            document = answer.json() if answer.content else {}
        except ValueError:
            message = f"{self._url} is not Njia's gateway: it answered {answer.status_code}"
            raise Unreachable(message, NAME_IT) from None
        if answer.is_error or not isinstance(document, dict):
            raise Refused(answer.status_code, document if isinstance(document, dict) else {})
        return document


def _remedy(problem: httpx.HTTPError) -> str:
    if isinstance(problem, httpx.UnsupportedProtocol):
        return NAME_IT
    if not isinstance(problem, httpx.ConnectError):
        return WAIT_FOR_IT
    if "CERTIFICATE_VERIFY_FAILED" in str(problem):
        return TRUST_IT
    return SPEAK_ITS_TONGUE if "WRONG_VERSION_NUMBER" in str(problem) else START_IT
