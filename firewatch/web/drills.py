"""The routes of drills: what can be run, having it run, and what came of it."""

from __future__ import annotations

import msgspec

from firewatch.alarms.drill import DrillReport
from firewatch.errors import RefusedCommandError
from firewatch.model.control_room import Drill
from firewatch.ports import Drills, HistoryReader
from firewatch.web.api import NOT_REFUSED_BY_STATE, UNREADABLE_HISTORY
from firewatch.web.document import DrillList, DrillPlanList, DrillView
from firewatch.web.endpoint import ApiError, Endpoint
from firewatch.web.query import DrillBody, DrillQuery, DrillsQuery, DrillStopBody

_NO_PLAN = "There is no such plan."
_NOT_NOW = "Another drill goes on, a real alarm calls for somebody, or the plans on disk are wrong."
_NO_DRILL = "There is no such drill."
_LOOK = "/api/v1/drills lists the drills."


class DrillsApi:
    """The handlers."""

    def __init__(self, drills: Drills, reader: HistoryReader) -> None:
        self._drills = drills
        self._reader = reader

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every route, with what it takes and gives."""
        return (
            Endpoint(
                path="/api/v1/drill-plans",
                handler=self.plans,
                answer=DrillPlanList,
                summary="The drills that can be run",
            ),
            Endpoint(
                path="/api/v1/drills",
                handler=self.drills,
                parameters=DrillsQuery,
                answer=DrillList,
                summary="Drills, newest first, without their reports",
                refusals={503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/drills",
                handler=self.start,
                parameters=DrillBody,
                method="POST",
                body=True,
                answer=Drill,
                summary="An operator has a drill run",
                refusals=NOT_REFUSED_BY_STATE | {404: _NO_PLAN, 409: _NOT_NOW},
            ),
            Endpoint(
                path="/api/v1/drills/{drill_id}",
                handler=self.drill,
                parameters=DrillQuery,
                answer=DrillView,
                summary="A drill with its report: as it stands while it goes on, and as it ended",
                refusals={404: _NO_DRILL, 503: UNREADABLE_HISTORY},
            ),
            Endpoint(
                path="/api/v1/drills/{drill_id}/stop",
                handler=self.stop,
                parameters=DrillStopBody,
                method="POST",
                body=True,
                answer=Drill,
                summary="An operator ends a drill; what it held is let go at once",
                refusals=NOT_REFUSED_BY_STATE | {409: "It does not go on."},
            ),
        )

    async def plans(self, _: object) -> DrillPlanList:
        """Every plan."""
        return DrillPlanList(self._drills.plans())

    async def drills(self, query: DrillsQuery) -> DrillList:
        """Those begun, and how they ended."""
        drills = await self._reader.drills(before=query.before, limit=query.limit)
        return DrillList([_without_report(drill) for drill in drills])

    async def drill(self, query: DrillQuery) -> DrillView:
        """One of them."""
        present = self._drills.present()
        if present is not None and present.drill.drill_id == query.drill_id:
            return DrillView(present.drill, self._drills.present_report(query.drill_id))
        drill = await self._reader.drill(query.drill_id)
        if drill is None:
            raise ApiError(404, f"There is no drill {query.drill_id}.", _LOOK)
        report = msgspec.json.decode(drill.report, type=DrillReport) if drill.report else None
        return DrillView(_without_report(drill), report)

    async def start(self, body: DrillBody) -> Drill:
        """Begin one."""
        try:
            return await self._drills.start(body.plan, body.operator)
        except RefusedCommandError as error:
            if body.plan not in {plan.plan for plan in self._drills.plans()}:
                raise ApiError(404, str(error), "/api/v1/drill-plans lists the plans.") from None
            raise ApiError(409, str(error), _LOOK) from None

    async def stop(self, body: DrillStopBody) -> Drill:
        """End one."""
        try:
            return _without_report(await self._drills.stop(body.drill_id, body.operator))
        except RefusedCommandError as error:
            raise ApiError(409, str(error), _LOOK) from None


def _without_report(drill: Drill) -> Drill:
    return msgspec.structs.replace(drill, report="")
