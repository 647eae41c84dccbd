"""An ASGI application on a port of its own, in a thread."""

from __future__ import annotations

import socket
import tempfile
import threading
from pathlib import Path

import trustme
import uvicorn
from starlette.types import ASGIApp

from helpers.errors import TutorialError
from helpers.language import gettext as _

_START_SECONDS = 10
_STOP_SECONDS = 5


class Serving:
    """Serves until it is closed; over HTTPS where there is a *certificate*."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str,
        port: int,
        certificate: trustme.LeafCert | None = None,
    ) -> None:
        """Listen on *port* of *host*; 0 takes any free one.

        Raises:
            TutorialError: it cannot be listened on.
        """
        try:
            listening = socket.create_server(
                (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512
            )
        except OSError as error:
            raise TutorialError(
                _(
                    "port {port} of {host}, which the room needs too, cannot be used ({reason}); choose another --port."
                ).format(port=port, host=host, reason=error.strerror or error)
            ) from error
        self.port: int = listening.getsockname()[1]
        self._server = uvicorn.Server(_configuration(app, certificate))
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name="acs-room", daemon=True
        )
        self._thread.start()
        waiting = threading.Event()
        for _attempt in range(_START_SECONDS * 100):
            if self._server.started or not self._thread.is_alive():
                break
            waiting.wait(0.01)
        if not self._server.started:
            self.close()
            raise TutorialError(
                _("the room could not start listening on port {port}; try again.").format(
                    port=self.port
                )
            )

    def close(self) -> None:
        """Stop listening. Closing twice is harmless."""
        self._server.should_exit = True
        self._thread.join(_STOP_SECONDS)


def _configuration(app: ASGIApp, certificate: trustme.LeafCert | None) -> uvicorn.Config:
    with tempfile.TemporaryDirectory(prefix="acs-tutorial-room-") as folder:
        chain = None
        if certificate is not None:
            chain = Path(folder) / "certificate.pem"
            certificate.private_key_and_cert_chain_pem.write_to_path(chain)
        config = uvicorn.Config(
            app,
            ssl_certfile=chain,
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="critical",
            server_header=False,
            proxy_headers=False,
            limit_concurrency=1000,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=1,
        )
        # Here the certificate is read, so that its key need not stay on the disk.
        config.load()
    return config
