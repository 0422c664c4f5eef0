"""Text that stays inside its axes, whatever the layout, the zoom or the resolution."""

from __future__ import annotations

from typing import Any, cast

from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Bbox

from detseg.palette import contrasting

_PAD = 0.15  # of the font size, around the text on each side


class TextInside(Text):
    """A label on a coloured ground that moves into its axes when it would stick out.

    Where it goes is settled when it is drawn, because only then the layout is final. A label
    wider than the axes starts at the left edge.

    Args:
        axes: where to put the label; it is added to them.
        x: left end of the label, data coordinates.
        y: foot of the label, data coordinates.
        text: what it says.
        color: colour of the ground; the letters are black or white, whichever reads better.
        size: font size in points.

    Example:
        >>> from matplotlib.figure import Figure
        >>> axes = Figure().subplots()
        >>> TextInside(axes, 0.5, 0.5, "disk", "#e69f00").get_text()
        'disk'
    """

    def __init__(
        self, axes: Axes, x: float, y: float, text: str, color: str, size: float = 9
    ) -> None:
        super().__init__(
            x,
            y,
            text,
            fontsize=size,
            color=contrasting(color),
            va="bottom",
            ha="left",
            parse_math=False,  # a class name is not mathematics, even with a dollar in it
            bbox={"boxstyle": f"square,pad={_PAD}", "facecolor": color, "edgecolor": "none"},
            zorder=5,
        )
        # Not axes.text: that is plain text, and the limits of the axes are not its business.
        axes.add_artist(self)
        self.set_in_layout(False)

    def inside(self, renderer: RendererBase) -> Bbox:
        """Where the label, ground included, is drawn.

        Args:
            renderer: of the canvas.

        Returns:
            Box in display coordinates (pixels of the canvas, y upwards).
        """
        ground = self._ground(renderer)
        return ground.translated(*self._shift(ground))

    def draw(self, renderer: RendererBase, *args: Any, **kwargs: Any) -> None:
        """Draw the label where it fits; matplotlib calls this.

        Args:
            renderer: of the canvas.
            *args: handed on to `matplotlib.text.Text.draw`.
            **kwargs: handed on likewise.
        """
        before = self.get_transform()
        shift_x, shift_y = self._shift(self._ground(renderer))
        self.set_transform(before + Affine2D().translate(shift_x, shift_y))
        try:
            super().draw(renderer, *args, **kwargs)
        finally:
            self.set_transform(before)

    def _ground(self, renderer: RendererBase) -> Bbox:
        """Text and its ground where they would be without a shift."""
        pad = renderer.points_to_pixels(_PAD * self.get_fontproperties().get_size_in_points())
        return self.get_window_extent(renderer).padded(cast(float, pad))

    def _shift(self, ground: Bbox) -> tuple[float, float]:
        """What brings the ground into the axes; the left and the upper edge go first."""
        assert self.axes is not None
        frame = self.axes.bbox
        shift_x = max(frame.x0 - ground.x0, min(0.0, frame.x1 - ground.x1))
        shift_y = min(frame.y1 - ground.y1, max(0.0, frame.y0 - ground.y0))
        return shift_x, shift_y
