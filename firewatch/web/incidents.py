"""The routes about incidents: the events that alarms are gathered in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from firewatch.alarms.incident import Incident
from firewatch.alarms.transitions import TRANSITIONS, Move
from firewatch.model.alarm import Alarm, AlarmClass, Priority
from firewatch.model.command import AcknowledgeIncident
from firewatch.ports import AlarmFilter, CommandSink, HistoryReader, LiveView
from firewatch.web.alarm_page import read_page
from firewatch.web.api import NOT_REFUSED_BY_STATE, UNREADABLE_HISTORY
from firewatch.web.document import AlarmList, IncidentList, IncidentPage, IncidentView
from firewatch.web.endpoint import ApiError, Endpoint, NoParameters
from firewatch.web.place import read_before
from firewatch.web.query import AcknowledgeIncidentBody, IncidentQuery


class IncidentsApi:
    """The handlers."""

    def __init__(self, live: LiveView, reader: HistoryReader, sink: CommandSink) -> None:
        self._live = live
        self._reader = reader
        self._sink = sink

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every route, with what it takes and gives."""
        return (
            Endpoint(
                path="/api/v1/incidents",
                handler=self.incidents,
                answer=IncidentList,
                summary="The incidents of which an alarm stands, newest onset first",
            ),
            Endpoint(
                path="/api/v1/incidents/{incident}",
                handler=self.incident,
                parameters=IncidentQuery,
                answer=IncidentPage,
                summary="An incident and its alarms, those that are over as well, newest onset first",
                refusals={404: "There is no such incident.", 503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/incidents/{incident}/acknowledge",
                handler=self.acknowledge_incident,
                parameters=AcknowledgeIncidentBody,
                method="POST",
                body=True,
                answer=AlarmList,
                summary="An operator has seen the first alarms of an incident",
                refusals=NOT_REFUSED_BY_STATE | {409: "None of them waits to be acknowledged; nothing was changed."},
            ),
        )

    async def incidents(self, _: NoParameters) -> IncidentList:
        """Those that go on."""
        return IncidentList(incidents=self._views())

    async def incident(self, query: IncidentQuery) -> IncidentPage:
        """One of them, whether it goes on or not."""
        wanted = AlarmFilter(incident=query.incident, before=read_before(query.before), limit=query.limit)
        page = await read_page(self._live, self._reader, wanted)
        view = next((view for view in self._views() if view.incident == query.incident), None)
        if view is None and not page.alarms and query.before is None:
            raise ApiError(404, f"There is no incident {query.incident}.", "/api/v1/incidents lists those that go on.")
        return IncidentPage(incident=view, alarms=page.alarms, next=page.next, marks=page.marks)

    async def acknowledge_incident(self, body: AcknowledgeIncidentBody) -> AlarmList:
        """Hand the acknowledgement to the engine."""
        command = AcknowledgeIncident(body.incident, body.operator, body.seen, body.comment)
        return AlarmList(list(await self._sink.submit(command)))

    def _views(self) -> list[IncidentView]:
        alarms = defaultdict[str, list[Alarm]](list)
        for alarm in self._live.alarms():
            alarms[alarm.incident].append(alarm)
        return [_view(incident, alarms[incident.incident]) for incident in reversed(self._live.incidents())]


def _view(incident: Incident, standing: Sequence[Alarm]) -> IncidentView:
    return IncidentView(
        incident=incident.incident,
        site=incident.kin.site,
        first_out=incident.first_out,
        count=incident.count,
        standing=len(standing),
        unacknowledged=sum(Move.ACKNOWLEDGE in TRANSITIONS[alarm.state] and not alarm.hidden for alarm in standing),
        hidden=sum(alarm.hidden for alarm in standing),
        priority=min((alarm.priority for alarm in standing), key=list(Priority).index),
        alarm_class=min((alarm.alarm_class for alarm in standing), key=list(AlarmClass).index),
        begun_time=incident.begun_time,
        last_onset_time=incident.last_onset_time,
        buildings=tuple(sorted({alarm.building for alarm in standing})),
        systems=tuple(sorted({alarm.system for alarm in standing})),
    )
