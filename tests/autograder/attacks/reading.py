"""Read the corpus: submissions that somebody might hand in, written down in Markdown.

A heading of level 2 names a submission, the prose below it says what is odd about it, and every
code block is a cell. The word after `python` says which one:

- a grade id: the answer to that exercise, which is wrong and must not earn a point;
- a grade id and `right`: an answer that is right, and must earn its points;
- `extra`: a cell of the student's own;
- `next`: an extra cell of the submission that is graded after this one.

A submission that answers nothing wrongly gets a wrong `total`, so that there is a point to win;
not so in `honest-*.md`, where nobody attacks.
`spoils` beside any of them says that exercises which are answered rightly may lose points too.
A bulleted list makes one submission of each item, which replaces `VARIANT` in the blocks. Blocks
before the first heading are cells that every submission of the file begins with; those of
`<kind>.md` stand before all of `<kind>-<what>.md`.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

FOLDER = Path(__file__).parent

WRONG = "def total(numbers):\n    return -1"

_WORDS = {"right", "spoils"}


@dataclass
class Written:
    """One submission of the corpus; `answers` by grade id, the other cells in order."""

    name: str
    why: str = ""
    first: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    extras: list[str] = field(default_factory=list)
    next: list[str] = field(default_factory=list)
    wrong: set[str] = field(default_factory=set)
    spoils: bool = False
    variants: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return self.name

    def _add(self, label: list[str], source: str) -> None:
        where, *words = label
        if set(words) - _WORDS or where in self.answers:
            raise ValueError(f"'{self.name}': cannot read the block '{' '.join(label)}'")
        self.spoils = self.spoils or "spoils" in words
        if where in ("extra", "next"):
            (self.extras if where == "extra" else self.next).append(source)
        else:
            self.answers[where] = source
            if "right" not in words:
                self.wrong.add(where)

    def _each(self) -> list["Written"]:
        if not self.variants:
            return [self]
        return [
            replace(
                self,
                name=f"{self.name}: {variant}",
                answers={k: code.replace("VARIANT", variant) for k, code in self.answers.items()},
                extras=[code.replace("VARIANT", variant) for code in self.extras],
                next=[code.replace("VARIANT", variant) for code in self.next],
            )
            for variant in self.variants
        ]


def read(name: str) -> list[Written]:
    """The submissions in `<name>.md`, in order.

    Raises:
        ValueError: a block has a label that means nothing.
    """
    common = FOLDER / f"{name.partition('-')[0]}.md"
    first = [token.content for token in _parsed(common) if token.type == "fence"]
    found: list[Written] = []
    heading, listed = "", False
    for token in _parsed(FOLDER / f"{name}.md"):
        if token.type == "heading_open":
            heading = token.tag
        elif token.type == "heading_close":
            heading = ""
        elif token.type in ("bullet_list_open", "bullet_list_close"):
            listed = token.type == "bullet_list_open"
        elif token.type == "inline" and heading == "h2":
            found.append(Written(f"{name}: {token.content}", first=first))
        elif token.type == "inline" and found and listed:
            found[-1].variants.append(token.content.strip("`"))
        elif token.type == "inline" and found:
            found[-1].why += token.content
        elif token.type == "fence" and found:
            found[-1]._add(token.info.split()[1:], token.content)
        elif token.type == "fence":
            first.append(token.content)
    for written in found:
        if not written.wrong and not name.startswith("honest-"):
            written._add(["total"], WRONG)
    return [one for written in found for one in written._each()]


def _parsed(path: Path) -> list[Token]:
    return MarkdownIt().parse(path.read_text(encoding="utf-8")) if path.exists() else []
