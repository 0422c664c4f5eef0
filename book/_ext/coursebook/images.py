"""The pictures that cells draw, as small files: WebP instead of PNG."""

from __future__ import annotations

import io
from pathlib import Path

from docutils import nodes
from PIL import Image
from sphinx.transforms.post_transforms.images import BaseImageConverter

# Of what a lossy file would save, so much has to be gained before a picture loses anything.
_WORTH_A_LOSS = 0.5


class SmallImages(BaseImageConverter):
    """Replace each PNG on a page by a WebP file."""

    default_priority = 300  # after Sphinx' own, which fetch pictures from elsewhere

    def match(self, node: nodes.image) -> bool:
        return self.app.builder.format == "html" and node["uri"].endswith(".png")

    def handle(self, node: nodes.image) -> None:
        source = Path(self.app.srcdir) / node["uri"]
        small = Path(self.imagedir) / f"{source.stem}.webp"
        if not small.is_file():
            small.parent.mkdir(parents=True, exist_ok=True)
            small.write_bytes(as_webp(source))
        node["uri"] = str(small)
        node["candidates"] = {"*": str(small)}
        node.attributes.pop("height", None)  # as a fixed one, it would distort on a phone
        self.env.images.add_file(self.env.docname, str(small))


def as_webp(file: Path) -> bytes:
    """A picture as WebP: charts without any loss, photographs with one that is not seen.

    Args:
        file: a picture in any format that Pillow reads.

    Returns:
        The content of a `.webp` file of as many pixels.
    """
    with Image.open(file) as opened:
        picture = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    exact = _encoded(picture, lossless=True, quality=50, method=2)
    lossy = _encoded(picture, quality=88, method=4)
    return lossy if len(lossy) < _WORTH_A_LOSS * len(exact) else exact


def _encoded(picture: Image.Image, **options: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", **options)
    return buffer.getvalue()
