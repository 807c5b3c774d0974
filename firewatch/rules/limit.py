"""Limits with a deadband: `high_high`, `high`, `low`, `low_low` (the level words of OPC UA and ISA-18.2)."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import Decimal

from firewatch.model.observation import Value
from firewatch.rules.reading import ReadingEvaluator
from firewatch.rules.spec import LimitSpec


class LimitEvaluator(ReadingEvaluator):
    """Active beyond the limit, and until the value has come back by the deadband.

    A reading that equals the limit is not beyond it: a hydrant with exactly 0.07 MPa satisfies the standard.
    Between the limit and the deadband's other end the answer is what it was before.
    """

    def __init__(self, kind: str, signal: str, spec: LimitSpec) -> None:
        super().__init__(kind, signal)
        self._spec = spec
        # One comparison for both sides: a low limit is a high limit of the negated value.
        self._sign = 1.0 if kind in ("high", "high_high") else -1.0
        self._limit = self._sign * spec.limit.value
        # In decimals, as written: in binary 0.07 + 0.005 is more than 0.075, and a hydrant at 0.075 would not return.
        self._return = float(Decimal(repr(self._limit)) - Decimal(repr(abs(spec.deadband.value))))

    @property
    def facts(self) -> dict[str, Value | datetime | timedelta]:
        """The limit, and where the value is back."""
        return {"limit": self._spec.limit.value, "returns_at": self._sign * self._return}

    def judge(self, value: Value | None, *, was_active: bool) -> bool | None:
        """Compare a number with the limit; anything else cannot be judged."""
        if type(value) is not float and type(value) is not int:
            return None
        height = self._sign * value
        if was_active:
            return None if math.isnan(height) else height > self._return
        return True if height > self._limit else None if math.isnan(height) else False
