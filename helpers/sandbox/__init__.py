"""An Azure Communication Services Identity service for this machine, over loopback HTTPS.

It knows nothing of the tutorial around it.
"""

from __future__ import annotations

from helpers.sandbox.control import Clock
from helpers.sandbox.errors import Refusal, SandboxError, StorageError
from helpers.sandbox.requestlog import RequestRecord
from helpers.sandbox.sandbox import Sandbox

__all__ = ["Clock", "Refusal", "RequestRecord", "Sandbox", "SandboxError", "StorageError"]
