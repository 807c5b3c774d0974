"""Actuators of a site, which do what they are told once and say what they did: lift doors, loudspeakers, sirens,
display boards, access-controlled doors, exhaust fans and recorders.

A lift's door lets go by itself after the command's `max_seconds`, whatever becomes of the one who asked: people must
get out. The lifts themselves take commands in their own process.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import click

from firewatch.model.contract import Reading
from simulators.actuator import ACTUATOR_VERBS, CommandedDevice, Lasting, Position, Switch
from simulators.loudspeaker import Loudspeaker
from simulators.process import Simulation, process_options, read_options, run_process
from simulators.scenario import Step
from simulators.site import SimulatedSite, SiteDevice

RUN_UP, RUN_DOWN = timedelta(seconds=4), timedelta(seconds=8)
"""How long a fan takes to its speed, and to a stop."""


def door_controller() -> Switch:
    """Holds a lift's door open and lets it go."""
    hold = Lasting("max_seconds", default=timedelta(seconds=60), longest=timedelta(minutes=5))
    return Switch(
        "held",
        False,
        {"hold_door": ("held", Position(True, lasting=hold)), "release_door": ("released", Position(False))},
    )


def siren() -> Switch:
    """Sounds in bursts until it is stopped."""
    return Switch("sounding", False, {"sound": ("sounding", Position(True)), "stop": ("stopped", Position(False))})


def display_board() -> Switch:
    """Shows a text until it is cleared."""
    return Switch("showing", False, {"show": ("showing", Position(True)), "clear": ("cleared", Position(False))})


def access_door() -> Switch:
    """Lets people through while it is released."""
    positions = {"release": ("released", Position(True)), "secure": ("secured", Position(False))}
    return Switch("released", False, positions, beside=[Reading(signal="position", value="closed")])


def exhaust_fan() -> Switch:
    """Carries off bad air slowly and smoke fast."""
    positions = {
        "ventilate": ("ventilating", Position("low", RUN_UP)),
        "exhaust_smoke": ("exhausting", Position("high", RUN_UP)),
        "stop": ("stopped", Position("stopped", RUN_DOWN)),
    }
    beside = [Reading(signal="fault", value=False), Reading(signal="automatic", value=True)]
    return Switch("speed", "stopped", positions, beside)


def recorder_channel() -> Switch:
    """Records a camera, for a time at the most."""
    lasting = Lasting("max_seconds", default=timedelta(minutes=10), longest=timedelta(hours=1))
    positions = {
        "start_recording": ("recording", Position(True, lasting=lasting)),
        "stop_recording": ("stopped", Position(False)),
    }
    return Switch("recording", False, positions)


MAKERS: dict[str, Callable[[SiteDevice], CommandedDevice]] = {
    "door_controller": lambda _: door_controller(),
    "loudspeaker": lambda device: Loudspeaker(device.id),
    "siren": lambda _: siren(),
    "display_board": lambda _: display_board(),
    "access_door": lambda _: access_door(),
    "exhaust_fan": lambda _: exhaust_fan(),
    "recorder_channel": lambda _: recorder_channel(),
}
"""What is simulated of each kind of device."""


class ActuatorSimulation(Simulation):
    """The actuators of a site."""

    def __init__(self, site: SimulatedSite) -> None:
        actuators = {device: MAKERS[device.kind](device) for device in site.of_kind(*MAKERS)}
        self._by_id = {device.id: actuator for device, actuator in actuators.items()}
        super().__init__(actuators, verbs=ACTUATOR_VERBS)

    def do(self, step: Step, now: datetime) -> None:
        """Begin or end a fault."""
        del now
        if step.who in self._by_id:
            self._by_id[step.who].play(step)


@click.command()
@process_options
def main(**options: str) -> None:
    """Simulate the actuators of a site but for its lifts."""
    prepared = read_options("actuators", **options)  # type: ignore[arg-type]
    run_process(prepared, ActuatorSimulation(prepared.site))


if __name__ == "__main__":
    main()
