"""What is drawn lands on the pixels it was meant for, and stays itself in the file."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from analysis.charts.candles import Columns
from analysis.charts.canvas import HEIGHT, WIDTH, Anchor, Canvas
from analysis.charts.levels import pocket_tint
from analysis.charts.look import Look
from analysis.charts.place import Box
from analysis.charts.scale import Scale
from analysis.charts.text import Face
from analysis.charts.theme import Shape, colours
from tests.charts.made import LOOKS

WEAR = colours(Look())


def rgb(canvas: Canvas) -> NDArray[np.uint8]:
    return canvas.pixels()[:, :, :3]


def test_an_empty_canvas_is_background() -> None:
    canvas = Canvas(WEAR)
    assert canvas.pixels().shape == (HEIGHT, WIDTH, 4) == (720, 1280, 4)
    assert (rgb(canvas) == WEAR.background).all()


def test_fill_covers_its_pixels_and_no_others() -> None:
    canvas = Canvas(WEAR)
    canvas.fill([Box(10, 20, 13, 25), Box(100, 0, 101, 720)], WEAR.up)
    filled = (rgb(canvas) == WEAR.up).all(axis=2)
    assert filled.sum() == 3 * 5 + 720
    assert filled[20:25, 10:13].all()
    assert filled[:, 100].all()
    assert (rgb(canvas)[~filled] == WEAR.background).all()
    canvas.fill([], WEAR.down)


def test_what_is_filled_over_the_edge_stays_on_the_canvas() -> None:
    canvas = Canvas(WEAR)
    canvas.fill([(-5.4, 700.4, 2.6, 800.0), (1275.0, -9.0, 1290.0, -1.0)], WEAR.up)
    filled = (rgb(canvas) == WEAR.up).all(axis=2)
    assert filled.sum() == 3 * 20
    assert filled[700:, :3].all()


def test_a_rule_is_sharp() -> None:
    canvas = Canvas(WEAR)
    panel = canvas.panel(Box(100, 100, 200, 200), Scale(0.0, 100.0, 100.0, 200.0))
    panel.rule(50.0, WEAR.holds)
    panel.rule(20.0, WEAR.broken, width=3.0)
    for colour, rows in ((WEAR.holds, [149, 150]), (WEAR.broken, [179, 180, 181])):
        hit = (rgb(canvas) == colour).all(axis=2)
        assert np.flatnonzero(hit.any(axis=1)).tolist() == rows
        assert np.flatnonzero(hit.any(axis=0)).tolist() == list(range(100, 200))


def test_a_hollow_candle() -> None:
    canvas = Canvas(WEAR)
    panel = canvas.panel(Box(0, 0, 200, 100), Scale(0.0, 100.0, 0.0, 100.0))
    one = np.array([20.0])
    panel.candles(
        Columns(left=np.array([50.0]), right=np.array([61.0]), open=one, high=3.5 * one,
                low=0.5 * one, close=3 * one, volume=one)
    )  # fmt: skip
    drawn = (rgb(canvas) == WEAR.up).all(axis=2)
    assert drawn[40:80, 50:61].sum() == 11 * 40 - 7 * 36  # a rim of two
    assert drawn[30:40, 55].all()
    assert drawn[80:90, 55].all()
    assert drawn.sum() == 11 * 40 - 7 * 36 + 20


def test_a_zone_is_cut_at_the_panel() -> None:
    canvas = Canvas(WEAR)
    panel = canvas.panel(Box(10, 10, 20, 110), Scale(0.0, 100.0, 10.0, 110.0))
    panel.zone(90.0, 500.0, WEAR.holds)
    panel.zone(600.0, 700.0, WEAR.broken)
    assert (rgb(canvas) == WEAR.holds).all(axis=2).sum() == 10 * 10
    assert not (rgb(canvas) == WEAR.broken).all(axis=2).any()


@pytest.mark.parametrize(("anchor", "left"), [("left", 600), ("right", 600 - 99), ("centre", 550)])
def test_text_is_anchored_and_inked_within_its_box(anchor: Anchor, left: int) -> None:
    canvas = Canvas(WEAR)
    face = Face(30)
    box = canvas.text("66,712", (600.0, 300.0), face, WEAR.ink, anchor=anchor)
    assert box.left == pytest.approx(left, abs=8)
    inked = (rgb(canvas) != WEAR.background).any(axis=2)
    rows, cols = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    assert box.left <= cols[0]
    assert cols[-1] < box.right
    assert box.top <= rows[0]
    assert rows[-1] < box.bottom
    assert [(w.text, w.face, w.box) for w in canvas.words] == [("66,712", face, box)]


def test_each_shape_is_its_own() -> None:
    seen = set()
    shapes: tuple[Shape, ...] = ("circle", "diamond", "triangle_up", "triangle_down")
    for shape, hollow in itertools.product(shapes, (True, False)):
        canvas = Canvas(WEAR)
        canvas.marker(shape, (100.0, 100.0), 9, WEAR.holds, hollow=hollow)
        seen.add(canvas.pixels()[80:120, 80:120].tobytes())
    assert len(seen) == 8


@pytest.mark.parametrize("look", LOOKS)
def test_flat_colours_survive_the_palette(look: Look) -> None:
    wear = colours(look)
    tint = pocket_tint(wear)
    canvas = Canvas(wear, tint=tint)
    flat = (wear.background, tint, *wear.inks())
    canvas.fill([Box(0, 0, 1280, 720)], tint)
    for i, colour in enumerate(flat):
        canvas.fill([Box(20 * i, 0, 20 * i + 20, 20)], colour)
    with Image.open(io.BytesIO(canvas.png())) as image:
        shown = np.asarray(image.convert("RGB"))
    assert [tuple(shown[10, 20 * i + 10].tolist()) for i in range(len(flat))] == list(flat)


def test_soft_edges_come_near_enough() -> None:
    canvas = Canvas(WEAR, tint=pocket_tint(WEAR))
    for row, (colour, ground) in enumerate(
        itertools.product(WEAR.inks(), (WEAR.background, pocket_tint(WEAR)))
    ):
        canvas.fill([Box(0, 40 * row, 1280, 40 * row + 40)], ground)
        canvas.text("The quick 66,712 支撐真空帶 −15.9 %", (10.0, 40 * row + 20.0), Face(30), colour)
    with Image.open(io.BytesIO(canvas.png())) as image:
        assert image.size == (1280, 720)
        assert image.mode == "P"
        shown = np.asarray(image.convert("RGB")).astype(int)
    error = np.abs(shown - rgb(canvas))
    assert error.max() <= 16
    assert error.mean() < 0.5
