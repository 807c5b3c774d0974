"""The routes under `/api/v1/`: what they do, in the order docs/api.md describes them."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TypedDict

import msgspec
from starlette.responses import Response

from firewatch.engine.explanation import UnknownSubjectError
from firewatch.model.alarm import Alarm
from firewatch.model.command import (
    Acknowledge,
    Confirm,
    OperatorCommand,
    OutOfService,
    Reset,
    ReturnSubjectToService,
    ReturnToService,
    Shelve,
    Unshelve,
)
from firewatch.model.reload import RulesReload, RulesState
from firewatch.model.site import Inventory
from firewatch.ports import (
    AlarmFilter,
    AlertFeed,
    Backtests,
    BacktestState,
    BacktestWish,
    Clock,
    CommandSink,
    HistoryReader,
    LiveView,
    RuleReloader,
)
from firewatch.web.alarm_page import read_page
from firewatch.web.document import (
    AlarmExplanation,
    AlarmList,
    AlarmPage,
    BacktestList,
    CommandList,
    DeviceList,
    ExplanationList,
    ExplanationView,
    FailureList,
    ObservationList,
    ReloadList,
    ShadowList,
    SiteList,
    Status,
    TransitionList,
)
from firewatch.web.endpoint import ApiError, Endpoint, NoParameters
from firewatch.web.explanation import Explainer
from firewatch.web.feed import LiveFeed
from firewatch.web.overview import Overview
from firewatch.web.place import read_before
from firewatch.web.query import (
    AcknowledgeBody,
    AlarmQuery,
    AlarmsQuery,
    BacktestBody,
    BacktestQuery,
    CancelBody,
    CapQuery,
    CommandsQuery,
    ConfirmBody,
    DeviceQuery,
    DevicesQuery,
    ExplanationQuery,
    FrameQuery,
    ObservationsQuery,
    OperatorBody,
    OutOfServiceBody,
    PictureQuery,
    ReloadBody,
    ReloadsQuery,
    ReturnBody,
    ShelveBody,
    SubjectReturnBody,
)


class _Command(TypedDict):
    method: str
    body: bool
    answer: type
    refusals: dict[int, str]


DEFAULT_RANGE = timedelta(hours=1)
LONGEST_RANGE = timedelta(days=31)
LISTED_TRANSITIONS = 1_000
"""A sensor that chatters makes a hundred thousand in some weeks; `firewatch history export` has them all."""
_JPEG = "image/jpeg"
_ATOM = "application/atom+xml"
_CAP = "application/cap+xml"
_THREE = {"true": True, "false": False, "all": None}
UNREADABLE_HISTORY = "The history cannot be read at present."
_COMMAND: _Command = {
    "method": "POST",
    "body": True,
    "answer": Alarm,
    "refusals": {
        403: "The request does not come from firewatch's own page.",
        409: "The alarm's state, or its rule, does not allow it; nothing was changed.",
        413: "The body is too long.",
        415: "The body is not declared as JSON.",
    },
}
"""What is the same for everything an operator may ask about an alarm; the answer is the alarm after it."""
_COMMAND_TO_MANY: _Command = {**_COMMAND, "answer": AlarmList}
NOT_REFUSED_BY_STATE = {status: reason for status, reason in _COMMAND["refusals"].items() if status != 409}
"""Why a request that changes something is refused, whatever it is about."""


class Api:
    """The handlers. Standing alarms come from memory, so they are right even while the history is behind or away."""

    def __init__(
        self,
        *,
        inventory: Inventory,
        live: LiveView,
        reader: HistoryReader,
        sink: CommandSink,
        rules: RuleReloader,
        clock: Clock,
        feed: LiveFeed,
        overview: Overview,
        explainer: Explainer,
        backtests: Backtests,
        alerts: AlertFeed,
    ) -> None:
        self._live = live
        self._reader = reader
        self._sink = sink
        self._rules = rules
        self._clock = clock
        self._feed = feed
        self._overview = overview
        self._explainer = explainer
        self._backtests = backtests
        self._alerts = alerts
        self._signals = {signal.signal for device in overview.devices() for signal in device.signals}
        sites = inventory.sites
        self._things = {f"{site.id}/{device.id}" for site in sites for device in site.devices}
        self._things |= {f"{site.id}/{asset.id}" for site in sites for asset in site.assets}
        self._cameras = {
            f"{site.id}/{device.id}" for site in inventory.sites for device in site.devices if device.stream
        }

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every route, with what it takes and gives."""
        return (
            Endpoint(
                path="/api/v1/alarms",
                handler=self.alarms,
                parameters=AlarmsQuery,
                answer=AlarmPage,
                summary="Alarms, newest onset first",
                refusals={503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/alarms/{alarm_id}",
                handler=self.alarm,
                parameters=AlarmQuery,
                answer=Alarm,
                summary="One alarm as it stands",
                refusals={404: "There is no such alarm.", 503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/alarms/{alarm_id}/transitions",
                handler=self.transitions,
                parameters=AlarmQuery,
                answer=TransitionList,
                summary="The changes of one alarm that the history has, first to last; the newest 1,000",
                refusals={404: "There is no such alarm.", 503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/alarms/{alarm_id}/explanation",
                handler=self.alarm_explanation,
                parameters=AlarmQuery,
                answer=AlarmExplanation,
                summary="Why an alarm stands, or what became of it",
                refusals={404: "There is no such alarm.", 503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/alarms/{alarm_id}/acknowledge",
                handler=self.acknowledge,
                parameters=AcknowledgeBody,
                summary="An operator has seen the alarm",
                **_COMMAND,
            ),
            Endpoint(
                path="/api/v1/alarms/{alarm_id}/confirm",
                handler=self.confirm,
                parameters=ConfirmBody,
                summary="An operator says what an acknowledged alarm turned out to be, up to a day after its end",
                **_COMMAND,
            ),
            Endpoint(
                path="/api/v1/alarms/{alarm_id}/reset",
                handler=self.reset,
                parameters=OperatorBody,
                summary="An operator lets a latched alarm go",
                **_COMMAND,
            ),
            Endpoint(
                path="/api/v1/alarms/{alarm_id}/shelve",
                handler=self.shelve,
                parameters=ShelveBody,
                summary="An operator hides the alarm for a time, or once",
                **_COMMAND,
            ),
            Endpoint(
                path="/api/v1/alarms/{alarm_id}/unshelve",
                handler=self.unshelve,
                parameters=OperatorBody,
                summary="An operator brings a shelved alarm back",
                **_COMMAND,
            ),
            Endpoint(
                path="/api/v1/out-of-service",
                handler=self.take_out_of_service,
                parameters=OutOfServiceBody,
                summary="An operator takes what one rule or all say of a subject out of service, or prolongs that",
                **_COMMAND_TO_MANY,
            ),
            Endpoint(
                path="/api/v1/return-to-service",
                handler=self.return_subject_to_service,
                parameters=SubjectReturnBody,
                summary="An operator puts all that is out of service about a subject back into it",
                **_COMMAND_TO_MANY,
            ),
            Endpoint(
                path="/api/v1/alarms/{alarm_id}/return-to-service",
                handler=self.return_to_service,
                parameters=ReturnBody,
                summary="An operator puts the alarm back into service",
                **_COMMAND,
            ),
            Endpoint(
                path="/api/v1/devices",
                handler=self.devices,
                parameters=DevicesQuery,
                answer=DeviceList,
                summary="The inventory with its last values",
            ),
            Endpoint(
                path="/api/v1/devices/{site}/{device}/explanations",
                handler=self.device_explanations,
                parameters=DeviceQuery,
                answer=ExplanationList,
                summary="Why each rule that concerns a device (or an asset) alarms, or why it does not",
                refusals={404: "There is no such device or asset."},
            ),
            Endpoint(
                path="/api/v1/explanations",
                handler=self.explanation,
                parameters=ExplanationQuery,
                answer=ExplanationView,
                summary="Why a rule alarms for a device or asset, or why it does not",
                refusals={404: "There is no such rule, or it does not judge that."},
            ),
            Endpoint(
                path="/api/v1/observations",
                handler=self.observations,
                parameters=ObservationsQuery,
                answer=ObservationList,
                summary="The newest observations of a signal in a range of at most 31 days, oldest first",
                refusals={404: "There is no such signal.", 503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/pictures/{picture_id}",
                handler=self.picture,
                parameters=PictureQuery,
                answer=_JPEG,
                summary="A picture kept as evidence",
                refusals={404: "There is no such picture.", 503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/cameras/{site}/{device}/frame.jpg",
                handler=self.frame,
                parameters=FrameQuery,
                answer=_JPEG,
                summary="The newest picture of a camera; its ETag changes with the picture",
                refusals={404: "There is no such camera, or no picture from it."},
            ),
            Endpoint(
                path="/api/v1/commands",
                handler=self.commands,
                parameters=CommandsQuery,
                answer=CommandList,
                summary="Commands to actuators with their last answers, newest first",
                refusals={503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/backtests",
                handler=self.start_backtest,
                parameters=BacktestBody,
                method="POST",
                body=True,
                answer=BacktestState,
                summary="An operator asks what the rules on disk would have said; it goes on beside the engine",
                refusals=_COMMAND["refusals"] | {409: "Another backtest goes on."},
            ),
            Endpoint(
                path="/api/v1/backtests",
                handler=self.backtests,
                answer=BacktestList,
                summary="The last backtests, newest first, without their results",
            ),
            Endpoint(
                path="/api/v1/backtests/{backtest_id}",
                handler=self.backtest,
                parameters=BacktestQuery,
                answer=BacktestState,
                summary="How far a backtest is, and its result",
                refusals={404: "There is no such backtest."},
            ),
            Endpoint(
                path="/api/v1/backtests/{backtest_id}/cancel",
                handler=self.cancel_backtest,
                parameters=CancelBody,
                method="POST",
                body=True,
                answer=BacktestState,
                summary="An operator gives a backtest up",
                refusals=NOT_REFUSED_BY_STATE | {404: "There is no such backtest."},
            ),
            Endpoint(
                path="/api/v1/rules/reload",
                handler=self.reload_rules,
                parameters=ReloadBody,
                method="POST",
                body=True,
                answer=RulesReload,
                summary="An operator has the rules on disk taken over; the answer says what changed, or the problems",
                refusals=NOT_REFUSED_BY_STATE,
            ),
            Endpoint(
                path="/api/v1/rules/reloads",
                handler=self.reloads,
                parameters=ReloadsQuery,
                answer=ReloadList,
                summary="Every reload of the rules, taken and refused, newest first",
                refusals={503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/rules/shadow",
                handler=self.shadows,
                answer=ShadowList,
                summary="The shadow rules, how often they would have told people, and what would stand now",
            ),
            Endpoint(
                path="/api/v1/rules/failures",
                handler=self.failures,
                answer=FailureList,
                summary="The rules that failed at run time and judge nothing until a reload",
            ),
            Endpoint(
                path="/api/v1/rules/state",
                handler=self.rules_state,
                answer=RulesState,
                summary="Which rules run, and what keeps those on disk from running",
            ),
            Endpoint(
                path="/api/v1/cap",
                handler=self.cap_index,
                answer=_ATOM,
                summary="A feed of the CAP 1.2 messages that hold of alarms, and of those that ended lately",
            ),
            Endpoint(
                path="/api/v1/cap/{identifier}",
                handler=self.cap_message,
                parameters=CapQuery,
                answer=_CAP,
                summary="A CAP 1.2 message",
                refusals={404: "There is no such message.", 503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/status",
                handler=self.status,
                answer=Status,
                summary="Parts, counts, and inputs that could not be used",
            ),
            Endpoint(
                path="/api/v1/site", handler=self.sites, answer=SiteList, summary="The compounds that are watched"
            ),
        )

    async def alarms(self, query: AlarmsQuery) -> AlarmPage:
        """Alarms as they stand; memory wins over the history, which may be a moment behind."""
        wanted = AlarmFilter(
            site=query.site,
            standing=_THREE[query.standing],
            hidden=_THREE[query.hidden],
            rule=query.rule,
            subject=query.subject,
            incident=query.incident,
            before=read_before(query.before),
            limit=query.limit,
        )
        return await read_page(self._live, self._reader, wanted)

    async def alarm(self, query: AlarmQuery) -> Alarm:
        """One alarm."""
        for alarm in self._live.alarms():
            if alarm.alarm_id == query.alarm_id:
                return alarm
        last = await self._reader.transitions(query.alarm_id, newest=1)
        if not last:
            raise _no_alarm(query.alarm_id)
        return last[0].alarm

    async def transitions(self, query: AlarmQuery) -> TransitionList:
        """What happened to an alarm; nothing yet if it has just been raised and the history is a moment behind."""
        transitions = await self._reader.transitions(query.alarm_id, newest=LISTED_TRANSITIONS)
        if not transitions and all(alarm.alarm_id != query.alarm_id for alarm in self._live.alarms()):
            raise _no_alarm(query.alarm_id)
        return TransitionList(transitions)

    async def alarm_explanation(self, query: AlarmQuery) -> AlarmExplanation:
        """Why an alarm stands; a shadow rule's too."""
        shadow = await self._explainer.shadow_alarm(query.alarm_id)
        return await self._explainer.alarm(shadow or await self.alarm(query))

    async def device_explanations(self, query: DeviceQuery) -> ExplanationList:
        """Every rule that concerns a device or an asset."""
        name = f"{query.site}/{query.device}"
        if name not in self._things:
            raise ApiError(404, f"There is no device or asset {name}.", "/api/v1/devices and /api/v1/site list them.")
        return await self._explainer.device(name)

    async def explanation(self, query: ExplanationQuery) -> ExplanationView:
        """One rule, one subject."""
        try:
            return await self._explainer.rule(query.rule, query.subject)
        except UnknownSubjectError as error:
            raise ApiError(
                404, f"{error}.", "/api/v1/devices/SITE/DEVICE/explanations lists the rules of a device."
            ) from None

    async def acknowledge(self, body: AcknowledgeBody) -> Alarm:
        """Hand the acknowledgement to the engine."""
        return await self._about_one(Acknowledge(body.alarm_id, body.operator, body.comment, body.seen))

    async def confirm(self, body: ConfirmBody) -> Alarm:
        """Hand the confirmation to the engine."""
        return await self._about_one(Confirm(body.alarm_id, body.operator, body.verdict, body.comment))

    async def reset(self, body: OperatorBody) -> Alarm:
        """Hand the reset to the engine."""
        return await self._about_one(Reset(body.alarm_id, body.operator, body.comment))

    async def shelve(self, body: ShelveBody) -> Alarm:
        """Hand the wish to shelve to the engine."""
        duration = None if body.seconds is None else timedelta(seconds=body.seconds)
        return await self._about_one(Shelve(body.alarm_id, body.operator, body.reason, duration))

    async def unshelve(self, body: OperatorBody) -> Alarm:
        """Hand the wish to unshelve to the engine."""
        return await self._about_one(Unshelve(body.alarm_id, body.operator, body.comment))

    async def take_out_of_service(self, body: OutOfServiceBody) -> AlarmList:
        """Hand the beginning of maintenance to the engine."""
        until = body.end(self._clock.now())
        command = OutOfService(body.rule, body.subject, body.operator, body.reason, body.work_order, until)
        return AlarmList(list(await self._sink.submit(command)))

    async def return_subject_to_service(self, body: SubjectReturnBody) -> AlarmList:
        """Hand the end of all maintenance of a subject to the engine."""
        command = ReturnSubjectToService(body.subject, body.operator, body.reason)
        return AlarmList(list(await self._sink.submit(command)))

    async def return_to_service(self, body: ReturnBody) -> Alarm:
        """Hand the end of maintenance to the engine."""
        return await self._about_one(ReturnToService(body.alarm_id, body.operator, body.reason))

    async def _about_one(self, command: OperatorCommand) -> Alarm:
        (alarm,) = await self._sink.submit(command)
        return alarm

    async def devices(self, query: DevicesQuery) -> DeviceList:
        """Devices with their last values."""
        return DeviceList(
            [
                device
                for device in self._overview.devices()
                if query.site in (None, device.site) and query.system in (None, device.system)
            ]
        )

    async def observations(self, query: ObservationsQuery) -> ObservationList:
        """One signal's past."""
        if query.signal not in self._signals:
            raise ApiError(404, f"There is no signal {query.signal}.", "/api/v1/devices lists the signals.")
        end = query.end or self._clock.now()
        start = query.start or end - DEFAULT_RANGE
        if not start < end or end - start > LONGEST_RANGE:
            raise ApiError(
                400,
                "The range from `start` to `end` is empty or longer than 31 days.",
                "Ask for shorter ranges one after another.",
            )
        return ObservationList(query.signal, await self._reader.observations(query.signal, start, end, query.limit))

    async def picture(self, query: PictureQuery) -> Response:
        """A kept picture; it never changes, so a browser may keep it."""
        picture = self._live.picture(query.picture_id) or await self._reader.picture(query.picture_id)
        if picture is None:
            raise ApiError(404, f"There is no picture {query.picture_id}.", "An alarm names its picture.")
        return Response(picture.jpeg, media_type=_JPEG, headers={"Cache-Control": "private, max-age=86400, immutable"})

    async def frame(self, query: FrameQuery) -> Response:
        """A camera's newest picture."""
        device = f"{query.site}/{query.device}"
        if device not in self._cameras:
            raise ApiError(404, f"There is no camera {device}.", "/api/v1/devices marks the cameras.")
        jpeg = self._live.frame(device)
        if jpeg is None:
            raise ApiError(404, f"There is no picture from {device} yet.", "Look at the camera's stream address.")
        etag = f'"{hashlib.blake2s(jpeg, digest_size=12).hexdigest()}"'
        return Response(jpeg, media_type=_JPEG, headers={"ETag": etag})

    async def commands(self, query: CommandsQuery) -> CommandList:
        """What actuators were asked, and what they said."""
        return CommandList(
            await self._reader.commands(cause=query.cause, unanswered=query.unanswered, limit=query.limit)
        )

    async def start_backtest(self, body: BacktestBody) -> BacktestState:
        """Begin a backtest."""
        now = self._clock.now()
        end = min(body.end or now, now)
        if not body.start < end:
            raise ApiError(400, "The range from `start` to `end` is empty.", "Begin it before the present.")
        return self._backtests.start(BacktestWish(body.start, end, body.against, body.operator))

    async def backtests(self, _: NoParameters) -> BacktestList:
        """The last ones."""
        return BacktestList([msgspec.structs.replace(one, result=None) for one in self._backtests.all()])

    async def backtest(self, query: BacktestQuery) -> BacktestState:
        """One of them."""
        return self._backtest(query.backtest_id)

    async def cancel_backtest(self, body: CancelBody) -> BacktestState:
        """Give it up."""
        self._backtest(body.backtest_id)
        self._backtests.cancel(body.backtest_id)
        return self._backtest(body.backtest_id)

    def _backtest(self, backtest_id: str) -> BacktestState:
        for one in self._backtests.all():
            if one.backtest_id == backtest_id:
                return one
        raise ApiError(404, f"There is no backtest {backtest_id}.", "/api/v1/backtests lists the last ones.")

    async def reload_rules(self, body: ReloadBody) -> RulesReload:
        """Take over what the files say."""
        return await self._rules.reload(body.operator)

    async def reloads(self, query: ReloadsQuery) -> ReloadList:
        """Who had the rules reloaded, and what came of it."""
        return ReloadList(await self._reader.reloads(before=query.before, limit=query.limit))

    async def shadows(self, _: NoParameters) -> ShadowList:
        """What the shadow rules would say."""
        return await self._explainer.shadows()

    async def failures(self, _: NoParameters) -> FailureList:
        """The rules out of service."""
        return await self._explainer.failures()

    async def rules_state(self, _: NoParameters) -> RulesState:
        """Which rules run."""
        return self._rules.state()

    async def cap_index(self, _: NoParameters) -> Response:
        """What is published of alarms."""
        return Response(await self._alerts.index(self._live.alarms()), media_type=_ATOM)

    async def cap_message(self, query: CapQuery) -> Response:
        """One message; it never changes."""
        message = await self._alerts.alert(query.identifier)
        if message is None:
            raise ApiError(404, f"There is no message {query.identifier}.", "/api/v1/cap lists the messages.")
        return Response(message, media_type=_CAP)

    async def status(self, _: NoParameters) -> Status:
        """How the daemon is."""
        return self._overview.status(self._feed.screens)

    async def sites(self, _: NoParameters) -> SiteList:
        """The compounds."""
        return SiteList(self._overview.sites())


def _no_alarm(alarm_id: str) -> ApiError:
    return ApiError(404, f"There is no alarm {alarm_id}.", "/api/v1/alarms lists the alarms.")
