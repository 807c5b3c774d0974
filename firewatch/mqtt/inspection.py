"""What can be seen from outside of how a broker is set up, said plainly where it endangers alarms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from paho.mqtt.reasoncodes import ReasonCode

from firewatch.telemetry.events import BrokerIdentified, BrokerUnfit
from firewatch.telemetry.telemetry import Telemetry

VERSION_TOPIC = "$SYS/broker/version"
DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped"
OWN_TOPICS = (VERSION_TOPIC, DROPPED_TOPIC)
"""What Mosquitto and brokers like it tell about themselves; others keep silent."""


SHORT_SECONDS = 2.0
SHORT_CONNECTIONS = 3
"""So many connections in a row that last no longer than this are no accident."""


class BrokerInspection:
    """Judges the broker by its answers. One for a session, over all its connections."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._had_session = False
        self._dropped: int | None = None
        self._short_connections = 0

    def connected(self, session_kept: bool) -> None:
        """The broker accepted the connection."""
        if self._had_session and not session_kept:
            self._complain(
                "the broker forgot firewatch's session; what was published meanwhile is lost",
                "let it keep sessions on disk (mosquitto: persistence true; see config/broker/mosquitto.conf)",
            )
        self._had_session = True
        self._dropped = None

    def ended(self, lasted_seconds: float, client_id: str) -> None:
        """The connection ended, though firewatch did not want it."""
        self._short_connections = self._short_connections + 1 if lasted_seconds < SHORT_SECONDS else 0
        if self._short_connections == SHORT_CONNECTIONS:
            self._complain(
                f"it ended {SHORT_CONNECTIONS} connections in a row right after accepting them",
                f'make sure that no other client calls itself "{client_id}", since each throws the other out, '
                "and that firewatch may publish to its command and alarm topics",
            )

    def delayed(self, seconds: float) -> None:
        """The broker holds small packets back for this long."""
        self._complain(
            f"it holds small messages back for {seconds * 1000:.0f} ms, and alarms with them",
            "switch Nagle's algorithm off (mosquitto: set_tcp_nodelay true)",
        )

    def granted(self, filters: Sequence[str], answers: Sequence[ReasonCode]) -> None:
        """The broker answered the subscriptions."""
        for name, answer in zip(filters, answers, strict=False):
            if answer.is_failure:
                self._complain(f"it refuses the subscription to {name}: {answer}", "let firewatch read this topic")
            elif answer.value == 0:
                self._complain(
                    f"it grants {name} at QoS 0 only, so messages may be lost", "allow QoS 1 (mosquitto: max_qos)"
                )

    def told(self, topic: str, payload: bytes) -> None:
        """The broker told about itself."""
        text = payload[:80].decode(errors="replace")
        if topic == VERSION_TOPIC:
            self._telemetry.emit(BrokerIdentified(version=text))
        elif topic == DROPPED_TOPIC and text.isdecimal():
            dropped = int(text)
            if self._dropped is not None and dropped > self._dropped:
                self._complain(
                    f"it dropped {dropped - self._dropped} messages in the last moments, of some client",
                    "raise its queue's limit (mosquitto: max_queued_messages 0 and max_queued_bytes)",
                )
            self._dropped = dropped

    def _complain(self, finding: str, hint: str) -> None:
        self._telemetry.emit(BrokerUnfit(finding=finding, hint=hint))


class DelayProbe:
    """Finds out whether the broker holds small packets back until the one before is acknowledged (Nagle's algorithm).

    Two messages go out together. Their acknowledgements come back together, whatever the network's delay, unless the
    broker waits for the client's kernel, which takes some 40 ms. The smallest gap of the last rounds counts: a busy
    machine makes gaps too, and in the first rounds of a connection the kernel acknowledges at once. `send` publishes
    an empty message to a topic nobody reads.
    """

    ROUNDS = 8
    JUDGED_ROUNDS = 4
    SUSPICIOUS_SECONDS = 0.02

    def __init__(self, send: Callable[[], int], found: Callable[[float], None]) -> None:
        self._send = send
        self._found = found
        self._mids: dict[int, float | None] = {}
        self._gaps: list[float] | None = None
        self._begun = False
        self.finished = False
        """Whether it came to a conclusion."""

    def begin(self) -> None:
        """Start on the first connection, and on no other: a broker that ended it for the probe gets no second one.
        `go_on` sends.
        """
        self._gaps = None if self._begun else []
        self._begun = True

    def stop(self) -> None:
        """The connection is over; what was sent on it is not waited for."""
        self._gaps, self._mids = None, {}

    def takes(self, mid: int, now: float) -> bool:
        """The broker acknowledged `mid` at `now` (seconds); True if it was one of the probe's."""
        if mid not in self._mids:
            return False
        self._mids[mid] = now
        return True

    def go_on(self) -> None:
        """Do the next step, if there is one."""
        if self._gaps is None:
            return
        if self._mids:
            times = [time for time in self._mids.values() if time is not None]
            if len(times) < len(self._mids):
                return
            self._gaps.append(max(times) - min(times))
        if len(self._gaps) < self.ROUNDS:
            self._mids = {self._send(): None for _ in range(2)}
            return
        smallest = min(self._gaps[-self.JUDGED_ROUNDS :])
        self._gaps, self._mids = None, {}
        self.finished = True
        if smallest >= self.SUSPICIOUS_SECONDS:
            self._found(smallest)
