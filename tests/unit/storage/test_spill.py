"""The spill: a queue on disk that forgets nothing it took, whatever is cut off its end."""

from __future__ import annotations

import struct
import tempfile
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from firewatch.model.alarm import Stage, StageReached
from firewatch.model.command import Acknowledge, ActuatorAnswer, ActuatorCommand, AnswerState, OutOfService, Shelve
from firewatch.model.control_room import Drill, DutyCheck, EntryKind, LogEntry
from firewatch.model.delivery import Delivery, NotificationReason
from firewatch.model.observation import Observation, Quality
from firewatch.model.reload import ReloadOutcome, ReloadReport, ReloadTrigger, RulesReload
from firewatch.model.text import LocalText
from firewatch.ports import EngineInput, Listening, Picture, Record, Rejection
from firewatch.storage import spill as module
from firewatch.storage.spill import Spill, decode_frame, encode_frame, whole_frames

LIMIT = 2**30
START = datetime(2026, 3, 1, tzinfo=UTC)

times = st.integers(0, 7_000_000_000_000_000).map(
    lambda microseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)
texts = st.text(max_size=20)
durations = st.timedeltas(timedelta(0), timedelta(days=31))
values = st.none() | st.booleans() | st.floats(allow_nan=False) | texts
observations = st.builds(
    Observation,
    signal=texts,
    value=values,
    quality=st.sampled_from(Quality),
    source_time=times,
    receive_time=times,
    event_time=times,
    sequence=st.none() | st.integers(0, 2**63 - 1),
    picture=st.none() | texts,
)
ordinals = st.integers(1, 2**62)
records = st.one_of(
    st.builds(EngineInput, ordinal=ordinals, now=times, observation=observations, command=st.none()),
    st.builds(
        EngineInput,
        ordinal=ordinals,
        now=times,
        observation=st.none(),
        command=st.builds(Acknowledge, alarm_id=texts, operator=texts, comment=texts)
        | st.builds(Shelve, alarm_id=texts, operator=texts, reason=texts, duration=st.none() | durations)
        | st.builds(OutOfService, rule=texts, subject=texts, operator=texts, reason=texts),
    ),
    st.builds(
        ActuatorCommand,
        command_id=texts,
        device=texts,
        action=texts,
        parameters=st.dictionaries(texts, texts | st.floats(allow_nan=False) | st.booleans(), max_size=3),
        cause=texts,
        rule=texts,
        issued_time=times,
    ),
    st.builds(
        ActuatorAnswer,
        command_id=texts,
        device=texts,
        state=st.sampled_from(AnswerState),
        detail=texts,
        source_time=times,
        receive_time=times,
    ),
    st.builds(Picture, picture_id=texts, device=texts, taken_time=times, jpeg=st.binary(max_size=50)),
    st.builds(Rejection, receive_time=times, source=texts, reason=texts, detail=texts, payload=texts),
    st.builds(Listening, now=times),
    st.builds(
        RulesReload,
        time=times,
        trigger=st.sampled_from(ReloadTrigger),
        outcome=st.sampled_from(ReloadOutcome),
        by=texts,
        ordinal=st.none() | st.integers(1, 2**60),
        report=st.none() | st.builds(ReloadReport, now=times, rules=st.just(()), unchanged=st.integers(0, 10)),
        difference=texts,
    ),
    st.builds(StageReached, alarm_id=texts, stage=st.sampled_from(Stage), stage_time=times, by=texts),
    st.builds(
        LogEntry,
        entry_id=texts,
        entry_time=times,
        seat=texts,
        author=texts,
        kind=st.sampled_from(EntryKind),
        text=st.builds(LocalText, zh=texts, en=texts),
        alarm_id=st.none() | texts,
    ),
    st.builds(
        DutyCheck, check_id=texts, seat=texts, asked_by=texts, asked_time=times, until_time=times, answered_by=texts
    ),
    st.builds(
        Delivery,
        delivery_id=texts,
        target=texts,
        alarm_id=texts,
        number=st.integers(0, 2**31),
        reason=st.sampled_from(NotificationReason),
        created_time=times,
        due_time=times,
        ended_time=st.none() | times,
        error=texts,
    ),
    st.builds(Drill, drill_id=texts, plan=texts, begun_time=times, by=texts, report=texts),
)


def test_every_record_of_the_history_can_wait_on_disk():
    assert set(get_args(Record)) == set(module._KINDS)


def reading(ordinal: int) -> EngineInput:
    time = START + timedelta(seconds=ordinal)
    observation = Observation(
        signal="sample/tank-1/level",
        value=float(ordinal),
        quality=Quality.GOOD,
        source_time=time,
        receive_time=time,
        event_time=time,
    )
    return EngineInput(ordinal=ordinal, now=time, observation=observation)


def photograph(number: int) -> Picture:
    return Picture(picture_id=f"p{number}", device="sample/camera", taken_time=START, jpeg=b"\xff\xd8")


def everything(spill: Spill) -> list[Record]:
    return spill.read(2**31).records


def frames_of(content: bytes) -> list[list[Record]]:
    found, start = [], 0
    for end, _ in whole_frames(content):
        found.append(decode_frame(content, start, end))
        start = end
    return found


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(st.lists(records, min_size=1, max_size=20))
def test_a_frame_gives_back_the_records_put_into_it(batch: list[Record]) -> None:
    assert frames_of(encode_frame(batch)) == [batch]


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(records, min_size=1, max_size=5), max_size=4), st.data())
def test_cut_anywhere_the_whole_frames_before_the_cut_are_read_and_nothing_else(
    batches: list[list[Record]], data: st.DataObject
) -> None:
    frames = [encode_frame(batch) for batch in batches]
    content = b"".join(frames)
    cut = data.draw(st.integers(0, len(content)))
    whole, end = 0, 0
    for frame in frames:
        end += len(frame)
        whole += end <= cut
    assert frames_of(content[:cut]) == batches[:whole]


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(st.lists(records, min_size=1, max_size=5), st.data())
def test_a_flipped_bit_is_noticed(batch: list[Record], data: st.DataObject) -> None:
    frame = bytearray(encode_frame(batch))
    # The count alone is not covered: it only serves to count.
    position = data.draw(st.integers(8, len(frame) - 1))
    frame[position] ^= 1 << data.draw(st.integers(0, 7))
    assert frames_of(bytes(frame)) == []


def test_a_record_that_cannot_be_encoded_becomes_a_rejection_and_the_others_stay() -> None:
    poison = EngineInput(ordinal=2**70, now=START, command=Acknowledge(alarm_id="a", operator="\ud800"))
    (frame,) = frames_of(encode_frame([reading(1), poison, reading(3)]))
    assert [frame[0], frame[2]] == [reading(1), reading(3)]
    assert isinstance(frame[1], Rejection)
    assert frame[1].reason == "refused_by_history"


def test_an_acknowledgement_written_before_there_were_other_commands_is_read() -> None:
    old = {
        "ordinal": 7,
        "now": START,
        "observation": None,
        "command": {"alarm_id": "a", "operator": "li", "comment": ""},
    }
    body = msgspec.msgpack.encode([(0, old)])
    frame = struct.pack("<III", len(body), 1, zlib.crc32(body)) + body
    assert decode_frame(frame, 0, len(frame)) == [EngineInput(ordinal=7, now=START, command=Acknowledge("a", "li"))]


def test_what_was_appended_is_there_after_a_restart_in_order(tmp_path: Path) -> None:
    spill = Spill(tmp_path, LIMIT)
    spill.append([reading(1), photograph(1), reading(2)])
    spill.append([reading(3)])
    again = Spill(tmp_path, LIMIT)
    assert everything(again) == [photograph(1), reading(1), reading(2), reading(3)]
    assert again.waiting == 4
    assert again.damaged_bytes == 0


def test_a_torn_end_is_left_out_and_written_over(tmp_path: Path) -> None:
    spill = Spill(tmp_path, LIMIT)
    spill.append([reading(1)])
    spill.append([reading(2)])
    (segment,) = tmp_path.iterdir()
    segment.write_bytes(segment.read_bytes()[:-3])
    again = Spill(tmp_path, LIMIT)
    assert again.damaged_bytes > 0
    assert everything(again) == [reading(1)]
    again.append([reading(3)])
    assert everything(Spill(tmp_path, LIMIT)) == [reading(1), reading(3)]


def test_an_append_that_the_disk_cut_short_does_not_spoil_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spill = Spill(tmp_path, LIMIT)
    spill.append([reading(1)])

    def is_full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fdatasync", is_full)
    with pytest.raises(OSError, match="No space"):
        spill.append([reading(2)])
    monkeypatch.undo()
    spill.append([reading(3)])
    assert everything(spill) == [reading(1), reading(3)]
    assert everything(Spill(tmp_path, LIMIT)) == [reading(1), reading(3)]


def test_over_the_limit_the_oldest_inputs_go_and_changes_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 1)
    spill = Spill(tmp_path, limit_bytes=3 * len(encode_frame([reading(1)])))
    given_up = sum(spill.append([photograph(number), reading(number)]) for number in range(1, 11))
    kept = everything(spill)
    assert given_up == 7
    assert [each for each in kept if isinstance(each, EngineInput)] == [reading(8), reading(9), reading(10)]
    assert [each for each in kept if isinstance(each, Picture)] == [photograph(number) for number in range(1, 11)]


def test_taking_out_what_was_given_up_meanwhile_takes_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 1)
    spill = Spill(tmp_path, limit_bytes=3 * len(encode_frame([reading(1)])))
    for number in range(1, 4):
        spill.append([reading(number)])
    taken = spill.read(1)
    for number in range(4, 8):
        spill.append([reading(number)])
    spill.remove(taken.until)
    assert everything(spill) == [reading(5), reading(6), reading(7)]


def test_files_of_others_in_the_directory_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    spill = Spill(tmp_path, LIMIT)
    spill.append([reading(1)])
    assert (tmp_path / "notes.txt").read_text() == "mine"


class SpillMachine(RuleBasedStateMachine):
    """The spill beside a list: appended to, read, taken from and opened again."""

    @initialize()
    def open(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.spill = Spill(Path(self.directory.name), LIMIT)
        self.next_ordinal = 1
        self.model: list[EngineInput] = []
        self.removed: list[EngineInput] = []

    @rule(count=st.integers(1, 12))
    def append(self, count: int) -> None:
        batch = [reading(self.next_ordinal + number) for number in range(count)]
        self.next_ordinal += count
        self.spill.append(batch)
        self.model += batch

    @rule(limit=st.integers(1, 20))
    def take_out(self, limit: int) -> None:
        taken = self.spill.read(limit)
        assert taken.records == self.model[: len(taken.records)]
        assert len(taken.records) >= min(limit, len(self.model))
        self.spill.remove(taken.until)
        self.removed = self.model[: len(taken.records)]
        self.model = self.model[len(taken.records) :]

    @precondition(lambda self: hasattr(self, "spill"))
    @rule()
    def open_again(self) -> None:
        self.spill = Spill(Path(self.directory.name), LIMIT)
        found = everything(self.spill)
        # Some that were taken out may come again; none that was not may be missing.
        assert found[len(found) - len(self.model) :] == self.model
        self.model = found

    @invariant()
    def the_count_is_right(self) -> None:
        if hasattr(self, "spill"):
            assert self.spill.waiting == len(self.model)

    def teardown(self) -> None:
        if hasattr(self, "directory"):
            self.directory.cleanup()


@pytest.fixture(autouse=True, scope="module")
def small_pieces():
    """Segments and frames so small that few records fill several."""
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "SEGMENT_BYTES", 2000)
    patch.setattr(module, "FRAME_RECORDS", 5)
    yield
    patch.undo()


TestSpillMachine = pytest.mark.slow(SpillMachine.TestCase)
TestSpillMachine.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
