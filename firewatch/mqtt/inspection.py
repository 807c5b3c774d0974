"""What can be seen from outside of how a broker is set up, said plainly where it endangers alarms."""

from __future__ import annotations

from collections.abc import Sequence

from paho.mqtt.reasoncodes import ReasonCode

from firewatch.telemetry.events import BrokerIdentified, BrokerUnfit
from firewatch.telemetry.telemetry import Telemetry

VERSION_TOPIC = "$SYS/broker/version"
DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped"
OWN_TOPICS = (VERSION_TOPIC, DROPPED_TOPIC)
"""What Mosquitto and brokers like it tell about themselves; others keep silent."""


class BrokerInspection:
    """Judges the broker by its answers. One for a session, over all its connections."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._had_session = False
        self._dropped: int | None = None

    def connected(self, session_kept: bool) -> None:
        """The broker accepted the connection."""
        if self._had_session and not session_kept:
            self._complain(
                "the broker forgot firewatch's session; what was published meanwhile is lost",
                "let it keep sessions on disk (mosquitto: persistence true; see config/broker/mosquitto.conf)",
            )
        self._had_session = True
        self._dropped = None

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
