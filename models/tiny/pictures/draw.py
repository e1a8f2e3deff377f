#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws the pictures of this folder, which the demo and the tests classify. Needs Pillow.

    draw.py [FOLDER]
"""
import math
import sys
from pathlib import Path

from PIL import Image, ImageDraw

SIDE, SCALE = 256, 4  # drawn at four times the size, then averaged down
INK = "#33302e"


class Canvas:
    """A transparent square; coordinates and widths in pixels of the finished picture."""

    def __init__(self):
        self.image = Image.new("RGBA", (SIDE * SCALE, SIDE * SCALE), (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self.image)

    @staticmethod
    def _scaled(points):
        return [(SCALE * x, SCALE * y) for x, y in points]

    def polygon(self, points, fill, line=4):
        self.draw.polygon(self._scaled(points), fill=fill)
        if line:
            self.path([*points, points[0], points[1]], INK, line)

    def path(self, points, colour, width):
        """A line with round joints and ends."""
        self.draw.line(self._scaled(points), fill=colour, width=SCALE * width, joint="curve")
        for x, y in (points[0], points[-1]):
            self.disc(x, y, width / 2, colour)

    def disc(self, x, y, radius, fill):
        self.draw.ellipse(self._scaled([(x - radius, y - radius), (x + radius, y + radius)]),
                          fill=fill)

    def oval(self, box, fill, line=4):
        self.draw.ellipse(self._scaled([box[:2], box[2:]]), fill=fill,
                          outline=INK if line else None, width=SCALE * line)

    def arc(self, box, start, end, colour, width):
        self.draw.arc(self._scaled([box[:2], box[2:]]), start, end, colour, SCALE * width)

    def finished(self):
        return self.image.resize((SIDE, SIDE), Image.Resampling.BOX)


def curve(start, control, end, steps=24):
    """A quadratic Bezier curve as points."""
    points = []
    for i in range(steps + 1):
        t = i / steps
        points.append(tuple((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t * t * c
                            for a, b, c in zip(start, control, end)))
    return points


def draw_boat(canvas):
    canvas.path([(126, 24), (126, 186)], "#7a4a21", 7)
    canvas.polygon([(134, 30), *curve((134, 30), (216, 90), (224, 164)), (134, 164)], "#ffffff")
    canvas.polygon([(118, 52), *curve((118, 52), (66, 100), (46, 164)), (118, 164)], "#e8453c")
    canvas.polygon([(126, 22), (158, 33), (126, 44)], "#f7b500", 3)
    canvas.polygon([(26, 180), (232, 180), *curve((232, 180), (214, 226), (184, 228)),
                    *curve((74, 228), (40, 222), (26, 180))], "#9a5a2a")
    canvas.polygon([(29, 186), (230, 186), (225, 198), (34, 198)], "#f4e3c8", 0)
    for row, shift in ((226, 0), (240, 18)):
        waves = []
        for x in range(6, 251, 2):
            waves.append((x, row + 5 * math.sin((x + shift) / 9)))
        canvas.path(waves, "#2f8fdd", 8)


def draw_apple(canvas):
    left = curve((128, 82), (60, 44), (34, 112)) + curve((34, 112), (26, 196), (92, 234))
    right = curve((164, 234), (232, 196), (222, 112)) + curve((222, 112), (198, 44), (128, 82))
    canvas.polygon([*left, *curve((92, 234), (128, 222), (164, 234)), *right], "#dd2e2e")
    canvas.path(curve((128, 88), (126, 52), (142, 24)), "#6b3d1a", 9)
    canvas.polygon([*curve((138, 58), (160, 14), (210, 26)),
                    *curve((210, 26), (196, 70), (138, 58))], "#5cb338")
    canvas.path(curve((66, 102), (50, 130), (62, 168)), "#ff8f8f", 10)


def draw_cat(canvas):
    for side in (-1, 1):
        canvas.polygon([(128 + side * 84, 28), (128 + side * 92, 122), (128 + side * 24, 70)],
                       "#f2a33a")
        canvas.polygon([(128 + side * 76, 52), (128 + side * 78, 98), (128 + side * 46, 78)],
                       "#f7b9b0", 0)
    canvas.oval((30, 60, 226, 232), "#f2a33a")
    for x, length in ((104, 26), (128, 34), (152, 26)):
        canvas.path([(x, 68), (x + (128 - x) // 8, 68 + length)], "#b86a13", 8)
    for side in (-1, 1):
        canvas.oval((128 + side * 44 - 19, 116, 128 + side * 44 + 19, 158), "#a7d64b")
        canvas.oval((128 + side * 44 - 6, 119, 128 + side * 44 + 6, 155), INK, 0)
        for low in (168, 184, 200):
            high = 178 + (low - 184) // 2
            canvas.path([(128 + side * 56, high), (128 + side * 120, low)], INK, 3)
    canvas.oval((92, 162, 132, 206), "#fff1dd", 0)
    canvas.oval((124, 162, 164, 206), "#fff1dd", 0)
    canvas.polygon([(112, 158), (144, 158), (128, 174)], "#e4707e", 3)
    canvas.arc((100, 166, 130, 198), 20, 140, INK, 4)
    canvas.arc((126, 166, 156, 198), 40, 160, INK, 4)


def draw_house(canvas):
    canvas.polygon([(172, 36), (200, 36), (200, 104), (172, 78)], "#a33f2f")
    canvas.polygon([(48, 118), (208, 118), (208, 232), (48, 232)], "#fbe3b0")
    canvas.polygon([(128, 30), (236, 126), (20, 126)], "#d8492f")
    canvas.polygon([(108, 162), (148, 162), (148, 232), (108, 232)], "#7a4a21")
    canvas.disc(140, 200, 4, "#f7c948")
    for x in (62, 162):
        canvas.polygon([(x, 150), (x + 32, 150), (x + 32, 186), (x, 186)], "#8fd0f5")
        canvas.path([(x + 16, 152), (x + 16, 184)], INK, 3)
        canvas.path([(x + 2, 168), (x + 30, 168)], INK, 3)
    canvas.polygon([(8, 232), (248, 232), (248, 246), (8, 246)], "#5cb338", 0)


def draw_bicycle(canvas):
    for x in (62, 194):
        canvas.oval((x - 52, 118, x + 52, 222), None, 7)
        for spoke in range(8):
            angle = math.pi * spoke / 8
            dx, dy = 46 * math.cos(angle), 46 * math.sin(angle)
            canvas.path([(x - dx, 170 - dy), (x + dx, 170 + dy)], "#8c8c8c", 1)
        canvas.disc(x, 170, 6, INK)
    seat, crank, front = (98, 88), (120, 172), (172, 92)
    for a, b in (((62, 170), crank), ((62, 170), seat), (crank, seat), (crank, front),
                 ((101, 98), front), ((194, 170), (166, 72))):
        canvas.path([a, b], "#d8332f", 8)
    canvas.path([(80, 80), (118, 80)], INK, 11)
    canvas.path([(98, 88), (95, 80)], INK, 6)
    canvas.path(curve((148, 70), (172, 60), (190, 80)), INK, 7)
    canvas.disc(*crank, 13, "#555555")
    canvas.path([crank, (134, 196)], INK, 5)
    canvas.path([(126, 197), (143, 197)], INK, 6)


PICTURES = {"boat": draw_boat, "apple": draw_apple, "cat": draw_cat, "house": draw_house,
            "bicycle": draw_bicycle}


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, draw in PICTURES.items():
        canvas = Canvas()
        draw(canvas)
        white = Image.new("RGBA", (SIDE, SIDE), "white")
        white.alpha_composite(canvas.finished())
        white.convert("RGB").save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
