"""The daemon put together: what is started, in which order, and stopped in reverse.

Order at the start: broker and database (where firewatch brings its own), history, the engine brought back to where
it was, the console, then the cameras and the broker session that let new inputs in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import structlog
from psycopg.conninfo import make_conninfo

from firewatch.app.address import forget_address, remember_address
from firewatch.app.backtests import BacktestDesk
from firewatch.app.certainty import certainty
from firewatch.app.clock import SystemClock
from firewatch.app.control_room import ControlRoomKeeper
from firewatch.app.drill import DrillKeeper, RehearsedHistory
from firewatch.app.embedded import EmbeddedBroker, EmbeddedDatabase
from firewatch.app.live import Live
from firewatch.app.log_keeper import LogKeeper
from firewatch.app.loop import EngineLoop
from firewatch.app.notifications import NotificationKeeper, NotifyingHistory
from firewatch.app.recovery import recover
from firewatch.app.rules import RulesKeeper
from firewatch.app.snapshots import SnapshotKeeper
from firewatch.app.supervisor import Supervisor
from firewatch.app.workload import CountedHistory, WorkloadKeeper
from firewatch.broadcast.actuators import Actuators
from firewatch.broadcast.cap import Voice
from firewatch.broadcast.cap_feed import CapFeed
from firewatch.broadcast.carrier import Carriers, MqttCarrier
from firewatch.broadcast.channels import open_channel
from firewatch.broadcast.http_carrier import HttpCarriers
from firewatch.broadcast.notifier import Notifier
from firewatch.broadcast.outlet import Surroundings
from firewatch.broadcast.proof import Proofs
from firewatch.config.drills import Known
from firewatch.config.project import Project, load_drills, load_notifications
from firewatch.config.settings import MqttSettings, Settings
from firewatch.model.drill import DrillPlan
from firewatch.model.effect import RecordTransition
from firewatch.model.observation import Observation
from firewatch.mqtt.decode import PayloadDecoder
from firewatch.mqtt.session import MqttSession
from firewatch.ports import Clock, Listening, PartStatus, Picture
from firewatch.storage.history import PostgresHistory, open_history
from firewatch.storage.rule_set import RuleSet, RuleSetFolder
from firewatch.storage.snapshot import SnapshotFile
from firewatch.telemetry.rejections import RejectionLog
from firewatch.telemetry.telemetry import Telemetry
from firewatch.vision.detector import MobileNetSsd
from firewatch.vision.watch import CameraWatch
from firewatch.web.feed import LiveFeed
from firewatch.web.server import WebServer

FAREWELL_LIMIT = timedelta(seconds=2)
"""How long a clean stop waits for the broker, and for receivers of notifications, to take the last messages."""

_Offer = Callable[[list[Observation]], None]
_Part = Callable[[], Awaitable[None]]

log = structlog.get_logger("firewatch.app")


class App:
    """One daemon. `start` brings everything up and returns the console's address; `stop` undoes it in reverse."""

    def __init__(self, settings: Settings, project: Project, clock: Clock | None = None) -> None:
        self._settings = settings
        self._inventory = project.inventory
        self._rule_set = RuleSet(project.rules, project.inventory)
        self._room = project.control_room
        self._told = project.notifications
        self._drills = project.drills
        self._stamp = project.stamp
        self._clock = clock or SystemClock()
        self._telemetry = Telemetry()
        self._rejections = RejectionLog(self._telemetry)
        self._supervisor = Supervisor()
        self._rules: RulesKeeper | None = None
        self._notifications: NotificationKeeper | None = None
        self._history_address = ""
        self._undo = AsyncExitStack()
        self._broker_status = PartStatus(name="broker", ready=False, detail="not connected yet")

    async def start(self) -> str:
        """Bring everything up.

        Raises:
            FirewatchError: a part cannot start; what had started is stopped again.
        """
        try:
            return await self._start()
        except BaseException:
            await self.stop()
            raise

    def reload_rules(self) -> None:
        """SIGHUP came: take over what the files say, as soon as everything is up."""
        if self._rules is not None:
            self._rules.signal()
        if self._notifications is not None:
            self._notifications.signal()

    async def stop(self) -> None:
        """Stop taking inputs, make everything taken safe, and end every part."""
        await self._undo.aclose()

    async def _start(self) -> str:
        state = self._settings.state_directory
        await asyncio.to_thread(state.mkdir, mode=0o700, parents=True, exist_ok=True)
        mqtt = await self._mqtt_settings(state)
        history = await self._open_history(state)
        snapshots = SnapshotFile(state)

        kept_rules = RuleSetFolder(state / "rule-sets")
        await asyncio.to_thread(kept_rules.keep, self._rule_set)
        now = self._clock.now()
        recovered = await recover(self._rule_set, kept_rules, snapshots, history, now)
        history.write([Listening(now, recovered.heard_until)])
        workloads = WorkloadKeeper(self._room, self._inventory, history, self._clock, self._telemetry)
        rehearsed = RehearsedHistory(history)
        notifying = NotifyingHistory(CountedHistory(rehearsed, workloads), lambda changes: notifier.take(changes))
        log_keeper = LogKeeper(notifying, self._room, self._clock)
        await log_keeper.begin(history, recovered.heard_until)
        self._undo.push_async_callback(log_keeper.end)

        feed = LiveFeed()
        decoder = PayloadDecoder(
            self._inventory,
            self._settings.ingest,
            mqtt.prefix,
            notice=lambda rejection: loop.notice(rejection),
            room=self._room,
            ask=lambda question: control_room.put(question),
            rehearse=None if self._settings.drills is None else lambda *reading: drills.rehearse(*reading),
        )
        session = MqttSession(
            mqtt,
            decoder.subscriptions,
            on_messages=lambda messages: loop.offer_messages(messages),
            on_connection=lambda connected, detail: self._broker_changed(decoder, connected, detail),
            on_retained_alarm=lambda topic: loop.clear_unless_standing(topic),
            telemetry=self._telemetry,
        )
        cameras = self._camera_watch(lambda observations: loop.offer_observations(observations))
        http_actuators = HttpCarriers(
            self._inventory, self._clock, self._telemetry, on_answer=lambda answer: loop.offer_answer(answer)
        )
        carriers = Carriers(MqttCarrier(session, mqtt.prefix), http_actuators.by_device)
        actuators = Actuators(carriers, Proofs(self._inventory).of, self._telemetry)
        voice = Voice(self._settings.sender, self._inventory, lambda alarm: certainty(alarm, loop.instance(alarm)))
        alerts = CapFeed(voice, history, self._clock)
        surroundings = Surroundings(
            self._clock,
            log_keeper,
            history,
            self._telemetry,
            lambda target: open_channel(target, self._settings.sender, alerts),
            lambda delivery: drills.may_tell(delivery),
        )
        notifier = Notifier(self._told, self._inventory, surroundings)
        settled = {effect.transition.alarm_id for effect in recovered.effects if isinstance(effect, RecordTransition)}
        await notifier.recover(recovered.engine.alarms(), recovered.changes, settled)
        self._notifications = NotificationKeeper(self._settings, self._told, self._inventory, notifier, self._telemetry)
        drills = DrillKeeper(
            self._drills,
            self._read_drills,
            self._running_rules,
            self._clock,
            log_keeper,
            session,
            mqtt.prefix,
            feed,
            actuators,
            self._telemetry,
            standing=lambda: loop.alarms(),
            is_claimed=lambda device: loop.is_claimed(device),
            look_again=lambda: loop.look_again(),
            on_change=alerts.take,
        )
        rehearsed.show(drills.look)
        loop = EngineLoop(
            recovered.engine,
            self._clock,
            log_keeper,
            session,
            decoder,
            actuators,
            feed,
            prefix=mqtt.prefix,
            rules=self._rule_set.digest,
            last_ordinal=recovered.last_ordinal,
            take_picture=cameras.take_picture if cameras is not None else _no_picture,
            telemetry=self._telemetry,
            rejections=self._rejections,
            on_change=alerts.take,
            rehearsal=drills,
        )
        loop.already_annunciated(recovered.annunciated)
        loop.remember(recovered.changes)
        loop.settle(recovered.effects, recovered.taken)
        keeper = SnapshotKeeper(loop, history, snapshots, self._telemetry)
        self._rules = RulesKeeper(
            self._settings,
            self._rule_set,
            self._stamp,
            loop,
            self._clock,
            log_keeper,
            keeper,
            kept_rules,
            self._telemetry,
        )

        control_room = ControlRoomKeeper(
            self._room,
            self._clock,
            log_keeper,
            session,
            mqtt.prefix,
            feed,
            loop.offer_observations,
            self._telemetry,
        )
        await control_room.resume(history)
        await drills.resume(history)

        live = Live(
            loop,
            cameras,
            self._rejections,
            self._supervisor,
            [
                lambda: self._broker_status,
                history.status,
                loop.status,
                self._rules.status,
                self._notifications.status,
            ],
            notifier.parts,
        )
        backtests = BacktestDesk(self._settings, self._rules, self._history_address, self._clock)
        web = WebServer(
            self._settings.http,
            self._inventory,
            live,
            history,
            loop,
            self._rules,
            loop,
            backtests,
            self._clock,
            self._telemetry.metrics,
            feed,
            alerts,
            control_room,
            workloads,
            notifier,
            drills,
        )
        address = await web.start()
        self._undo.push_async_callback(web.stop)
        await asyncio.to_thread(remember_address, self._settings, address)
        self._undo.push_async_callback(asyncio.to_thread, forget_address, self._settings)

        # Before any input: a replay across the time firewatch was down would report devices that nobody could hear.
        await keeper.write()

        # Stopped in reverse: the engine first, then what it took is made safe and acknowledged, then the session ends.
        self._run("mqtt session", session.run)
        self._undo.push_async_callback(session.drained, FAREWELL_LIMIT)
        self._undo.push_async_callback(keeper.write)
        self._undo.push_async_callback(drills.interrupt)
        self._run("snapshots", keeper.run)
        if http_actuators.by_device:
            self._run("http actuators", http_actuators.run)
        self._run("engine", loop.run)
        self._run("duty checks", control_room.run)
        self._run("rule watch", self._rules.run, vital=False)
        self._run("backtests", backtests.run, vital=False)
        self._run("workload", workloads.run, vital=False)
        self._run("notifications", self._notifications.run, vital=False)
        self._undo.push_async_callback(notifier.finish, FAREWELL_LIMIT)
        if cameras is not None:
            cameras.start()
            self._undo.push_async_callback(asyncio.to_thread, cameras.stop)
        return address

    async def _mqtt_settings(self, state: Path) -> MqttSettings:
        if self._settings.mqtt.url is not None:
            return self._settings.mqtt
        broker = EmbeddedBroker(state / "broker")
        url = await broker.start()
        self._undo.push_async_callback(broker.stop)
        log.info("The embedded broker is up.", url=url)
        return self._settings.mqtt.model_copy(update={"url": url})

    async def _open_history(self, state: Path) -> PostgresHistory:
        named = self._settings.database
        if named.dsn is not None:
            address = named.dsn.get_secret_value()
            if named.password_file is not None:
                password = await asyncio.to_thread(named.password_file.read_text)
                address = make_conninfo(address, password=password.strip())
        else:
            database = EmbeddedDatabase(state / "database")
            address = await database.start()
            self._undo.push_async_callback(database.stop)
            log.info("The embedded database is up.")
        self._history_address = address
        history = await open_history(address, state / "spill", telemetry=self._telemetry)
        self._undo.push_async_callback(history.close)
        return history

    def _running_rules(self) -> RuleSet:
        return self._rule_set if self._rules is None else self._rules.running

    def _read_drills(self) -> tuple[DrillPlan, ...]:
        told = None if self._settings.notifications is None else load_notifications(self._settings, self._inventory)
        return load_drills(self._settings, Known(self._inventory, self._running_rules().rules, told))

    def _broker_changed(self, decoder: PayloadDecoder, connected: bool, detail: str) -> None:
        if connected:
            decoder.connected(self._clock.now())
        self._broker_status = PartStatus(name="broker", ready=connected, detail=detail)

    def _camera_watch(self, offer: _Offer) -> CameraWatch | None:
        cameras = [(site, device) for site in self._inventory.sites for device in site.devices if device.stream]
        if not self._settings.vision.enabled or not cameras:
            return None
        running_loop = asyncio.get_running_loop()

        def offer_from_thread(observations: list[Observation]) -> None:
            running_loop.call_soon_threadsafe(offer, observations)

        return CameraWatch(
            cameras,
            self._settings.vision,
            self._clock,
            offer_from_thread,
            telemetry=self._telemetry,
            detector=MobileNetSsd(self._settings.state_directory / "models"),
        )

    def _run(self, name: str, part: _Part, *, vital: bool = True) -> None:
        self._supervisor.keep_running(name, part, vital=vital)
        self._undo.push_async_callback(self._supervisor.stop, name)


def _no_picture(_: str) -> Picture | None:
    return None
