"""Walks every operation of the JavaScript clients from npm against the sandbox."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.sandbox.conformance.environment import environment

PACKAGE = "@azure/communication-identity"
VERSIONS = ("1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.3.1")
WALK = Path(__file__).with_name("walk.js")


def main(versions: list[str]) -> int:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        print("This check needs node and npm on the PATH.")
        return 2
    failed = 0
    for version in versions or VERSIONS:
        with tempfile.TemporaryDirectory() as folder, environment() as (_, variables):
            install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder]
            subprocess.run([*install, f"{PACKAGE}@{version}"], check=True, capture_output=True)
            # Node looks for packages beside the program.
            program = shutil.copy(WALK, folder)
            ran = subprocess.run(
                [node, program, version], env=variables, capture_output=True, text=True, timeout=300
            )
        print(f"{PACKAGE} {version}: {ran.stdout.strip() or ran.stderr}")
        failed += bool(ran.returncode)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
