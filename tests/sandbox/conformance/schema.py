"""Runs schemathesis against the sandbox, from the description that it serves.

Needs schemathesis, which is not among the project's own packages:

    uv run --with schemathesis python -m tests.sandbox.conformance.schema [examples per operation]
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.sandbox.conformance.environment import environment

CHECKS = Path(__file__).with_name("schema_checks.py")


def main(examples: str = "300") -> int:
    with environment() as (sandbox, variables):
        ran = subprocess.run(
            [
                sys.executable,
                *("-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "-c", os.devnull),
                *("--rootdir", str(CHECKS.parent), str(CHECKS)),
            ],
            env={**variables, "SCHEMA_EXAMPLES": examples, "SANDBOX_ENDPOINT": sandbox.endpoint},
        )
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
