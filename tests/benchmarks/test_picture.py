from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from benchmarks.picture import Curve, Panel, panel, picture
from benchmarks.results import Summary
from tests.benchmarks.made_up import answer, run

CURVES = (Curve("one & only", ((0.5, 5), (2.5, 20))), Curve("b", ((1.0, 20),)))
PANEL = Panel(title="a <panel>", note="a note", tokens=20, rate=10.0, curves=CURVES)


def paths(drawn: str, name: str) -> list[list[float]]:
    """The numbers in the paths of a class, without those of the legend."""
    root = ET.fromstring(drawn)  # noqa: S314  # it is ours
    shapes = [path.get("d", "") for path in root.iter("{http://www.w3.org/2000/svg}path") if path.get("class") == name]
    return [[float(number) for number in re.findall(r"[\d.]+", shape)] for shape in shapes if "h26" not in shape]


def test_the_typical_answer_is_the_one_in_the_middle() -> None:
    answers = [answer(first_text=stale, stale=stale) for stale in (0.9, 0.1, 0.4, 0.5)]
    chosen = panel([Summary((run(*answers[:2]), run(*answers[2:])))], "x")
    assert chosen.curves == (Curve("Llampost", answers[2].curve),)


def test_a_picture_is_sound_xml_that_says_in_words_what_it_shows() -> None:
    drawn = picture("a <title>", "Words & words.", [PANEL, PANEL])
    root = ET.fromstring(drawn)  # noqa: S314  # it is ours
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a <title>", "a <panel>", "a note", "visible, one & only", "written by the model", "20"} <= set(texts)
    assert root.find("{http://www.w3.org/2000/svg}desc") is not None
    assert "Words &amp; words." in drawn


def test_each_panel_has_the_models_line_and_stairs_for_each_bot() -> None:
    drawn = picture("x", "y", [PANEL, PANEL])
    for name in ("written", "bot0", "bot1", "lag0", "lag1"):
        left, right = paths(drawn, name)
        assert max(left[::2]) < min(right[::2])


def test_stairs_go_right_and_then_up_and_on_to_the_end() -> None:
    [stairs] = paths(
        picture("x", "y", [Panel(title="", tokens=10, rate=10.0, curves=(Curve("one", ((1.0, 10),)),))]), "bot0"
    )
    x0, y0, x1, y1, x2, y2, x3, y3 = stairs
    assert (y1, x2, y3) == (y0, x1, y2)
    assert x0 < x1 < x3
    assert y2 < y1


def test_panels_have_one_scale() -> None:
    short = Panel(title="", tokens=10, rate=10.0, curves=(Curve("one", ((1.0, 10),)),))
    first, second = paths(picture("x", "y", [PANEL, short]), "written")
    assert second[2] - second[0] < (first[2] - first[0]) / 2
