"""The pictures that cells draw, as small files: WebP instead of PNG."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

from docutils import nodes
from PIL import Image
from sphinx.transforms.post_transforms.images import BaseImageConverter

# Results of another state of this module are not taken.
_FOLDER = f"webp-{hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]}"
_SMALL_ENOUGH = 40_000  # bytes: below, a picture loses nothing at all
_PIXELS = re.compile(r"(\d+)(?:px)?")
# Up to this width, letters can be read at the scale at which the style sheet shows it on a phone.
_WIDEST_ON_A_PHONE = 840


class SmallImages(BaseImageConverter):
    """Replace each PNG on a page by a WebP file."""

    default_priority = 300  # after Sphinx' own, which fetch pictures from elsewhere

    def match(self, node: nodes.image) -> bool:
        return self.app.builder.format == "html" and node["uri"].endswith(".png")

    def handle(self, node: nodes.image) -> None:
        source = Path(self.app.srcdir) / node["uri"]
        # The name of what a cell drew is the hash of its content.
        small = Path(self.app.config.nb_execution_cache_path) / _FOLDER / f"{source.stem}.webp"
        if not small.is_file():
            small.parent.mkdir(parents=True, exist_ok=True)
            small.write_bytes(as_webp(source))
        node["uri"] = str(small)
        node["candidates"] = {"*": str(small)}
        _mark_wide(node)
        node.attributes.pop("height", None)  # as a fixed one, it would distort on a phone
        self.env.images.add_file(self.env.docname, str(small))


def _mark_wide(node: nodes.image) -> None:
    """Give a wide picture a class of the style sheet."""
    width = _PIXELS.fullmatch(str(node.get("width", "")))
    if width and int(width[1]) > _WIDEST_ON_A_PHONE:
        node["classes"].append("wide-picture")


def as_webp(file: Path) -> bytes:
    """A picture as WebP: charts without any loss, others with one that is hardly seen.

    Args:
        file: a picture in any format that Pillow reads.

    Returns:
        The content of a `.webp` file of as many pixels.
    """
    with Image.open(file) as opened:
        picture = opened.convert("RGBA")
    opaque = picture.getchannel("A").getextrema() == (255, 255)
    picture = picture.convert("RGB") if opaque else picture
    exact = _encoded(picture, lossless=True, quality=50, method=2)
    if len(exact) < _SMALL_ENOUGH or not opaque:
        return exact
    # Scenes with large pixels want few colours, photographs want many.
    few_colours = _encoded(_with_256_colours(picture), lossless=True, quality=50, method=2)
    many_colours = _encoded(picture, quality=80, method=4)
    return min(exact, few_colours, many_colours, key=len)


def _with_256_colours(picture: Image.Image) -> Image.Image:
    quarter = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.NEAREST)
    palette = quarter.quantize(256, kmeans=1)  # seconds, on the whole of a photograph
    return picture.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")


def _encoded(picture: Image.Image, **options: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", **options)
    return buffer.getvalue()
