"""What conditions say about one another, whatever is heard: one implies another, two are never active together.

Both answer true only where that is sure. Quantities must be in their signals' own units.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from firewatch.rules.spec import (
    AbsenceSpec,
    ChatterSpec,
    CoincidenceSpec,
    ConditionSpec,
    CountSpec,
    DaysSpec,
    DutyCycleSpec,
    LimitSpec,
    StateSpec,
    StuckSpec,
    WindowSpec,
)

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def parts_of(condition: ConditionSpec) -> tuple[ConditionSpec, ...]:
    """The conditions directly in a condition."""
    form = condition.form
    if isinstance(form, ConditionSpec):
        return (form,)
    if isinstance(form, tuple):
        return form
    found: list[ConditionSpec] = []
    for name in type(form).model_fields if form is not None else ():
        value = getattr(form, name)
        if isinstance(value, ConditionSpec):
            found.append(value)
        elif isinstance(value, tuple):
            found += [part for part in value if isinstance(part, ConditionSpec)]
    return tuple(found)


def signals_of(condition: ConditionSpec) -> Iterator[str]:
    """The names of the signals that it and the conditions in it are about; empty for a whole device."""
    form = condition.form
    if isinstance(form, AbsenceSpec):
        yield form.signal or ""
    elif isinstance(signal := getattr(form, "signal", None), str):
        yield signal
    for part in parts_of(condition):
        yield from signals_of(part)


def implies(first: ConditionSpec, second: ConditionSpec) -> bool:
    """Whether `second` is active whenever `first` is, both judged for the same subject from the same start."""
    one, other = first.form, second.form
    if isinstance(one, tuple) and first.kind == "any":
        return all(implies(part, second) for part in one)
    if isinstance(other, tuple) and second.kind == "all":
        return all(implies(first, part) for part in other)
    if isinstance(one, tuple) and any(implies(part, second) for part in one):
        return True
    if isinstance(other, tuple) and any(implies(first, part) for part in other):
        return True
    if isinstance(one, ConditionSpec) and isinstance(other, ConditionSpec):
        return implies(other, one)
    if isinstance(other, CoincidenceSpec) and other.k == 1 and any(implies(first, part) for part in other.of):
        return True
    return _form_implies(first, second) or (first.kind == second.kind and first == second)


def _form_implies(first: ConditionSpec, second: ConditionSpec) -> bool:
    match first.form, second.form:
        case LimitSpec() as one, LimitSpec() as other:
            if one.signal != other.signal or _is_high(first) is not _is_high(second):
                return False
            sign = 1 if _is_high(first) else -1
            farther = sign * one.limit.value >= sign * other.limit.value
            return farther and sign * _back(first, one) >= sign * _back(second, other)
        case StateSpec() as one, StateSpec() as other:
            ends_sooner = not one.until or set(one.until) >= set(other.until) > set()
            return one.signal == other.signal and set(one.values) <= set(other.values) and ends_sooner
        case AbsenceSpec() as one, AbsenceSpec() as other:
            return one.signal == other.signal and one.after >= other.after
        case StuckSpec() as one, StuckSpec() as other:
            same = one.signal == other.signal
            return same and one.after >= other.after and one.band.value <= other.band.value
        case ChatterSpec() as one, ChatterSpec() as other:
            return one.signal == other.signal and one.changes >= other.changes and one.within <= other.within
        case CoincidenceSpec() as one, CoincidenceSpec() as other:
            return one.of == other.of and one.k >= other.k and one.within <= other.within
        case CountSpec() as one, CountSpec() as other:
            return one.of == other.of and one.at_least >= other.at_least and one.within <= other.within
        case DutyCycleSpec() as one, DutyCycleSpec() as other:
            return one.of == other.of and one.within == other.within and one.share >= other.share
    return False


def excludes(first: ConditionSpec, second: ConditionSpec, is_single: Callable[[str], bool]) -> bool:
    """Whether the two are never active together; `is_single` says whether a signal's name has one value at a time."""
    one, other = first.form, second.form
    if isinstance(one, ConditionSpec) and first.kind == "not" and implies(second, one):
        return True
    if isinstance(other, ConditionSpec) and second.kind == "not" and implies(first, other):
        return True
    if isinstance(one, tuple):
        return _quantifier(first)(excludes(part, second, is_single) for part in one)
    if isinstance(other, tuple):
        return _quantifier(second)(excludes(first, part, is_single) for part in other)
    if isinstance(one, StateSpec) and isinstance(other, StateSpec):
        if one.until or other.until:
            return False
        return one.signal == other.signal and is_single(one.signal) and not set(one.values) & set(other.values)
    if isinstance(one, LimitSpec) and isinstance(other, LimitSpec) and _is_high(first) is not _is_high(second):
        high, low = (first, second) if _is_high(first) else (second, first)
        assert isinstance(high.form, LimitSpec)
        assert isinstance(low.form, LimitSpec)
        apart = _back(high, high.form) >= _back(low, low.form)
        return one.signal == other.signal and is_single(one.signal) and apart
    return False


def has_time(window: WindowSpec, without: Sequence[DaysSpec]) -> bool:
    """Whether there is any time in a window of a schedule, once the days without it are taken away."""
    if window.from_ == window.to or not window.days:
        return False
    return not window.dates or any(_has_day(days, window.days, without) for days in window.dates)


def _has_day(days: DaysSpec, weekdays: Collection[str], without: Sequence[DaysSpec]) -> bool:
    day, last = days.first.toordinal(), days.last.toordinal()
    while day <= last:
        gone = [each.last.toordinal() for each in without if each.first.toordinal() <= day <= each.last.toordinal()]
        if not gone and _WEEKDAYS[(day - 1) % 7] in weekdays:
            return True
        day = max(gone, default=day) + 1
    return False


def _quantifier(condition: ConditionSpec) -> Callable[[Iterable[bool]], bool]:
    """An `any` excludes what all its parts exclude, an `all` what one of them does."""
    return all if condition.kind == "any" else any


def _is_high(condition: ConditionSpec) -> bool:
    return condition.kind.startswith("high")


def _back(condition: ConditionSpec, form: LimitSpec) -> float:
    """Where a value beyond the limit has to come back to."""
    return form.limit.value + (-form.deadband.value if _is_high(condition) else form.deadband.value)
