"""Why input was not used, or only with reserve: one word for the counter, one line for the reader."""

from __future__ import annotations

import enum
from datetime import datetime

from firewatch.model.text import LocalText
from firewatch.ports import Rejection

TOPIC_SHOWN = 256
PAYLOAD_SHOWN = 256
"""How many characters of a topic and bytes of a payload a rejection keeps."""


class RejectionReason(enum.StrEnum):
    """Why. `CLOCK_SKEW` and `IMPLAUSIBLE_TIME` are notices where the reading itself was used."""

    BAD_TOPIC = "bad_topic"
    UNKNOWN_DEVICE = "unknown_device"
    EMPTY_PAYLOAD = "empty_payload"
    TOO_LONG = "too_long"
    RETAINED = "retained"
    BROKEN_JSON = "broken_json"
    NOT_FINITE = "not_finite"
    WRONG_TYPE = "wrong_type"
    MISSING_FIELD = "missing_field"
    UNKNOWN_SIGNAL = "unknown_signal"
    UNKNOWN_UNIT = "unknown_unit"
    BAD_STATE_VALUE = "bad_state_value"
    IMPLAUSIBLE_TIME = "implausible_time"
    CLOCK_SKEW = "clock_skew"
    UNEXPECTED_ANSWER = "unexpected_answer"
    TOO_OFTEN = "too_often"
    NO_DRILL = "no_drill"

    @property
    def text(self) -> LocalText:
        """The reason in one line, for people."""
        return _TEXTS[self]


_TEXTS = {
    RejectionReason.BAD_TOPIC: LocalText(
        zh="主题不符合约定,也不是任何设备的自有主题。",
        en="The topic is not one of the contract's, nor any device's own.",
    ),
    RejectionReason.UNKNOWN_DEVICE: LocalText(
        zh="站点文件中没有该设备。",
        en="No site file names this device.",
    ),
    RejectionReason.EMPTY_PAYLOAD: LocalText(
        zh="消息内容为空;可能有人清除了保留消息。",
        en="The payload is empty; somebody may have cleared a retained message.",
    ),
    RejectionReason.TOO_LONG: LocalText(
        zh="消息内容超过长度上限,未读取。",
        en="The payload is longer than the limit and was not read.",
    ),
    RejectionReason.RETAINED: LocalText(
        zh="订阅时收到的保留读数是过去的值,不用于判断。",
        en="A retained reading received on subscribing is a value of the past and is not judged.",
    ),
    RejectionReason.BROKEN_JSON: LocalText(
        zh="内容不是有效的 JSON。",
        en="The payload is not valid JSON.",
    ),
    RejectionReason.NOT_FINITE: LocalText(
        zh="数值为 NaN、无穷大或超出范围。",
        en="A number is NaN, infinite or out of range.",
    ),
    RejectionReason.WRONG_TYPE: LocalText(
        zh="字段的类型与约定不符。",
        en="A field is not of the type that the contract asks for.",
    ),
    RejectionReason.MISSING_FIELD: LocalText(
        zh="缺少必需的字段。",
        en="A required field is missing.",
    ),
    RejectionReason.UNKNOWN_SIGNAL: LocalText(
        zh="该类型的设备没有此信号。",
        en="Devices of this kind have no such signal.",
    ),
    RejectionReason.UNKNOWN_UNIT: LocalText(
        zh="单位未知,或无法换算为该信号的单位。",
        en="The unit is unknown or does not convert to the signal's own.",
    ),
    RejectionReason.BAD_STATE_VALUE: LocalText(
        zh="该信号没有这个状态值。",
        en="The signal has no state of that name.",
    ),
    RejectionReason.IMPLAUSIBLE_TIME: LocalText(
        zh="时间无法读取或不合常理;可读的读数按接收时间处理。",
        en="The time cannot be read or makes no sense; a reading is then judged by the time of its arrival.",
    ),
    RejectionReason.CLOCK_SKEW: LocalText(
        zh="设备时钟偏差超过上限,读数按接收时间处理。",
        en="The device's clock is off by more than the limit; its readings are judged by the time of their arrival.",
    ),
    RejectionReason.UNEXPECTED_ANSWER: LocalText(
        zh="该设备不接受命令,却发来了应答。",
        en="The device takes no commands, yet it sent an answer.",
    ),
    RejectionReason.TOO_OFTEN: LocalText(
        zh="查岗过于频繁,该席位一秒内刚被查岗。",
        en="The seat was asked something else less than a second ago.",
    ),
    RejectionReason.NO_DRILL: LocalText(
        zh="演练数据不属于正在进行的演练。",
        en="The reading is of a drill, and that drill does not go on.",
    ),
}


def rejection(
    reason: RejectionReason, topic: str, payload: bytes, receive_time: datetime, detail: str = ""
) -> Rejection:
    """Put together what is kept of refused input, bounded and free of characters that a database refuses."""
    return Rejection(
        receive_time=receive_time,
        source=printable(topic[:TOPIC_SHOWN]),
        reason=reason.value,
        detail=printable(detail),
        payload=printable(payload[:PAYLOAD_SHOWN].decode(errors="replace")),
    )


def printable(text: str) -> str:
    """The text with control characters and lone surrogates replaced."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
