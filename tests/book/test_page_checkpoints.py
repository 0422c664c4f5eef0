"""The page's own cells make the checkpoint."""

import json
import textwrap

import page_checkpoints
import pytest
import torch
from safetensors.torch import load_file

import detseg


@pytest.fixture
def page(tmp_path):
    """A page with the names that the real one ends with."""
    path = tmp_path / "sliding-windows.md"
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
    monkeypatch.setattr(page_checkpoints, "BOOK", page.parent)
    page_checkpoints.main(["sliding-windows", "--out", str(tmp_path / "out")])
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
        page_checkpoints.run_page(page)
    assert any("code cell 3" in str(entry.path) for entry in caught.traceback)


@pytest.mark.parametrize("name", ["rcnn", "fast-rcnn"])
def test_the_region_network_of_a_page_is_saved(name, tmp_path):
    network = detseg.RegionNetwork()
    names = {
        "network": network,
        "losses": [(1.0, 0.5)] * 30 + [(0.25, 0.125)] * 25,
        "result": {"ap50": 0.75, "ap": 0.5},
    }
    page_checkpoints.PAGES[name](names, tmp_path)
    log = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
    assert (log["class_loss_at_the_end"], log["ap50_on_held_out_scenes"]) == (0.25, 0.75)
    saved = load_file(tmp_path / f"{name}.safetensors")
    torch.testing.assert_close(
        saved["head.1.bbox_pred.bias"], network.head[1].bbox_pred.bias.detach()
    )


def test_an_unknown_page_is_refused(capsys):
    with pytest.raises(SystemExit):
        page_checkpoints.main(["tasks"])
    assert "no page with a checkpoint: tasks; there are sliding-windows" in capsys.readouterr().err
