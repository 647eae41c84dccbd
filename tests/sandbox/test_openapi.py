"""The description that the sandbox serves of itself."""

from __future__ import annotations

from helpers.sandbox.operations import OPERATIONS
from tests.sandbox.wire import Service, ask


def test_it_names_every_operation_of_the_current_versions(service: Service) -> None:
    reply = ask(service.app, "GET", "/openapi.json", [("Host", "localhost")])
    described = {
        (method.upper(), path)
        for path, methods in reply.json["paths"].items()
        for method in methods
        if method != "parameters"
    }
    served = {
        (
            operation.method,
            "/" + "/".join("{id}" if part is None else part for part in operation.path),
        )
        for operation in OPERATIONS
        if set(operation.versions) & {"2023-10-01", "2025-03-02-preview"}
    }

    assert reply.status == 200
    assert described == served


def test_it_needs_no_key_and_holds_no_secret(service: Service) -> None:
    reply = ask(service.app, "GET", "/openapi.json", [("Host", "localhost")])

    assert reply.json["openapi"].startswith("3.")
    assert service.key.encode() not in reply.content


def test_every_reference_in_it_leads_somewhere(service: Service) -> None:
    document = ask(service.app, "GET", "/openapi.json", [("Host", "localhost")]).json

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [found for item in value.values() for found in references(item)]
        if isinstance(value, list):
            return [found for item in value for found in references(item)]
        return []

    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= names
