"""What the sample compound's cameras show, drawn with OpenCV: a lift cabin with its visitors, and a garage's fire lane.

The pictures are made for two readers: a person at the control room's screen, and the real detector, which has to
see a drawn e-bike, person or car as it sees a photographed one and must see no vehicle in an empty cabin. A scene is
a value; drawing the same scene twice gives the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]
Point = tuple[float, float]

ENTRY_SECONDS = 1.5
"""How long a resident takes to push an e-bike in: the time for `e_bike` to go from 0 to 1."""

_OVERSAMPLING = 2
_DESIGN_WIDTH, _DESIGN_HEIGHT = 640, 480

_REMEMBERED_PICTURES = 16
"""A scene in which nothing moves is drawn once; only its overlay, the ticking clock, is written anew."""

_STEEL: Colour = (168, 166, 160)
_DARK: Colour = (40, 38, 36)
_RUBBER: Colour = (30, 30, 32)
_CHROME: Colour = (205, 205, 200)
_SKIN: Colour = (150, 180, 225)
_HAIR: Colour = (30, 32, 40)
_SHIRT: Colour = (150, 105, 60)
_TROUSERS: Colour = (88, 60, 50)
_FRAME_RED: Colour = (45, 45, 190)


@dataclass(frozen=True)
class CabinScene:
    """A lift cabin seen from its camera, the door in the left wall.

    `e_bike` and `resident` are positions from 0 (outside, out of sight) to 1 (at their place in the cabin), None when
    there is none. `door_opening` goes from 0 (closed) to 1 (open). `e_bike_size` is 1 for a common one.
    `overlay` is the camera's own writing in the picture's corner, usually its name and clock.
    """

    e_bike: float | None = None
    resident: float | None = None
    door_opening: float = 0.0
    floor: int = 1
    overlay: str = ""
    e_bike_size: float = 1.0


@dataclass(frozen=True)
class LaneScene:
    """The fire lane of an underground garage. `car`, `e_bike` and `resident` are positions from 0 (out of sight at
    the left) to 1 (standing at their place in the lane), None when there is none.
    """

    car: float | None = None
    e_bike: float | None = None
    resident: float | None = None
    overlay: str = ""


def draw_cabin(scene: CabinScene, width: int = _DESIGN_WIDTH, height: int = _DESIGN_HEIGHT) -> Picture:
    """The camera's picture of a cabin, BGR."""
    return _with_overlay(_cabin(replace(scene, overlay=""), width, height), scene.overlay)


def draw_lane(scene: LaneScene, width: int = _DESIGN_WIDTH, height: int = _DESIGN_HEIGHT) -> Picture:
    """The camera's picture of the fire lane, BGR."""
    return _with_overlay(_lane(replace(scene, overlay=""), width, height), scene.overlay)


@lru_cache(maxsize=_REMEMBERED_PICTURES)
def _cabin(scene: CabinScene, width: int, height: int) -> Picture:
    sheet = _Sheet(_cabin_background().copy())
    _draw_door(sheet, scene.door_opening)
    _draw_floor_display(sheet, scene.floor)
    actors = _Sheet(sheet.pixels.copy())
    if scene.resident is not None:
        _draw_person(actors, feet=(_between(-197, 345, scene.resident), 412), height=302, stride=scene.resident * 9)
    if scene.e_bike is not None:
        wheelbase = 188 * scene.e_bike_size
        _draw_e_bike(actors, ground=(_between(-170, 372, scene.e_bike), 436), wheelbase=wheelbase, turn=scene.e_bike)
    cv2.copyTo(actors.pixels, _visible_in_cabin(scene.door_opening), sheet.pixels)
    return _finish(sheet, width, height)


@lru_cache(maxsize=_REMEMBERED_PICTURES)
def _lane(scene: LaneScene, width: int, height: int) -> Picture:
    sheet = _Sheet(_lane_background().copy())
    if scene.resident is not None:
        _draw_person(sheet, feet=(_between(-60, 505, scene.resident), 396), height=260, stride=scene.resident * 9)
    if scene.car is not None:
        _draw_car(sheet, ground=(_between(-230, 300, scene.car), 408), length=360, turn=scene.car)
    if scene.e_bike is not None:
        _draw_e_bike(sheet, ground=(_between(-130, 470, scene.e_bike), 440), wheelbase=150, turn=scene.e_bike)
    return _finish(sheet, width, height)


class _Sheet:
    """A picture to draw on in design units (640 x 480, y downwards), kept finer than it will be shown."""

    def __init__(self, pixels: Picture) -> None:
        self.pixels = pixels

    @classmethod
    def blank(cls, colour: Colour) -> _Sheet:
        shape = (_DESIGN_HEIGHT * _OVERSAMPLING, _DESIGN_WIDTH * _OVERSAMPLING, 3)
        return cls(np.full(shape, colour, dtype=np.uint8))

    def line(self, start: Point, end: Point, colour: Colour, width: float) -> None:
        cv2.line(self.pixels, _fine(start), _fine(end), colour, _thick(width), cv2.LINE_AA, _SHIFT)

    def path(self, points: list[Point], colour: Colour, width: float) -> None:
        cv2.polylines(self.pixels, [_fine_all(points)], False, colour, _thick(width), cv2.LINE_AA, _SHIFT)

    def fill(self, points: list[Point], colour: Colour) -> None:
        cv2.fillPoly(self.pixels, [_fine_all(points)], colour, cv2.LINE_AA, _SHIFT)

    def ring(self, centre: Point, radius: float, colour: Colour, width: float) -> None:
        cv2.circle(self.pixels, _fine(centre), _fine_length(radius), colour, _thick(width), cv2.LINE_AA, _SHIFT)

    def disc(self, centre: Point, radius: float, colour: Colour) -> None:
        cv2.circle(self.pixels, _fine(centre), _fine_length(radius), colour, -1, cv2.LINE_AA, _SHIFT)

    def oval(self, centre: Point, half: Point, colour: Colour, angle: float = 0.0) -> None:
        axes = (_fine_length(half[0]), _fine_length(half[1]))
        cv2.ellipse(self.pixels, _fine(centre), axes, angle, 0, 360, colour, -1, cv2.LINE_AA, _SHIFT)

    def arc(self, centre: Point, radius: float, start: float, end: float, colour: Colour, width: float) -> None:
        axes = (_fine_length(radius), _fine_length(radius))
        cv2.ellipse(self.pixels, _fine(centre), axes, 0, start, end, colour, _thick(width), cv2.LINE_AA, _SHIFT)

    def text(self, words: str, corner: Point, colour: Colour, size: float, width: float) -> None:
        at = (round(corner[0] * _OVERSAMPLING), round(corner[1] * _OVERSAMPLING))
        scale = size * _OVERSAMPLING
        cv2.putText(self.pixels, words, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, _thick(width), cv2.LINE_AA)

    def shade(self, centre: Point, half: Point, darkness: float) -> None:
        """Darken an oval on the ground softly, as a shadow does."""
        mask = np.zeros(self.pixels.shape[:2], np.uint8)
        axes = (_fine_length(half[0]), _fine_length(half[1]))
        cv2.ellipse(mask, _fine(centre), axes, 0, 0, 360, (255,), -1, cv2.LINE_8, _SHIFT)
        left, top, width, height = cv2.boundingRect(mask)
        part = self.pixels[top : top + height, left : left + width]
        if not part.size:
            return
        weight = cv2.blur(mask[top : top + height, left : left + width], (21, 11))[:, :, None] * (darkness / 255)
        part[:] = (part * (1 - weight)).astype(np.uint8)


_SHIFT = 4
_FINE = _OVERSAMPLING * (1 << _SHIFT)


def _fine(point: Point) -> tuple[int, int]:
    return round(point[0] * _FINE), round(point[1] * _FINE)


def _fine_all(points: list[Point]) -> NDArray[np.int32]:
    return np.array([_fine(point) for point in points], np.int32)


def _fine_length(length: float) -> int:
    return round(length * _FINE)


def _thick(width: float) -> int:
    return max(1, round(width * _OVERSAMPLING))


def _between(start: float, end: float, position: float) -> float:
    return start + (end - start) * position


def _mix(near: Colour, far: Colour, share: float) -> Colour:
    blue, green, red = (round(_between(a, b, share)) for a, b in zip(near, far, strict=True))
    return blue, green, red


def _finish(sheet: _Sheet, width: int, height: int) -> Picture:
    picture = cv2.resize(sheet.pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(picture, (3, 3), 0.8), np.uint8)


def _with_overlay(picture: Picture, overlay: str) -> Picture:
    written = picture.copy()
    scale = picture.shape[0] / _DESIGN_HEIGHT
    at = (round(12 * scale), round(24 * scale))
    for colour, thickness in ((_DARK, 3), ((235, 240, 240), 1)):
        line = max(1, round(thickness * scale))
        cv2.putText(written, overlay, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5 * scale, colour, line, cv2.LINE_AA)
    return written


# The cabin. The left wall runs from the picture's left edge to the corner at x = 150, the back wall on to x = 560.
_CORNER_TOP, _CORNER_BOTTOM = (150.0, 62.0), (150.0, 338.0)
_RIGHT_TOP, _RIGHT_BOTTOM = (560.0, 62.0), (560.0, 338.0)
_DOOR_NEAR, _DOOR_FAR = 8.0, 132.0
_DOOR_TOP_SHARE = 0.14
_THRESHOLD_AT_VISITORS = 22.0
"""Where the plane in which visitors move meets the left wall."""


def _left_wall(x: float, share_down: float) -> Point:
    """A point of the left wall: `share_down` 0 at the ceiling, 1 at the floor."""
    depth = x / _CORNER_TOP[0]
    return x, _between(_between(-40, _CORNER_TOP[1], depth), _between(478, _CORNER_BOTTOM[1], depth), share_down)


def _door_part(near: float, far: float) -> list[Point]:
    return [
        _left_wall(near, _DOOR_TOP_SHARE),
        _left_wall(far, _DOOR_TOP_SHARE),
        _left_wall(far, 1.0),
        _left_wall(near, 1.0),
    ]


@lru_cache(maxsize=1)
def _cabin_background() -> Picture:
    sheet = _Sheet.blank((70, 72, 74))
    _draw_walls(sheet)
    _draw_floor(sheet)
    _draw_ceiling(sheet)
    _draw_fittings(sheet)
    return sheet.pixels


def _draw_walls(sheet: _Sheet) -> None:
    sheet.fill([(0, -40), _CORNER_TOP, _CORNER_BOTTOM, (0, 478)], (138, 137, 132))
    sheet.fill([_RIGHT_TOP, (640, 22), (640, 404), _RIGHT_BOTTOM], (132, 131, 127))
    for strip in range(82):
        left = _between(_CORNER_TOP[0], _RIGHT_TOP[0], strip / 82)
        sheen = 0.5 + 0.5 * np.cos(strip / 82 * 9.0)
        colour = _mix(_STEEL, (196, 195, 190), sheen * 0.8)
        sheet.fill([(left, 62), (left + 5.2, 62), (left + 5.2, 338), (left, 338)], colour)
    for x in (286.0, 423.0):
        sheet.line((x, 62), (x, 338), (128, 127, 123), 1.2)
    sheet.line(_CORNER_TOP, _CORNER_BOTTOM, (110, 109, 106), 2)
    sheet.line(_RIGHT_TOP, _RIGHT_BOTTOM, (110, 109, 106), 2)


def _draw_floor(sheet: _Sheet) -> None:
    """Speckled tiles in perspective: rows from the back wall to the picture's lower edge."""
    rows = [338.0, 356.0, 382.0, 420.0, 480.0]
    for row, (top, bottom) in enumerate(pairwise(rows)):
        for column in range(8):
            corners = [
                (_floor_x(column, top), top),
                (_floor_x(column + 1, top), top),
                (_floor_x(column + 1, bottom), bottom),
                (_floor_x(column, bottom), bottom),
            ]
            sheet.fill(corners, _mix((104, 112, 122), (118, 126, 136), (row + column) % 2))
            sheet.path([corners[0], corners[3], corners[2]], (92, 98, 106), 0.8)
    sheet.fill([(0, 478), _CORNER_BOTTOM, (150, 330), (0, 466)], (92, 92, 90))
    sheet.fill([_CORNER_BOTTOM, _RIGHT_BOTTOM, (560, 330), (150, 330)], (96, 96, 94))
    sheet.fill([_RIGHT_BOTTOM, (640, 404), (640, 394), (560, 330)], (92, 92, 90))


def _floor_x(column: int, y: float) -> float:
    depth = (y - 338) / 142
    return _between(_between(150, 560, column / 8), _between(-20, 735, column / 8), depth)


def _draw_ceiling(sheet: _Sheet) -> None:
    sheet.fill([(0, -40), (0, 0), (640, 0), (640, 22), _RIGHT_TOP, _CORNER_TOP], (182, 186, 188))
    sheet.fill([(0, -40), _CORNER_TOP, (0, -40)], (182, 186, 188))
    for left, right in ((215.0, 320.0), (392.0, 497.0)):
        sheet.fill([(left, 44), (right, 44), (right + 14, 12), (left - 14, 12)], (246, 250, 250))
    sheet.line(_CORNER_TOP, _RIGHT_TOP, (120, 120, 118), 1.5)


def _draw_fittings(sheet: _Sheet) -> None:
    """Handrail, notices and the panel of buttons."""
    sheet.line((170, 236), (540, 236), (92, 91, 88), 6.5)
    sheet.line((170, 234.5), (540, 234.5), (214, 214, 210), 3)
    for x in (196.0, 355.0, 514.0):
        sheet.line((x, 238), (x, 247), (92, 91, 88), 4)
    sheet.fill([(440, 104), (512, 104), (512, 168), (440, 168)], (226, 232, 232))
    sheet.fill([(440, 104), (512, 104), (512, 120), (440, 120)], (60, 70, 176))
    for y in (130.0, 139.0, 148.0, 157.0):
        sheet.line((448, y), (504, y), (150, 152, 152), 2)
    sheet.fill([(585, 116), (616, 108), (616, 296), (585, 280)], (112, 111, 108))
    for row in range(7):
        for x in (594.0, 607.0):
            sheet.disc((x, 150 + row * 19), 4.6, (216, 220, 222))
            sheet.ring((x, 150 + row * 19), 4.6, (80, 80, 78), 1)


def _draw_door(sheet: _Sheet, opening: float) -> None:
    """The lobby behind the opening, then the two leaves that slide along the wall."""
    whole = _door_part(_DOOR_NEAR, _DOOR_FAR)
    sheet.fill(whole, (150, 176, 190))
    sheet.fill([*_door_part(_DOOR_NEAR, _DOOR_FAR)[2:], (_DOOR_NEAR, 378), (_DOOR_FAR, 328)], (122, 140, 152))
    sheet.line((_DOOR_NEAR, 378), (_DOOR_FAR, 328), (104, 120, 130), 2)
    middle = (_DOOR_NEAR + _DOOR_FAR) / 2
    for edge, towards in ((_DOOR_NEAR, middle), (_DOOR_FAR, middle)):
        inner = _between(towards, edge, opening)
        leaf = _door_part(min(edge, inner), max(edge, inner))
        sheet.fill(leaf, (158, 157, 152))
        sheet.path([*leaf, leaf[0]], (104, 103, 100), 1.2)
    sheet.path([whole[3], whole[0], whole[1], whole[2]], (98, 97, 94), 4)


def _draw_floor_display(sheet: _Sheet, floor: int) -> None:
    sheet.fill([(586, 62), (616, 52), (616, 94), (586, 100)], (26, 24, 24))
    text = str(floor)
    sheet.text(text, (594 - 5 * (len(text) - 1), 86), (60, 80, 250), 0.62, 1.6)


def _visible_in_cabin(opening: float) -> NDArray[np.uint8]:
    """Where a visitor can be seen: right of the threshold, and beyond it through the open part of the door."""
    mask = np.zeros((_DESIGN_HEIGHT * _OVERSAMPLING, _DESIGN_WIDTH * _OVERSAMPLING), np.uint8)
    mask[:, round(_THRESHOLD_AT_VISITORS * _OVERSAMPLING) :] = 255
    middle = (_DOOR_NEAR + _DOOR_FAR) / 2
    gap = _door_part(_between(middle, _DOOR_NEAR, opening), _between(middle, _DOOR_FAR, opening))
    cv2.fillPoly(mask, [_fine_all(gap)], (255,), cv2.LINE_8, _SHIFT)
    return mask


def _draw_e_bike(sheet: _Sheet, ground: Point, wheelbase: float, turn: float) -> None:
    """An e-bike from its side, heading right. `ground` is the point below its middle; `turn` rolls the wheels."""
    x, y = ground

    def at(along: float, up: float) -> Point:
        return x + along * wheelbase, y - up * wheelbase

    rear, front, crank = at(-0.5, 0.29), at(0.5, 0.29), at(-0.06, 0.27)
    seat, head_top, head_bottom = at(-0.19, 0.70), at(0.33, 0.78), at(0.365, 0.63)
    sheet.shade(at(0, 0), (wheelbase * 0.8, wheelbase * 0.06), 0.5)
    for hub in (rear, front):
        _draw_wheel(sheet, hub, 0.285 * wheelbase, turn * 9)
    tube = max(2.0, wheelbase * 0.034)
    sheet.arc(rear, 0.31 * wheelbase, 185, 300, _DARK, tube * 0.6)
    sheet.arc(front, 0.31 * wheelbase, 200, 300, _DARK, tube * 0.6)
    for start, end in ((rear, crank), (rear, seat), (crank, seat), (seat, head_top), (crank, head_bottom)):
        sheet.line(start, end, _FRAME_RED, tube)
    sheet.line(head_top, head_bottom, _FRAME_RED, tube * 1.2)
    sheet.line(head_bottom, front, (70, 70, 74), tube)
    sheet.line(seat, at(-0.215, 0.83), _CHROME, tube * 0.7)
    sheet.fill([at(-0.37, 0.85), at(-0.30, 0.90), at(-0.10, 0.875), at(-0.04, 0.845), at(-0.2, 0.825)], _RUBBER)
    sheet.path([head_top, at(0.31, 0.95), at(0.24, 0.985), at(0.17, 0.96)], _DARK, tube * 0.75)
    sheet.line(at(0.24, 0.985), at(0.17, 0.96), _RUBBER, tube * 1.2)
    sheet.oval(at(0.385, 0.80), (0.045 * wheelbase, 0.038 * wheelbase), (215, 235, 240))
    sheet.fill([at(0.02, 0.40), at(0.10, 0.35), at(0.295, 0.545), at(0.22, 0.60)], (52, 52, 54))
    sheet.line(at(0.07, 0.43), at(0.21, 0.565), (110, 190, 90), tube * 0.3)
    sheet.line(at(-0.52, 0.64), at(-0.22, 0.66), _DARK, tube * 0.5)
    sheet.line(at(-0.5, 0.62), rear, _DARK, tube * 0.4)
    sheet.ring(crank, 0.075 * wheelbase, _DARK, tube * 0.5)
    sheet.line(at(-0.06, 0.27), at(0.02, 0.15), _CHROME, tube * 0.5)
    sheet.line(at(-0.01, 0.145), at(0.06, 0.145), _RUBBER, tube * 0.7)


def _draw_wheel(sheet: _Sheet, hub: Point, radius: float, angle: float) -> None:
    for spoke in range(14):
        direction = angle + spoke * np.pi / 7
        end = (hub[0] + radius * float(np.cos(direction)), hub[1] + radius * float(np.sin(direction)))
        sheet.line(hub, end, (176, 176, 174), 0.6)
    sheet.ring(hub, radius, _RUBBER, radius * 0.13)
    sheet.ring(hub, radius * 0.89, _CHROME, radius * 0.045)
    sheet.disc(hub, radius * 0.12, (78, 78, 80))


def _draw_person(sheet: _Sheet, feet: Point, height: float, stride: float) -> None:
    """A person from the side, walking right: `stride` swings the legs."""
    x, y = feet
    swing = 0.085 * float(np.sin(stride * 2))

    def at(along: float, up: float) -> Point:
        return x + along * height, y - up * height

    sheet.shade(at(0, 0.01), (height * 0.17, height * 0.035), 0.45)
    for side, colour in ((-1, _mix(_TROUSERS, _DARK, 0.4)), (1, _TROUSERS)):
        foot = side * (0.045 + swing)
        sheet.path([at(0.0, 0.49), at(foot * 0.55 + 0.02, 0.27), at(foot, 0.04)], colour, height * 0.085)
        sheet.oval(at(foot + 0.028, 0.02), (height * 0.06, height * 0.024), _DARK)
    sheet.fill([at(-0.075, 0.80), at(0.07, 0.80), at(0.085, 0.62), at(0.075, 0.46), at(-0.08, 0.46)], _SHIRT)
    sheet.disc(at(-0.005, 0.79), height * 0.07, _SHIRT)
    sheet.line(at(0.005, 0.85), at(0.005, 0.80), _SKIN, height * 0.055)
    sheet.oval(at(0.012, 0.915), (height * 0.056, height * 0.072), _SKIN)
    sheet.oval(at(-0.006, 0.945), (height * 0.058, height * 0.047), _HAIR, -18)
    sheet.oval(at(-0.03, 0.918), (height * 0.032, height * 0.05), _HAIR)
    arm = _mix(_SHIRT, _DARK, 0.18)
    sheet.path([at(-0.005, 0.775), at(0.05, 0.63), at(0.15, 0.575)], arm, height * 0.058)
    sheet.disc(at(0.175, 0.57), height * 0.03, _SKIN)


@lru_cache(maxsize=1)
def _lane_background() -> Picture:
    """A garage from a camera under its ceiling: back wall, columns, lamps, and the lane with its marking."""
    sheet = _Sheet.blank((96, 100, 102))
    sheet.fill([(0, 0), (640, 0), (640, 96), (0, 96)], (74, 76, 78))
    sheet.fill([(0, 96), (640, 96), (640, 286), (0, 286)], (150, 156, 158))
    for seam in range(0, 640, 80):
        sheet.line((seam, 96), (seam, 286), (138, 143, 145), 1)
    for x in (90.0, 420.0):
        sheet.fill([(x, 30), (x + 168, 30), (x + 160, 44), (x + 8, 44)], (244, 250, 250))
    for y, height in ((62.0, 7.0), (78.0, 5.0)):
        sheet.line((0, y), (640, y), (56, 60, 132), height)
    for x in (36.0, 566.0):
        _draw_column(sheet, x)
    sheet.fill([(0, 286), (640, 286), (640, 480), (0, 480)], (112, 114, 112))
    sheet.fill([(0, 330), (640, 330), (640, 336), (0, 336)], (70, 190, 225))
    sheet.fill([(0, 458), (640, 458), (640, 468), (0, 468)], (70, 190, 225))
    for bar in range(-60, 700, 46):
        sheet.fill([(bar, 458), (bar + 20, 458), (bar + 34, 336), (bar + 22, 336)], (104, 122, 124))
    sheet.text("FIRE LANE", (236, 190), (70, 80, 170), 0.9, 2.4)
    return sheet.pixels


def _draw_column(sheet: _Sheet, x: float) -> None:
    sheet.fill([(x, 90), (x + 40, 90), (x + 40, 300), (x, 300)], (168, 172, 172))
    sheet.fill([(x + 30, 90), (x + 40, 90), (x + 40, 300), (x + 30, 300)], (138, 142, 142))
    for stripe in range(4):
        top = 240 + stripe * 15
        colour = _mix((40, 40, 44), (60, 200, 235), stripe % 2)
        sheet.fill([(x, top), (x + 40, top), (x + 40, top + 15), (x, top + 15)], colour)


def _draw_car(sheet: _Sheet, ground: Point, length: float, turn: float) -> None:
    """A saloon from its side, heading right."""
    x, y = ground
    paint, glass = (176, 92, 46), (96, 84, 70)

    def at(along: float, up: float) -> Point:
        return x + along * length, y - up * length

    sheet.shade(at(0, 0.0), (length * 0.54, length * 0.05), 0.7)
    body = [
        at(-0.49, 0.08), at(-0.50, 0.17), at(-0.475, 0.235), at(-0.36, 0.255), at(-0.24, 0.345), at(-0.10, 0.375),
        at(0.05, 0.37), at(0.15, 0.335), at(0.25, 0.255), at(0.42, 0.225), at(0.485, 0.18), at(0.495, 0.085),
    ]  # fmt: skip
    sheet.fill(body, paint)
    sheet.fill([at(-0.49, 0.08), at(-0.497, 0.13), at(0.493, 0.13), at(0.495, 0.085)], _mix(paint, _DARK, 0.45))
    sheet.fill([at(-0.315, 0.26), at(-0.225, 0.325), at(-0.10, 0.352), at(-0.065, 0.352), at(-0.065, 0.258)], glass)
    sheet.fill([at(-0.045, 0.352), at(0.045, 0.348), at(0.125, 0.32), at(0.195, 0.255), at(-0.045, 0.257)], glass)
    sheet.line(at(-0.29, 0.275), at(-0.2, 0.33), (170, 165, 158), 1.4)
    sheet.line(at(0.0, 0.275), at(0.06, 0.335), (170, 165, 158), 1.4)
    sheet.line(at(-0.47, 0.225), at(0.4, 0.215), _mix(paint, (255, 255, 255), 0.35), 1.6)
    for along in (-0.055, 0.205):
        sheet.line(at(along, 0.25), at(along - 0.01, 0.10), _mix(paint, _DARK, 0.5), 1.0)
    for along in (-0.10, 0.15):
        sheet.line(at(along - 0.02, 0.205), at(along + 0.02, 0.205), _CHROME, 1.8)
    sheet.fill([at(0.43, 0.20), at(0.475, 0.18), at(0.485, 0.155), at(0.43, 0.165)], (225, 245, 250))
    sheet.fill([at(-0.495, 0.21), at(-0.455, 0.215), at(-0.455, 0.175), at(-0.50, 0.175)], (40, 40, 190))
    for along in (-0.315, 0.315):
        hub = at(along, 0.082)
        sheet.disc(hub, 0.096 * length, (28, 28, 30))
        sheet.disc(hub, 0.083 * length, _RUBBER)
        sheet.disc(hub, 0.056 * length, (186, 188, 188))
        for spoke in range(5):
            direction = turn * 7 + spoke * 2 * np.pi / 5
            end = (hub[0] + 0.05 * length * float(np.cos(direction)), hub[1] + 0.05 * length * float(np.sin(direction)))
            sheet.line(hub, end, (110, 112, 112), 2.4)
        sheet.disc(hub, 0.014 * length, (80, 80, 82))
