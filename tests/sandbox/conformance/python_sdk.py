"""Runs the live tests of every version of azure-communication-identity against the sandbox."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.sandbox.conformance.environment import environment

PACKAGE = "azure-communication-identity"
VERSIONS = ("1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.3.0", "1.3.1", "1.4.0", "1.5.0")
STANDINS = Path(__file__).parent / "standins"
# six: imported by versions up to 1.3.1 and installed by none of today's packages.
NEEDS = (
    "azure-identity",
    "aiohttp",
    "pytest",
    "pytest-asyncio",
    "parameterized",
    "python-dateutil",
    "six",
)
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto")

# 1.0.0 puts a policy of the sync pipeline into its async one; 1.0.1 corrected that. Its own bug, against Azure too.
ASYNC_FILE = "test_communication_identity_client_async.py"
BROKEN_IN = {
    "1.0.0": [
        f"{ASYNC_FILE}::CommunicationIdentityClientTestAsync::test_{name}_from_managed_identity"
        for name in ("create_user", "delete_user", "get_token", "revoke_tokens")
    ]
}


def run(*command: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=True, capture_output=True, text=True, **options)  # type: ignore[call-overload,no-any-return]


def prepared(version: str, folder: Path) -> tuple[Path, Path]:
    """Return an interpreter with that version, and the tests of its source distribution."""
    home = folder / version
    uv = shutil.which("uv") or "uv"
    run(uv, "venv", "--quiet", "--seed", str(home / "venv"))
    python = home / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run(uv, "pip", "install", "--quiet", "--python", str(python), f"{PACKAGE}=={version}", *NEEDS)
    download = ["download", "--quiet", "--no-deps", "--no-binary", PACKAGE, f"{PACKAGE}=={version}"]
    run(str(python), "-m", "pip", *download, "--dest", str(home))
    archive = next(path for path in home.iterdir() if path.is_file())
    shutil.unpack_archive(archive, home)
    return python, home / f"{PACKAGE}-{version}" / "tests"


def main(versions: list[str]) -> int:
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for version in versions or VERSIONS:
            python, tests = prepared(version, Path(folder))
            with environment() as (_, variables):
                ran = subprocess.run(
                    [
                        str(python),
                        *PYTEST,
                        f"--rootdir={tests}",
                        "test_communication_identity_client.py",
                        ASYNC_FILE,
                        *(f"--deselect={test}" for test in BROKEN_IN.get(version, [])),
                    ],
                    cwd=tests,
                    env={**variables, "PYTHONPATH": str(STANDINS)},
                    capture_output=True,
                    text=True,
                )
            print(f"{PACKAGE} {version}: {ran.stdout.strip().splitlines()[-1:] or ran.stderr}")
            if ran.returncode:
                failed += 1
                print(ran.stdout[-6000:], ran.stderr[-2000:])
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
