"""What a finding says, in sentences: what its condition asks for, what is known of it, and why it holds or does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple, TypeVar

from firewatch.model.alarm import ConditionState
from firewatch.model.observation import Quality, Value
from firewatch.model.text import LocalText
from firewatch.rules.evaluator import Finding
from firewatch.web.document import InputView
from firewatch.web.phrases import clock_time, joined, left, length, quantity, same, say, word

_ACTIVE = ConditionState.ACTIVE
_INACTIVE = ConditionState.INACTIVE
_UNKNOWN = ConditionState.UNKNOWN

_LIMITS = {"high": "above", "high_high": "above", "low": "below", "low_low": "below"}
_DIFFERENCES = ("above", "below", "apart")
_MANY = 3

T = TypeVar("T")


class Pending(NamedTuple):
    """What will make a rule alarm by time alone: the finding that is on its way, and when."""

    finding: Finding
    due: datetime


class Reasons:
    """Tells of findings as they are at `now`, at the place's own time, with the newest readings of their signals."""

    def __init__(self, inputs: Mapping[str, InputView], now: datetime, zone: tzinfo) -> None:
        self._inputs = inputs
        self._now = now
        self._zone = zone
        self._several = len({view.device for view in inputs.values()}) > 1

    def time(self, instant: datetime) -> LocalText:
        """An instant, as the clock on the wall shows it."""
        return clock_time(instant, self._now, self._zone)

    def left(self, due: datetime) -> LocalText:
        """How long until then."""
        return left(due - self._now)

    # -- what it asks for ------------------------------------------------------------------------------------------

    def demand(self, finding: Finding) -> LocalText:
        """What the condition asks for; of a composed one, how its parts are taken together."""
        kind, facts = finding.kind, finding.facts
        if kind in _LIMITS:
            return say(_LIMITS[kind], signal=self._signal(finding), limit=self._of(finding, facts["limit"]))
        if kind == "state":
            return say("state", signal=self._signal(finding), values=_listed(facts["is"]))
        if kind == "absence":
            return say("absence", what=self._source(finding), after=_length(facts["after"]))
        if kind == "rate_of_change":
            return self._demanded_rate(finding)
        if kind == "difference":
            name = next(name for name in _DIFFERENCES if name in facts)
            signal, minus = (self._name(signal) for signal in finding.signals)
            return say(f"difference.{name}", signal=signal, minus=minus, limit=self._of(finding, facts[name]))
        if kind == "deviation":
            return say("deviation", signal=self._signal(finding), limit=self._of(finding, facts["apart"]))
        if kind == "state_changed":
            ends = {name: _listed(facts[name]) for name in ("from", "to") if name in facts}
            key = ".".join(["state_changed", *(["_".join(ends)] if ends else [])])
            return say(key, signal=self._signal(finding), hold=_length(facts["hold"]), **ends)
        if kind == "chatter":
            changes = quantity(_value(facts["changes"]), "")
            return say("chatter", signal=self._signal(finding), changes=changes, within=_length(facts["within"]))
        if kind == "stuck":
            return say("stuck", signal=self._signal(finding), after=_length(facts["after"]))
        if kind == "camera_session":
            return say("camera_session", signal=self._signal(finding), enter=self._of(finding, facts["enter"]))
        return self._demanded_composition(finding)

    def _demanded_rate(self, finding: Finding) -> LocalText:
        facts = finding.facts
        within, signal = _length(facts["within"]), self._signal(finding)
        rise, fall = (self._of(finding, facts[name]) if name in facts else None for name in ("rises_by", "falls_by"))
        if rise is not None and fall is not None:
            return say("rises_or_falls", signal=signal, rise=rise, fall=fall, within=within)
        by = rise or fall or same("?")
        return say("rises" if rise is not None else "falls", signal=signal, by=by, within=within)

    def _demanded_composition(self, finding: Finding) -> LocalText:
        kind, facts = finding.kind, finding.facts
        if kind == "delay":
            on, off = (facts[name] or None for name in ("on_delay", "off_delay"))
            key = "delay.both" if on and off else "delay.on" if on else "delay.off" if off else "delay"
            return say(key, on=_length(on), off=_length(off))
        if kind == "k_of_n":
            key = "k_of_n.within" if facts["within"] else "k_of_n"
            return say(key, k=quantity(_value(facts["k"]), ""), within=_length(facts["within"]))
        if kind == "sequence":
            return say("omission" if facts["ending"] == "without" else "sequence", within=_length(facts["within"]))
        if kind == "count":
            least = quantity(_value(facts["at_least"]), "")
            return say("count", at_least=least, within=_length(facts["within"]))
        if kind == "duty_cycle":
            share = facts["share"]
            assert isinstance(share, float)
            return say("duty_cycle", share=f"{share * 100:.3g} %", within=_length(facts["within"]))
        if kind == "schedule":
            calendar = facts.get("calendar")
            return say("schedule.named", calendar=str(calendar)) if calendar else say("schedule")
        if kind == "expression":
            return say("expression", cel=str(facts["cel"]))
        if kind in ("any", "all", "not", "rule_failed"):
            return say(kind)
        return same(kind)

    # -- what is known of it ---------------------------------------------------------------------------------------

    def note(self, finding: Finding) -> LocalText | None:
        """What the condition remembers, or has counted so far; None if there is nothing to tell beyond its parts."""
        kind, facts = finding.kind, finding.facts
        if kind in _LIMITS:
            has_deadband = facts["returns_at"] != facts["limit"]
            return say("back_at", limit=self._of(finding, facts["returns_at"])) if has_deadband else None
        if kind == "absence":
            return self._at("heard_at" if self._was_heard(finding) else "awaited_since", facts.get("heard_time"))
        if kind == "rate_of_change":
            rose, fell = (self._of(finding, facts[name]) if name in facts else None for name in ("rose_by", "fell_by"))
            return say("moved", rose=rose, fell=fell) if rose is not None and fell is not None else None
        if kind == "difference":
            found = facts.get("difference")
            return say("differ", difference=self._of(finding, found)) if found is not None else None
        if kind == "deviation":
            if "usual" in facts:
                return say("usual", usual=self._of(finding, facts["usual"]))
            learnt, weeks = (quantity(_value(facts.get(name)), "") for name in ("learnt_weeks", "learn_weeks"))
            return say("learning", learnt=learnt, weeks=weeks) if "learnt_weeks" in facts else None
        if kind == "state_changed":
            return self._at("changed_at", facts.get("changed_time"))
        if kind in ("chatter", "count"):
            return say("counted", n=quantity(_value(facts["counted"]), "")) if "counted" in facts else None
        if kind == "stuck" and isinstance(facts.get("since_time"), datetime):
            value = self._of(finding, facts["value"])
            return self._at("unmoved", facts["since_time"], value=value)
        if kind == "camera_session" and facts["seen_frames"]:
            frames, votes = (quantity(_value(facts[name]), "") for name in ("seen_frames", "votes"))
            return say("votes", frames=frames, votes=votes)
        return self._noted_composition(finding)

    def _noted_composition(self, finding: Finding) -> LocalText | None:
        kind, facts = finding.kind, finding.facts
        if kind == "delay" and finding.due is not None:
            key = "pending_off" if facts["standing"] else "pending_on"
            since = self.time(finding.onset_time) if finding.onset_time is not None else same("?")
            return say(key, since=since, left=self.left(finding.due))
        if kind in ("any", "k_of_n") and len(finding.parts) > 1:
            return say("holding", n=_count(finding.parts, _ACTIVE), all=len(finding.parts))
        if kind == "sequence":
            return self._at("first_at", facts.get("first_time"))
        if kind == "duty_cycle" and "active" in facts:
            return say("active_for", active=_length(facts["active"]))
        if kind == "expression":
            values = {name: _value(value) for name, value in facts.items() if name not in ("cel", "max_age")}
            return joined([say("is", signal=name, value=quantity(value, "")) for name, value in values.items()])
        return None

    # -- why -------------------------------------------------------------------------------------------------------

    def why(self, finding: Finding) -> LocalText:
        """Why it stands as it does, in one clause or a few."""
        return joined(self._clauses(finding))

    def _clauses(self, finding: Finding) -> list[LocalText]:
        if finding.condition is _ACTIVE:
            return self._why_so(finding)
        return self._why_not(finding) if finding.condition is _INACTIVE else self._why_unknown(finding)

    def _why_so(self, finding: Finding) -> list[LocalText]:
        kind, parts = finding.kind, finding.parts
        if kind in _LIMITS:
            return [self._beyond(finding)]
        if kind == "state":
            return [say("is", signal=self._signal(finding), value=self._newest(finding))]
        if kind == "absence":
            heard = finding.facts.get("heard_time")
            if not isinstance(heard, datetime) or not self._was_heard(finding):
                return [say("silent.ever", what=self._source(finding))]
            return [say("silent", what=self._source(finding), since=self.time(heard))]
        if kind == "not":
            return self._clauses(parts[0])
        if kind in ("delay", "all", "any", "k_of_n"):
            active = [part for part in parts if part.condition is _ACTIVE]
            return _chained(self._clauses(part) for part in active or parts)
        return [self._plainly("true", finding)]

    def _why_not(self, finding: Finding) -> list[LocalText]:
        kind, parts = finding.kind, finding.parts
        if kind in _LIMITS:
            return [self._not_beyond(finding)]
        if kind == "state":
            newest, values = self._newest(finding), _listed(finding.facts["is"])
            key = "is" if finding.facts["is"] in ("true", "false") else "is_not"
            return [say(key, signal=self._signal(finding), value=newest, values=values)]
        if kind == "absence":
            return [self._heard(finding)]
        if kind in ("not", "delay"):
            return self._clauses(parts[0])
        if kind == "all":
            return _chained(self._clauses(part) for part in parts if part.condition is _INACTIVE)
        if kind in ("any", "k_of_n"):
            return self._too_few(finding)
        lacking = [part for part in parts if part.condition is not _ACTIVE]
        if kind in ("sequence", "camera_session") and lacking:
            return self._clauses(lacking[0])
        if kind == "camera_session":
            enter, value = self._of(finding, finding.facts["enter"]), self._newest(finding)
            return [say("score", signal=self._signal(finding), value=value, enter=enter)]
        return [self._plainly("false", finding)]

    def _why_unknown(self, finding: Finding) -> list[LocalText]:
        pending = self.pending(finding)
        if pending is not None and finding.kind == "delay":
            inside = joined(self._clauses(finding.parts[0]))
            return [say("lasting", clause=inside, on=_length(finding.facts["on_delay"]))]
        unknown = [part for part in finding.parts if part.condition is _UNKNOWN]
        if unknown:
            return _chained(self._clauses(part) for part in unknown)
        if finding.kind == "absence":
            return [self._heard(finding)]
        unheard = [clause for signal in finding.signals if (clause := self._unheard(signal)) is not None]
        return unheard or [self._plainly("unknown", finding)]

    def _too_few(self, finding: Finding) -> list[LocalText]:
        needed = round(float(finding.facts.get("k", 1.0)))  # type: ignore[arg-type]
        clauses = _chained(self._clauses(part) for part in finding.parts if part.condition is not _ACTIVE)
        if needed > 1:
            return [say("too_few", k=needed, n=_count(finding.parts, _ACTIVE), clauses=joined(clauses))]
        if len(clauses) > _MANY:
            return [say("none_of", n=len(clauses), clauses=clauses[0])]
        return clauses

    def _plainly(self, key: str, finding: Finding) -> LocalText:
        note, demand = self.note(finding), self.demand(finding)
        if finding.kind in ("count", "duty_cycle"):
            demand = say("of", what=self.demand(finding.parts[0]), demand=demand)
        return say(key, demand=demand, note=say("note", note=note) if note is not None else "")

    def _beyond(self, finding: Finding) -> LocalText:
        value, limit, word_ = self._number(finding), finding.facts["limit"], _LIMITS[finding.kind]
        assert isinstance(limit, float | int)
        signal = self._signal(finding)
        if value is not None and (value > limit) is (word_ == "above") and value != limit:
            demand = say(f"word.{word_}", limit=self._of(finding, limit))
            return say("is_beyond", signal=signal, value=self._newest(finding), demand=demand)
        returns = self._of(finding, finding.facts["returns_at"])
        return say("is_not_back", signal=signal, value=self._newest(finding), limit=returns)

    def _not_beyond(self, finding: Finding) -> LocalText:
        demand = say(f"word.{_LIMITS[finding.kind]}", limit=self._of(finding, finding.facts["limit"]))
        return say("is_not_beyond", signal=self._signal(finding), value=self._newest(finding), demand=demand)

    def _heard(self, finding: Finding) -> LocalText:
        heard = finding.facts.get("heard_time")
        if not isinstance(heard, datetime) or not self._was_heard(finding):
            return say("never_heard", signal=self._source(finding))
        return say("heard", what=self._source(finding), age=left(self._now - heard))

    def _was_heard(self, finding: Finding) -> bool:
        """Silence counts from when firewatch began to listen, too."""
        views = (self._inputs.get(signal) for signal in finding.signals)
        return any(view is not None and view.last is not None for view in views)

    def _unheard(self, signal: str) -> LocalText | None:
        view = self._inputs.get(signal)
        if view is None or view.last is None:
            return say("never_heard", signal=self._name(signal))
        return say("bad", signal=self._name(signal)) if view.last.quality == Quality.BAD else None

    # -- what time alone will change -------------------------------------------------------------------------------

    def pending(self, finding: Finding) -> Pending | None:
        """What will make it hold by time alone; None if something has to be heard first."""
        if finding.condition is _ACTIVE:
            return None
        if finding.kind == "delay":
            is_running = finding.due is not None and not finding.facts["standing"]
            if is_running and finding.due is not None:
                return Pending(finding, finding.due)
            return self.pending(finding.parts[0]) if not finding.facts["on_delay"] else None
        if finding.kind in ("absence", "sequence", "duty_cycle", "camera_session"):
            begun = finding.kind in ("absence", "camera_session") or finding.parts[0].condition is _ACTIVE
            return Pending(finding, finding.due) if begun and finding.due is not None else None
        waiting = [part for part in finding.parts if part.condition is not _ACTIVE]
        found = [one for part in waiting if (one := self.pending(part)) is not None]
        enough = finding.kind == "any" or (finding.kind == "all" and len(waiting) == 1)
        return min(found, key=lambda one: one.due, default=None) if enough else None

    # -- names and numbers -----------------------------------------------------------------------------------------

    def _signal(self, finding: Finding) -> LocalText:
        return self._name(finding.signals[0])

    def _name(self, signal: str) -> LocalText:
        view = self._inputs.get(signal)
        if view is None:
            return same(signal)
        if not self._several:
            return view.label
        return LocalText(zh=f"{view.device.zh}·{view.label.zh}", en=f"{view.device.en} · {view.label.en}")

    def _source(self, finding: Finding) -> LocalText:
        """Who is listened to: the signal if it is one, else its device."""
        if len(finding.signals) == 1:
            return self._name(finding.signals[0])
        view = self._inputs.get(finding.signals[0])
        return view.device if view is not None else same(finding.signals[0].rpartition("/")[0])

    def _of(self, finding: Finding, value: object) -> LocalText:
        """A number of the finding, with the unit of its signal."""
        view = self._inputs.get(finding.signals[0])
        return quantity(_value(value), view.unit if view is not None else "")

    def _newest(self, finding: Finding) -> LocalText:
        view = self._inputs.get(finding.signals[0])
        return quantity(view.last.value if view is not None and view.last else None, view.unit if view else "")

    def _number(self, finding: Finding) -> float | None:
        view = self._inputs.get(finding.signals[0])
        value = view.last.value if view is not None and view.last else None
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def _at(self, key: str, instant: object, **values: LocalText) -> LocalText | None:
        return say(key, time=self.time(instant), **values) if isinstance(instant, datetime) else None


def _value(fact: object) -> Value | None:
    return fact if isinstance(fact, float | int | str | bool) else None


def _length(fact: object) -> LocalText:
    return length(fact) if isinstance(fact, timedelta) else same("")


def _listed(fact: object) -> LocalText:
    words = [word(one.removesuffix(".0")) for one in str(fact).split(", ")]
    return LocalText(zh="或".join(one.zh for one in words), en=" or ".join(one.en for one in words))


def _count(parts: Iterable[Finding], condition: ConditionState) -> int:
    return sum(part.condition is condition for part in parts)


def _chained(lists: Iterable[list[T]]) -> list[T]:
    return [one for each in lists for one in each]
