"""The sandbox's own description of its operations (OpenAPI 3.0), for tools that read one.

It describes api-version 2023-10-01, and the preview that adds custom ids and reading an identity.
"""

from __future__ import annotations

from typing import Any

STABLE_VERSION = "2023-10-01"
PREVIEW_VERSION = "2025-03-02-preview"

_ERROR = {
    "description": "The request is refused.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}},
}
_EMPTY = {"description": "Nothing at this address, or not for this method."}
_REFUSALS: dict[str, Any] = {
    **{status: _ERROR for status in ("400", "401", "413", "415", "421", "429", "500", "503")},
    "404": {"description": "The identity, or the address, does not exist."},
    "405": _EMPTY,
}


def _json(schema: str, description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _body(schema: str, *, required: bool) -> dict[str, Any]:
    return {
        "required": required,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _version(version: str) -> dict[str, Any]:
    return {
        "name": "api-version",
        "in": "query",
        "required": True,
        "schema": {"type": "string", "enum": [version]},
    }


_IDENTITY = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
    "example": "8:acs:00000000-0000-0000-0000-000000000000_00000032-a3a1-023e-ab75-4c3a0d008855",
}


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return schema


def _operation(
    operation_id: str,
    summary: str,
    responses: dict[str, Any],
    *,
    version: str = STABLE_VERSION,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": operation_id,
        "summary": summary,
        "parameters": [_version(version)],
        "responses": {**_REFUSALS, **responses},
        "security": [{"hmac": []}, {"entra": []}],
    }
    if body is not None:
        operation["requestBody"] = body
    return operation


_SCOPES = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "string",
        "enum": ["chat", "voip", "chat.join", "chat.join.limited", "voip.join"],
    },
}
_MINUTES = {"type": "integer", "format": "int32", "minimum": 60, "maximum": 1440, "default": 1440}
_ACCESS_TOKEN = _object(
    {"token": {"type": "string"}, "expiresOn": {"type": "string", "format": "date-time"}},
    ["token", "expiresOn"],
)
_NO_CONTENT = {"204": {"description": "Done."}}


def description() -> dict[str, Any]:
    """Return the OpenAPI document."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Azure Communication Services Identity (sandbox)",
            "version": STABLE_VERSION,
            "description": "A local stand-in for the identity service. See SUPPORT.md for its sources.",
        },
        "paths": {
            "/identities": {
                "post": _operation(
                    "createIdentity",
                    "Create an identity, with an access token when scopes are given.",
                    {"201": _json("IdentityAndToken", "Created.")},
                    body=_body("CreateRequest", required=False),
                )
            },
            "/identities/{id}": {
                "parameters": [_IDENTITY],
                "get": _operation(
                    "getIdentity",
                    "Read an identity.",
                    {"200": _json("Identity", "The identity.")},
                    version=PREVIEW_VERSION,
                ),
                "delete": _operation(
                    "deleteIdentity", "Delete an identity and revoke its tokens.", _NO_CONTENT
                ),
            },
            "/identities/{id}/:issueAccessToken": {
                "parameters": [_IDENTITY],
                "post": _operation(
                    "issueAccessToken",
                    "Issue an access token.",
                    {"200": _json("AccessToken", "Issued.")},
                    body=_body("IssueRequest", required=True),
                ),
            },
            "/identities/{id}/:revokeAccessTokens": {
                "parameters": [_IDENTITY],
                "post": _operation(
                    "revokeAccessTokens", "Revoke every token issued so far.", _NO_CONTENT
                ),
            },
            "/teamsUser/:exchangeAccessToken": {
                "post": _operation(
                    "exchangeTeamsUserAccessToken",
                    "Exchange a Teams user's Entra token for an access token.",
                    {"200": _json("AccessToken", "Exchanged.")},
                    body=_body("ExchangeRequest", required=True),
                )
            },
        },
        "components": {
            "securitySchemes": {
                "hmac": {"type": "apiKey", "in": "header", "name": "Authorization"},
                "entra": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
            "schemas": {
                "CreateRequest": _object(
                    {"createTokenWithScopes": _SCOPES, "expiresInMinutes": _MINUTES}
                ),
                "IssueRequest": _object(
                    {"scopes": _SCOPES, "expiresInMinutes": _MINUTES}, ["scopes"]
                ),
                "ExchangeRequest": _object(
                    {
                        "token": {"type": "string"},
                        "appId": {"type": "string", "format": "uuid"},
                        "userId": {"type": "string", "format": "uuid"},
                    },
                    ["token", "appId", "userId"],
                ),
                "Identity": _object(
                    {
                        "customId": {"type": "string"},
                        "lastTokenIssuedAt": {"type": "string", "format": "date-time"},
                        "id": {"type": "string"},
                    },
                    ["id"],
                ),
                "AccessToken": _ACCESS_TOKEN,
                "IdentityAndToken": _object(
                    {
                        "identity": {"$ref": "#/components/schemas/Identity"},
                        "accessToken": {"$ref": "#/components/schemas/AccessToken"},
                    },
                    ["identity"],
                ),
                "ErrorResponse": _object(
                    {
                        "error": _object(
                            {
                                "code": {"type": "string"},
                                "message": {"type": "string"},
                                "target": {"type": "string"},
                                "innerError": {"type": "object", "nullable": True},
                            },
                            ["code", "message"],
                        )
                    },
                    ["error"],
                ),
            },
        },
    }
