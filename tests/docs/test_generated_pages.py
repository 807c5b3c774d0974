"""A page made from the code says what the code says."""

from __future__ import annotations

import subprocess
import sys


def test_the_pages_are_what_the_code_says() -> None:
    result = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr
