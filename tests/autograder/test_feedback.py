"""Feedback pages: a student's own work and the verdicts, nothing hidden, nothing that runs."""

import base64
import io
import re
from copy import deepcopy
from html.parser import HTMLParser

import pytest
from made_up import NAME, SECRETS, as_bytes, code_cell, handed_in, notebook_of
from nbformat.v4 import new_output
from PIL import Image

from autograder.cells import region_lines
from autograder.feedback import manual_grades, render, write_feedback
from autograder.grading import Graded, grade


def picture(size: tuple[int, int] = (2, 3)) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


class Elements(HTMLParser):
    """What a browser would make of a page: tags with their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def named(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(sheet, graded: Graded, manual: dict | None = None) -> str:
    return render(sheet, graded.verdict, graded.notebook, manual or {})


@pytest.fixture(scope="module")
def graded(sheet):
    """One submission that gets something wrong, prints and writes."""
    notebook = notebook_of(
        sheet,
        total="def total(numbers):\n    print('<b>adding</b>')\n    return sum(numbers)\n",
        mean="def mean(numbers):\n    return sum(numbers) / len(numbers)",
        clip="def clip(number, low, high):\n    return low & high",
        written_why="Because **nothing** has no mean.",
    )
    notebook["cells"].insert(4, code_cell("print('extra & more')\n1 / 0"))
    return grade(sheet, as_bytes(notebook), student="ada & co")


@pytest.fixture(scope="module")
def page(sheet, graded):
    return page_of(sheet, graded)


def test_the_page_says_points_verdicts_and_messages(page):
    text = Elements(page).text
    assert "Feedback for ada & co" in text
    assert "3 of 8.5 points from tests" in text
    assert "Another 2 points are given by a person." in text
    assert "ZeroDivisionError where this is checked: the mean of nothing is 0" in text
    assert "too large: moved down to the upper end" in text


@pytest.mark.parametrize(("points", "said"), [(2.0, "pass"), (0.5, "partly"), (0.0, "fail")])
def test_a_part_of_the_points(sheet, graded, points, said):
    verdict = deepcopy(graded.verdict)
    (check,) = (check for check in verdict["checks"] if check["id"] == "test_total")
    check["points"] = check["max_points"] * points / 2
    text = Elements(render(sheet, verdict, graded.notebook, {})).text
    assert re.search(rf"total\s+{said}\s+{check['points']:g} / 2\s", text)


def test_the_page_shows_the_students_own_code_and_output(page):
    text = Elements(page).text
    assert "return sum(numbers) / len(numbers)" in text
    assert "<b>adding</b>" in text
    assert "the total is 6" in text
    assert "extra & more" in text
    assert "ZeroDivisionError: division by zero" in text
    assert "Because nothing has no mean." in text


def test_no_test_is_on_the_page(sheet, page):
    text = Elements(page).text
    assert not any(secret in text for secret in SECRETS)
    for cell in sheet.notebook.cells:
        lines = cell.source.split("\n")
        for number in region_lines(cell.source, "HIDDEN TESTS"):
            assert lines[number - 1].strip() not in text
    assert "assert clip(5, 0, 3)" not in text


def test_the_page_loads_nothing_and_runs_nothing(page):
    elements = Elements(page)
    assert "default-src 'none'" in page
    assert elements.named("script") == elements.named("link") == elements.named("iframe") == []
    assert all(not name.startswith("on") for _, attributes in elements.tags for name in attributes)
    assert all(image["src"].startswith("data:image/png;") for image in elements.named("img"))
    assert all(image["alt"] for image in elements.named("img"))


NASTY = "<script>alert(1)</script>"


def test_scripts_are_text_wherever_they_stand(sheet):
    code = f"def total(numbers):\n    raise ValueError('{NASTY}')\n\nprint('{NASTY}')"
    graded = grade(
        sheet,
        handed_in(sheet, total=code, clip=f"'''{NASTY}'''\nraise ValueError('{NASTY}')",
                  written_why=f"{NASTY} <img src=x onerror=alert(1)>"),
        student=NASTY,
    )  # fmt: skip
    graded.verdict["flags"].append({"kind": "unreadable", "detail": NASTY})
    page = page_of(sheet, graded, {"written_why": {"score": 1, "max_score": 2, "comment": NASTY}})
    elements = Elements(page)
    assert elements.named("script") == elements.named("img") == []
    assert elements.text.count("alert(1)") >= 10
    assert "<script" not in page


@pytest.mark.parametrize(
    "link",
    ["[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](jav&#x61;script:alert(1))",
     "[x](&#106;avascript:alert(1))", "<javascript:alert(1)>", "[x](vbscript:x)",
     "[x](data:text/html,hello)", "[x]: javascript:alert(1)\n\n[x]", "[x](\x01javascript:alert(1))",
     '[x](http://a" onmouseover="alert(1))', "[x](java\u200bscript:alert(1))"],
)  # fmt: skip
def test_links_that_run(sheet, link):
    page = page_of(sheet, grade(sheet, handed_in(sheet, written_why=link)))
    for attributes in Elements(page).named("a"):
        assert attributes == {"href": "#harmful-link"}


def test_pictures_from_elsewhere_are_dropped(sheet):
    answer = "![a](http://localhost/x.png) ![b](x 'c>d') ![e](javascript:alert(1))"
    page = page_of(sheet, grade(sheet, handed_in(sheet, written_why=answer)))
    assert Elements(page).named("img") == []
    assert "localhost" not in page


@pytest.mark.parametrize("nasty", [">" * 5000, "[a](" * 5000, "*a " * 9000, "`" * 9000, "\ud800"])
def test_markdown_without_end(sheet, graded, nasty):
    notebook = deepcopy(graded.notebook)
    notebook.cells[-1].source = nasty
    render(sheet, graded.verdict, notebook, {}).encode()


def test_control_characters_and_colours_are_removed(sheet, graded):
    notebook = deepcopy(graded.notebook)
    first = next(cell for cell in notebook.cells if cell.id == "total")
    first.source = "x = '\x00\x1b[31m\u202e\u2066y'\r"
    first.outputs = [new_output("stream", text="\x1b]0;title\x07\x1b[1;31mred\x1b[0m\x08\ud800")]
    page = render(sheet, graded.verdict, notebook, {})
    assert "x = &#39;y&#39;" in page
    assert ">red</pre>" in page
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800]", page)


def test_endless_output_is_cut(sheet, graded):
    notebook = deepcopy(graded.notebook)
    first = next(cell for cell in notebook.cells if cell.id == "total")
    first.outputs = [new_output("stream", text="x" * 1_000_000)]
    page = render(sheet, graded.verdict, notebook, {})
    assert len(page) < 100_000
    assert "… (cut)" in page


# Pictures.


def shown(sheet, graded, data: object) -> list[dict]:
    notebook = deepcopy(graded.notebook)
    first = next(cell for cell in notebook.cells if cell.id == "total")
    first.outputs = [new_output("display_data", data={"image/png": data})]
    return Elements(render(sheet, graded.verdict, notebook, {})).named("img")


def test_a_picture_is_decoded_and_written_anew(sheet, graded):
    data = base64.b64decode(picture())
    hidden = base64.b64encode(data + b"<script>hidden</script>").decode()
    (image,) = shown(sheet, graded, hidden)
    written = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
    assert b"script" not in written
    assert Image.open(io.BytesIO(written)).size == (2, 3)


@pytest.mark.parametrize(
    "data",
    ["", "no base64 at all!", base64.b64encode(b"GIF89a").decode(), picture()[:60],
     base64.b64encode(b"<svg onload='alert(1)'/>").decode(), picture((5000, 5000))],
    ids=["empty", "text", "GIF", "broken", "SVG", "huge"],
)  # fmt: skip
def test_what_is_no_picture_is_dropped(sheet, graded, data):
    assert shown(sheet, graded, data) == []


def test_any_damage_to_a_picture_is_survived(sheet, graded):
    data = base64.b64decode(picture())
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0xFF
        shown(sheet, graded, base64.b64encode(damaged).decode())
        shown(sheet, graded, base64.b64encode(data[:position]).decode())


def test_other_rich_output_is_not_shown(sheet, graded):
    notebook = deepcopy(graded.notebook)
    first = next(cell for cell in notebook.cells if cell.id == "total")
    rich = {"text/html": NASTY, "image/svg+xml": NASTY, "application/javascript": "alert(1)"}
    first.outputs = [new_output("display_data", data=rich)]
    assert "alert" not in render(sheet, graded.verdict, notebook, {})


# What a person gave.


def test_what_a_person_gave_is_shown(sheet, graded):
    manual = {"written_why": {"score": 1.5, "max_score": 2.0, "comment": "See <chapter 6>."}}
    text = Elements(page_of(sheet, graded, manual)).text
    assert "1.5 of 2 points. See <chapter 6>." in text
    manual["written_why"]["score"] = None
    assert "Not graded yet (2 points)." in Elements(page_of(sheet, graded, manual)).text


def test_a_file_that_could_not_be_read_is_said_so(sheet):
    page = page_of(sheet, grade(sheet, b"{"))
    assert "could not be graded as handed in: not a notebook" in Elements(page).text
    assert "Another 2 points" in page


# A class.


def test_a_page_for_everybody(graded_class, sheet):
    paths = write_feedback(graded_class.course, sheet)
    folder = graded_class.course.root / "feedback"
    assert paths == [folder / student / NAME / f"{NAME}.html" for student in graded_class.scores]
    page = paths[1].read_text(encoding="utf-8")
    assert "3.5 of 8.5 points from tests" in page
    assert "&lt;b&gt;adding&lt;/b&gt;" in page
    assert "0 of 2 points.</strong> No response." in page
    assert "Not graded yet (2 points)." in paths[0].read_text(encoding="utf-8")


def test_manual_grades_of_nobody(graded_class, sheet):
    assert manual_grades(graded_class.course, sheet, "nobody") == {}
    assert manual_grades(graded_class.course, sheet, "ada") == {
        "written_why": {"score": None, "max_score": 2.0, "comment": ""}
    }
