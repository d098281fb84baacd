"""The clinic program's directory on the path, as Python puts it there for the program itself."""

from __future__ import annotations

import sys
from pathlib import Path

CLINIC = Path(__file__).resolve().parents[2] / "lkgate" / "demo" / "clinic"

sys.path.insert(0, str(CLINIC))
