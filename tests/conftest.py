"""What every test shares."""

import os

from hypothesis import settings

if "CI" not in os.environ:  # Hypothesis has a profile of its own for that
    settings.register_profile("local", deadline=None)
    settings.load_profile("local")
