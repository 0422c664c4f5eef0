"""The `{question}` directive: a question whose options each say why they are right or wrong.

````md
:::{question}
A box lies in another one and is half as wide and half as high. What is their IoU?

- [ ] 1/2

  This is the ratio of the sides; areas go with the product of both.

- [x] 1/4

  The intersection is the inner box, and the union the outer one.
:::
````

Each option is a fold: to choose one is to open it. So it works without a script, and by keyboard.
A script remembers what was chosen, in the browser and nowhere else; the title page counts it.
"""

from __future__ import annotations

import hashlib
import json
import re
from html import escape
from string import ascii_lowercase
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

_ANSWERS = "right_answers"  # in what Sphinx knows of a page
_DATA = "chapter-questions"  # on the title page
_MARK = re.compile(r"\[([ x])\]\s+")


class question(nodes.General, nodes.Element):  # noqa: N801  # docutils names nodes so
    """The text, then options; `number` on its page, `key` that changes with its words."""


class question_option(nodes.General, nodes.Element):  # noqa: N801
    """A choice, then the explanation; `letter`, and whether it is `right`."""


class question_choice(nodes.General, nodes.TextElement):  # noqa: N801
    """What is to be chosen."""


class Question(SphinxDirective):
    """Put a question on the page."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        number = self.env.temp_data.get("coursebook_questions", 0) + 1
        self.env.temp_data["coursebook_questions"] = number
        digest = hashlib.sha256("\n".join(self.content).encode()).hexdigest()[:8]
        node = question("", number=number, key=f"{self.env.docname}-{number}-{digest}")
        self.set_source_info(node)
        self.state.nested_parse(self.content, self.content_offset, node)
        options = node.children.pop() if node.children else None
        if not isinstance(options, nodes.bullet_list) or not node.children:
            raise self.error("a question is a text, then a list of options, `- [ ] …`")
        made = [
            self._option(item, letter)
            for item, letter in zip(options, ascii_lowercase, strict=False)
        ]
        if sum(option["right"] for option in made) != 1:
            raise self.error("exactly one option of a question is right: `- [x] …`")
        node.extend(made)
        return [node]

    def _option(self, item: nodes.Node, letter: str) -> question_option:
        choice, *why = item.children
        first = choice.children[0] if isinstance(choice, nodes.paragraph) else None
        text = first.astext() if isinstance(first, nodes.Text) else ""
        mark = _MARK.match(text)
        if mark is None or not why:
            raise self.error(
                f"option ({letter}) begins with `[ ]` or `[x]`, and after an empty line follows "
                f"why it is wrong or right"
            )
        rest = nodes.Text(text[mark.end() :])
        option = question_option("", letter=letter, right=mark[1] == "x")
        option += question_choice("", "", rest, *choice.children[1:])
        option += why
        return option


def connect_questions(app: Sphinx) -> None:
    """Register directive, nodes and script with Sphinx."""
    app.add_directive("question", Question)
    app.add_node(question, html=(_open_question, _close_question))
    app.add_node(question_option, html=(_open_option, _close_option))
    app.add_node(question_choice, html=(_open_choice, _close_choice))
    app.connect("doctree-read", _note_answers)
    app.connect("html-page-context", _add_scripts)


def _open_question(self: HTML5Translator, node: question) -> None:
    self.body.append(
        f'<section class="course-question" data-question="{escape(node["key"])}" '
        f'aria-label="Question {node["number"]}">\n'
        f'<p class="question-title">Question {node["number"]}</p>\n'
    )


def _close_question(self: HTML5Translator, node: question) -> None:
    del node
    self.body.append("</section>\n")


def _open_option(self: HTML5Translator, node: question_option) -> None:
    right = "true" if node["right"] else "false"
    self.body.append(f'<details class="question-option" data-right="{right}">\n')


def _close_option(self: HTML5Translator, node: question_option) -> None:
    del node
    self.body.append("</details>\n")


def _open_choice(self: HTML5Translator, node: question_choice) -> None:
    self.body.append(f'<summary><span class="question-letter">({node.parent["letter"]})</span> ')


def _close_choice(self: HTML5Translator, node: question_choice) -> None:
    verdict = "Right." if node.parent["right"] else "No."
    self.body.append(f'</summary>\n<p class="question-verdict">{verdict}</p>\n')


def _note_answers(app: Sphinx, doctree: nodes.document) -> None:
    """Write down the right answers of a page, for the title page."""
    found = {
        node["key"]: [option["right"] for option in node.findall(question_option)].index(True)
        for node in doctree.findall(question)
    }
    if found:
        app.env.metadata[app.env.docname][_ANSWERS] = found


def _add_scripts(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Give a page with questions their memory, and the title page what it says of all of them."""
    del templatename, context
    if doctree is None:
        return
    if any(doctree.findall(question)):
        app.add_js_file("answers.js", loading_method="defer")
        app.add_js_file("questions.js", loading_method="defer")
    if pagename == app.config.root_doc:
        chapters = [
            {"page": app.builder.get_relative_uri(pagename, name), "questions": data[_ANSWERS]}
            for name, data in app.env.metadata.items()
            if _ANSWERS in data
        ]
        app.add_js_file(None, body=json.dumps(chapters), type="application/json", id=_DATA)
        app.add_js_file("answers.js", loading_method="defer")
        app.add_js_file("progress.js", loading_method="defer")
