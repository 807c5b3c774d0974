"""What is true at this moment, for the screens: read from the running parts, kept nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from firewatch.alarms.incident import Incident
from firewatch.alarms.nuisance import Mark
from firewatch.app.loop import EngineLoop
from firewatch.app.supervisor import Supervisor
from firewatch.model.alarm import Alarm
from firewatch.model.observation import Observation
from firewatch.ports import PartStatus, Picture, Rejection
from firewatch.telemetry.rejections import RejectionLog
from firewatch.vision.watch import CameraWatch


class Live:
    """Implements `ports.LiveView` over the loop, the cameras and the rejection log."""

    def __init__(
        self,
        loop: EngineLoop,
        cameras: CameraWatch | None,
        rejected: RejectionLog,
        supervisor: Supervisor,
        parts: Sequence[Callable[[], PartStatus]],
        targets: Callable[[], Sequence[PartStatus]],
    ) -> None:
        self._loop = loop
        self._cameras = cameras
        self._rejected = rejected
        self._supervisor = supervisor
        self._parts = parts
        self._targets = targets

    def alarms(self) -> list[Alarm]:
        """Every alarm that stands."""
        return self._loop.alarms()

    def incidents(self) -> list[Incident]:
        """Every incident of which an alarm stands."""
        return self._loop.incidents()

    def marks(self, alarms: Sequence[Alarm]) -> dict[str, tuple[Mark, ...]]:
        """Which of some alarms wear people out."""
        return self._loop.marks(alarms)

    def last(self, signal: str) -> Observation | None:
        """The newest observation of a signal, None if it was never heard."""
        return self._loop.last.get(signal)

    def rejections(self) -> list[Rejection]:
        """The last inputs that could not be used, newest first."""
        return self._rejected.recent()

    def rejection_counts(self) -> dict[str, int]:
        """How many inputs were refused since the start, by reason."""
        return self._rejected.counts()

    def parts(self) -> list[PartStatus]:
        """Every part's state."""
        cameras = self._cameras.parts() if self._cameras is not None else []
        return [*(part() for part in self._parts), *self._supervisor.status(), *cameras, *self._targets()]

    def frame(self, device: str) -> bytes | None:
        """The newest picture (JPEG) of a camera."""
        return self._cameras.frame(device) if self._cameras is not None else None

    def picture(self, picture_id: str) -> Picture | None:
        """A picture taken a moment ago, which may not be in the history yet."""
        return self._cameras.take_picture(picture_id) if self._cameras is not None else None
