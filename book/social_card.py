"""The card that stands beside a link to the book, as a page that `pictures.py` photographs."""

from __future__ import annotations

import io
from base64 import b64encode

import matplotlib.pyplot as plt

import detseg
from detseg import draw

SIZE = (1200, 630)  # pixels, what those who show links ask for
_SCENE = (630, 660)  # pixels, height and width: the right half and a little more

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Social card</title>
<style>
  body {{ margin: 0; display: flex; width: 1200px; height: 630px; font-family: sans-serif;
         background: #14202e; color: #ffffff; }}
  main {{ flex: 1; display: flex; flex-direction: column; justify-content: center;
         padding: 0 0 0 56px; }}
  svg {{ width: 96px; margin-bottom: 34px; }}
  h1 {{ margin: 0; font-size: 68px; line-height: 1.12; font-weight: 700; letter-spacing: -0.02em; }}
  p {{ margin: 30px 0 0; font-size: 32px; line-height: 1.35; color: #c5d3e2; }}
  .scene {{ width: 660px; height: 630px; }}
</style>
<main>
  {logo}
  <h1>Object Detection and Segmentation</h1>
  <p>A course book whose<br>exercises grade themselves</p>
</main>
<img class="scene" src="data:image/png;base64,{scene}" alt="">
"""


def page(logo: str) -> str:
    """The card as HTML, `SIZE` pixels large.

    Args:
        logo: the book's, as SVG.
    """
    return _PAGE.format(logo=logo, scene=b64encode(_scene()).decode())


def _scene() -> bytes:
    """A generated scene with everything that a network should find in it, as PNG."""
    height, width = _SCENE
    scenes = detseg.ShapeScenes(n=1, seed=3, size_hw=(height // 4, width // 4), things=(4, 6))
    image, target = scenes[0]
    draw.use_book_style()
    # Twice the usual dots an inch: lines and labels read where the card is shown small.
    figure = plt.figure(figsize=(width / 200, height / 200), dpi=200, layout="none")
    ax = figure.add_axes((0, 0, 1, 1))
    draw.masks(image, target["masks"], labels=target["labels"], ax=ax)
    draw.boxes(None, target["boxes"], labels=target["labels"], ax=ax)
    ax.set(aspect="auto")  # or a line of white would remain, less than a pixel of the scene
    ax.set_axis_off()
    png = io.BytesIO()
    figure.savefig(png, format="png")
    plt.close(figure)
    return png.getvalue()
