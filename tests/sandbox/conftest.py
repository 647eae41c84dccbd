"""What the sandbox's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

from helpers.sandbox import Sandbox
from tests.sandbox.wire import Service


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "rule(source): holds a row of SUPPORT.md; its source is recorded, spec, documented, reported or assumed",
    )


@pytest.fixture
def service() -> Iterator[Service]:
    """The application without a server."""
    made = Service()
    yield made
    made.directory.store.close()


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sandbox]:
    """A running sandbox that this process's clients trust, set up as the tutorial does it."""
    with Sandbox(None) as sandbox:
        bundle = tmp_path / "bundle.pem"
        bundle.write_bytes(Path(certifi.where()).read_bytes() + sandbox.certificate_authority)
        for name, value in {
            "REQUESTS_CA_BUNDLE": str(bundle),
            "SSL_CERT_FILE": str(bundle),
            "NO_PROXY": "localhost,127.0.0.1",
            "no_proxy": "localhost,127.0.0.1",
            "IDENTITY_ENDPOINT": sandbox.identity_endpoint,
            "IDENTITY_HEADER": sandbox.identity_header,
        }.items():
            monkeypatch.setenv(name, value)
        yield sandbox
