"""What schemathesis checks; started by schema.py, which provides a sandbox."""

from __future__ import annotations

import os
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import checks

from helpers.sandbox.auth import content_hash, signature, string_to_sign

ENDPOINT = os.environ["SANDBOX_ENDPOINT"].rstrip("/")
KEY = os.environ["COMMUNICATION_CONNECTION_STRING"].split(";accesskey=")[1]
EXAMPLES = int(os.environ["SCHEMA_EXAMPLES"])


class Signed(requests.auth.AuthBase):
    """Signs a request as it will be sent."""

    def __call__(self, request: Any) -> Any:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        parts = urlsplit(request.url)
        target = parts.path + ("?" + parts.query if parts.query else "")
        date, body_hash = formatdate(usegmt=True), content_hash(body)
        text = string_to_sign(request.method, target, date, parts.netloc, body_hash)
        request.headers.update(
            {
                "x-ms-date": date,
                "x-ms-content-sha256": body_hash,
                "Authorization": "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256"
                f"&Signature={signature(KEY, text)}",
            }
        )
        return request


schema = schemathesis.openapi.from_url(
    f"{ENDPOINT}/openapi.json", verify=os.environ["REQUESTS_CA_BUNDLE"]
)
CHECKS = [
    check
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    )
    for check in [checks.CHECKS.get_one(name)]
]


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_sandbox_keeps_to_its_description(case: Any) -> None:
    case.call_and_validate(
        base_url=ENDPOINT, auth=Signed(), verify=os.environ["REQUESTS_CA_BUNDLE"], checks=CHECKS
    )
