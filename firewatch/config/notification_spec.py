"""The grammar of the notifications' file, as pydantic models: who is told of which alarms, by what, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from firewatch.config.channel_spec import AppriseSpec, CapSpec, RobotSpec, WebhookSpec
from firewatch.config.site_spec import Id, LabelSpec
from firewatch.model.alarm import AlarmClass, Priority
from firewatch.rules.spec import CalendarSpec, Duration, ScheduleSpec, SpecModel, TextSpec

CHANNEL_KINDS = ("webhook", "cap", "robot", "apprise")
"""The keys by which a target says what sort of channel it has."""

Ids = Annotated[tuple[Id, ...], Field(strict=False, max_length=200)]


class AlarmsSpec(SpecModel):
    """Which alarms: those that fit everything that is written here; nothing written fits all."""

    classes: Annotated[tuple[Annotated[AlarmClass, Field(strict=False)], ...], Field(strict=False)] = ()
    minimum_priority: Annotated[Priority, Field(strict=False)] | None = None
    sites: Ids = ()
    buildings: Ids = ()
    systems: Annotated[tuple[str, ...], Field(strict=False, max_length=200)] = ()


class RateLimitSpec(SpecModel):
    """At most so many messages within so long; what is beyond is summed up. Fire is never held back."""

    messages: int = Field(ge=1, le=10_000)
    within: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(days=1))] = timedelta(minutes=1)


class TargetSpec(SpecModel):
    """One place to send messages to, through exactly one channel, and what it takes."""

    id: Id
    webhook: WebhookSpec | None = None
    cap: CapSpec | None = None
    robot: RobotSpec | None = None
    apprise: AppriseSpec | None = None
    language: Literal["zh", "en"] = "zh"
    alarms: AlarmsSpec = AlarmsSpec()
    acknowledged: bool = False
    returned: bool = True
    changes: bool = False
    drills: bool = False
    limit: RateLimitSpec | None = None

    @model_validator(mode="after")
    def _one_channel(self) -> TargetSpec:
        if sum(getattr(self, kind) is not None for kind in CHANNEL_KINDS) != 1:
            raise ValueError(f"write exactly one channel: {', '.join(CHANNEL_KINDS)}")
        return self

    @property
    def follows(self) -> bool:
        """Whether it hears of every change of what it was told of. A receiver of CAP must: what it was told holds until
        it is cancelled.
        """
        return self.changes or self.cap is not None


class PersonSpec(SpecModel):
    """Somebody who is told over targets of their own, all of them at once."""

    id: Id
    label: LabelSpec
    targets: Ids = Field(min_length=1)


class ShiftSpec(SpecModel):
    """These people are on duty while the clock on the wall of the alarm's site is in the schedule; always without."""

    people: Ids = Field(min_length=1)
    schedule: ScheduleSpec | None = None


class RoleSpec(SpecModel):
    """A post that different people hold at different times."""

    id: Id
    label: LabelSpec
    shifts: Annotated[tuple[ShiftSpec, ...], Field(strict=False, min_length=1, max_length=100)]


class PlanStepSpec(SpecModel):
    """Whom to tell once the alarm has been unanswered for `after`."""

    after: Annotated[Duration, Field(le=timedelta(days=7))] = timedelta(0)
    targets: Ids = ()
    people: Ids = ()
    roles: Ids = ()

    @model_validator(mode="after")
    def _somebody(self) -> PlanStepSpec:
        if not (self.targets or self.people or self.roles):
            raise ValueError("the step tells nobody: write `targets`, `people` or `roles`")
        return self


class PlanSpec(SpecModel):
    """Who is told of some alarms, and who next if nobody acknowledges them."""

    id: Id
    alarms: AlarmsSpec = AlarmsSpec()
    steps: Annotated[tuple[PlanStepSpec, ...], Field(strict=False, min_length=1, max_length=20)]


class TemplateTextSpec(SpecModel):
    """A message's title and body."""

    title: TextSpec
    body: TextSpec


class TemplatesSpec(SpecModel):
    """The words of messages, by why they are sent; what is not written here is said in firewatch's own words."""

    onset: TemplateTextSpec | None = None
    realarmed: TemplateTextSpec | None = None
    escalated: TemplateTextSpec | None = None
    acknowledged: TemplateTextSpec | None = None
    returned: TemplateTextSpec | None = None


class NotificationFile(SpecModel):
    """Targets, the people behind them, who is on duty when, and the plans by which they are told."""

    version: Literal[1] = 1
    targets: Annotated[tuple[TargetSpec, ...], Field(strict=False, max_length=500)] = ()
    people: Annotated[tuple[PersonSpec, ...], Field(strict=False, max_length=1000)] = ()
    calendars: Annotated[tuple[CalendarSpec, ...], Field(strict=False, max_length=100)] = ()
    roles: Annotated[tuple[RoleSpec, ...], Field(strict=False, max_length=100)] = ()
    plans: Annotated[tuple[PlanSpec, ...], Field(strict=False, max_length=200)] = ()
    templates: TemplatesSpec = TemplatesSpec()


NOBODY = NotificationFile()
"""Nobody is told of anything."""
