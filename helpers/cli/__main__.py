"""``python -m helpers.cli`` is ``acs-tutorial``."""

from __future__ import annotations

import sys

from helpers.cli import main

sys.exit(main())
