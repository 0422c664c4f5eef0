"""Which colour means what, and the style that every figure of the book shares.

The colours are those of Okabe and Ito, "Color Universal Design" (2008), which stay apart for
readers with any of the common colour-vision deficiencies: warm ones for things, cool ones for
stuff. Labels beyond the generated scenes take the "muted" scheme of Paul Tol, "Colour Schemes"
(SRON technical note, 2021), in turn.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import SupportsIndex

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from cycler import cycler
from matplotlib.colors import to_hex, to_rgb

from detseg.errors import ArgumentError
from detseg.scenes import STUFF, THINGS

NEUTRAL = -1
BACKGROUND = 0
VOID = 255

_FIXED = {
    NEUTRAL: "#888888",
    BACKGROUND: "#bbbbbb",
    1: "#e69f00",  # disk: orange
    2: "#f0e442",  # square: yellow
    3: "#d55e00",  # triangle: vermilion
    4: "#cc79a7",  # person: reddish purple
    5: "#56b4e9",  # sky: sky blue
    6: "#009e73",  # grass: bluish green
    7: "#0072b2",  # water: blue
    VOID: "#000000",
}
_CYCLE = (
    "#cc6677",  # rose
    "#332288",  # indigo
    "#ddcc77",  # sand
    "#117733",  # green
    "#882255",  # wine
    "#44aa99",  # teal
    "#999933",  # olive
    "#aa4499",  # purple
)
UNLABELLED = "#ee3377"
"""Boxes and masks without a label: a magenta (Tol, "vibrant") that no class has."""

SIDES = {"left": "#332288", "right": "#ddcc77"}
"""Left and right of a body: indigo and sand (Tol, "muted"), far apart in lightness."""

# Curves on white want contrast, so yellow and the pale ones come last or not at all.
_CURVES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")

# Alternating lighter and darker keeps neighbours in the list, often neighbours in the picture,
# apart; the first instance has the class's own colour.
_SHADES = (0.0, 0.45, -0.35, 0.7, -0.55, 0.25, -0.2)


def class_color(label: SupportsIndex) -> str:
    """Colour of a class, the same on every page.

    Args:
        label: class id, ≥ −1. −1 (neutral) and 0 (background) are greys, 255 (void) is black.

    Returns:
        Hexadecimal colour such as ``"#e69f00"``.

    Raises:
        ArgumentError: the label is not a whole number ≥ −1.

    Example:
        >>> class_color(1), class_color(5), class_color(255)
        ('#e69f00', '#56b4e9', '#000000')
    """
    try:
        number = operator.index(label)
    except TypeError:
        raise ArgumentError(f"a label is a whole number, got {label!r}") from None
    if number < NEUTRAL:
        raise ArgumentError(f"a label is -1 (neutral), 0 (background) or positive, got {number}")
    if number in _FIXED:
        return _FIXED[number]
    return _CYCLE[number % len(_CYCLE)]


def instance_color(index: int) -> str:
    """Colour of the instance at a position where no class is known.

    Args:
        index: position of the instance, ≥ 0; the colours repeat after eight.

    Returns:
        Hexadecimal colour, never one of the scenes' classes.

    Example:
        >>> instance_color(0) == instance_color(8) != instance_color(1)
        True
    """
    return _CYCLE[index % len(_CYCLE)]


def instance_shade(label: SupportsIndex, rank: int) -> str:
    """Shade of a class's hue for one of its instances.

    Args:
        label: class id, as in `class_color`.
        rank: position of the instance among those of its class, ≥ 0; 0 is the class's own colour.

    Returns:
        Hexadecimal colour; the shades repeat after seven.

    Example:
        >>> instance_shade(1, 0), instance_shade(1, 1)
        ('#e69f00', '#f1ca73')
    """
    amount = _SHADES[rank % len(_SHADES)]
    goal = 1.0 if amount > 0 else 0.0
    channels = [value + abs(amount) * (goal - value) for value in to_rgb(class_color(label))]
    return to_hex((channels[0], channels[1], channels[2]))


def label_names(names: Mapping[int, str] | None = None, *, stuff: bool = False) -> dict[int, str]:
    """Names to print for labels: the caller's, else those of the generated scenes.

    Args:
        names: label → name; None for `detseg.THINGS`.
        stuff: whether the default includes `detseg.STUFF`.

    Returns:
        Label → name, with "neutral", "background" and "void" added where missing.

    Example:
        >>> label_names({1: "cat"})[1], label_names({1: "cat"})[255]
        ('cat', 'void')
    """
    general = {NEUTRAL: "neutral", BACKGROUND: "background", VOID: "void"}
    if names is not None:
        return general | dict(names)
    return general | THINGS | (STUFF if stuff else {})


def contrasting(color: str) -> str:
    """Black or white, whichever reads better on a colour.

    Args:
        color: any colour that matplotlib knows.

    Returns:
        ``"black"`` or ``"white"``.

    Example:
        >>> contrasting("#f0e442"), contrasting("#0072b2")
        ('black', 'white')
    """
    encoded = np.array(to_rgb(color))
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    # Contrast ratio as in WCAG 2.1: (lighter + 0.05) / (darker + 0.05).
    return "black" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "white"


def label_image(labels: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Colour picture of a map of class ids.

    Args:
        labels: (H, W) integer, class ids ≥ −1.

    Returns:
        (H, W, 3) float32 in [0, 1], red, green, blue.

    Example:
        >>> label_image(np.array([[0, 255]]))[0, 1].tolist()
        [0.0, 0.0, 0.0]
    """
    present, position = np.unique(labels, return_inverse=True)
    colors = np.array([to_rgb(class_color(int(label))) for label in present], dtype=np.float32)
    return colors.reshape(-1, 3)[position.reshape(labels.shape)]


def use_book_style() -> None:
    """Set matplotlib's defaults to those of the book: call it once, at the top of a page.

    Text reads at the width of a page, the canvas is white (so that a figure also reads on a dark
    page), curves take colours that stay apart for colour-blind readers, and the layout makes room
    for titles and legends.

    Example:
        >>> with mpl.rc_context():
        ...     use_book_style()
        ...     mpl.rcParams["figure.facecolor"]
        'white'
    """
    mpl.rcParams.update(
        {
            "figure.figsize": (6.4, 3.8),
            "figure.dpi": 110,
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "savefig.facecolor": "white",
            "font.size": 11,
            "axes.titlesize": 12,
            "axes.labelsize": 11,
            "axes.facecolor": "white",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": cycler(color=_CURVES),
            "lines.linewidth": 1.8,
            "legend.frameon": False,
            "legend.fontsize": 10,
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
        }
    )
