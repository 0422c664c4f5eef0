"""The page's own cells make the checkpoint."""

import json
import textwrap

import face_checkpoint
import pytest
import torch
from safetensors.torch import load_file

import detseg


@pytest.fixture
def page(tmp_path):
    """A page with the names that the real one ends with."""
    path = tmp_path / "page.md"
    path.write_text(
        textwrap.dedent(
            """
            ---
            file_format: mystnb
            kernelspec: {name: python3, display_name: Python 3}
            ---
            # A page

            ```{code-cell} python
            import detseg
            classifier = detseg.face_classifier()
            ```

            ```{code-cell} python
            ---
            tags: [hide-input]
            ---
            history = [(0, 900, 80, None), (1, 9, 8, 1)]
            overlap = 0.81234
            ```
            """
        ).lstrip(),
        encoding="utf-8",
    )
    return path


def test_what_the_page_trained_is_saved(page, tmp_path, monkeypatch):
    monkeypatch.setattr(face_checkpoint, "PAGE", page)
    face_checkpoint.main(["--out", str(tmp_path / "out")])
    log = json.loads((tmp_path / "out" / "face-classifier.json").read_text(encoding="utf-8"))
    assert log["iou_with_the_face"] == 0.812
    assert log["rounds"][0]["rank_of_the_face"] is None
    assert log["rounds"][1]["alarms_on_the_astronaut"] == 8

    linear = detseg.face_classifier()
    linear.load_state_dict(load_file(tmp_path / "out" / "face-classifier.safetensors"))
    weights = load_file(tmp_path / "out" / "face-classifier-convolutional.safetensors")
    patch = torch.rand(1, 1, 25, 25)
    with torch.no_grad():
        features = linear[:6](patch)
        hidden = torch.nn.functional.conv2d(features, weights["6.weight"], weights["6.bias"]).relu()
        logit = torch.nn.functional.conv2d(hidden, weights["8.weight"], weights["8.bias"])
        torch.testing.assert_close(logit.flatten(), linear(patch).flatten())


def test_a_cell_that_fails_is_named(page):
    page.write_text(page.read_text(encoding="utf-8") + "\n```{code-cell} python\n1 / 0\n```\n")
    with pytest.raises(ZeroDivisionError) as caught:
        face_checkpoint.run_page(page)
    assert any("code cell 3" in str(entry.path) for entry in caught.traceback)
