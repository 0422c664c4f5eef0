"""Drawing: what ends up on the axes, where, in which colour, and what is refused."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Rectangle

import detseg
from detseg import draw
from detseg.palette import SIDES, UNLABELLED, contrasting, instance_color, instance_shade
from detseg.text_inside import TextInside

HEIGHT, WIDTH = 11, 17


@pytest.fixture
def picture():
    return torch.linspace(0, 1, 3 * HEIGHT * WIDTH).reshape(3, HEIGHT, WIDTH)


def texts(ax):
    return [label.get_text() for label in ax.findobj(TextInside)]


def corners(ax):
    """Edges (x1, y1, x2, y2) and colours of the drawn boxes."""
    rectangles = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    return [
        (
            patch.get_x(),
            patch.get_y(),
            *np.add(patch.get_xy(), (patch.get_width(), patch.get_height())),
        )
        for patch in rectangles
    ], [to_hex(patch.get_edgecolor()) for patch in rectangles]


def rendered(figure):
    """Pixels of the figure as it would be saved: (H, W, 3) uint8."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def pixel_at(ax, x, y):
    """Colour shown at a point in data coordinates."""
    pixels = rendered(ax.figure)
    column, row = ax.transData.transform((x, y))
    return to_hex(pixels[pixels.shape[0] - 1 - int(row), int(column)] / 255)


# Colours


def test_class_colors_are_fixed():
    assert [draw.class_color(label) for label in (0, 1, 2, 3, 4, 5, 6, 7, 255)] == [
        "#bbbbbb",
        "#e69f00",
        "#f0e442",
        "#d55e00",
        "#cc79a7",
        "#56b4e9",
        "#009e73",
        "#0072b2",
        "#000000",
    ]


def test_class_colors_differ_for_what_occurs_together():
    scenes = {draw.class_color(label) for label in (-1, 0, *range(1, 8), 255)}
    assert len(scenes) == 10
    beyond = {draw.class_color(label) for label in range(8, 16)}
    assert len(beyond) == 8
    assert not beyond & scenes
    assert UNLABELLED not in scenes | beyond
    assert not set(SIDES.values()) & scenes


@pytest.mark.parametrize("label", [2, np.int64(2), torch.tensor(2), np.uint8(2)])
def test_class_color_takes_any_integer(label):
    assert draw.class_color(label) == "#f0e442"


@pytest.mark.parametrize(("label", "message"), [(1.5, "whole number, got 1.5"), (-2, "got -2")])
def test_class_color_refuses_what_is_no_label(label, message):
    with pytest.raises(detseg.errors.DetsegError, match=message):
        draw.class_color(label)


def test_shades_of_a_class_differ_and_keep_its_hue():
    shades = [instance_shade(6, rank) for rank in range(7)]
    assert shades[0] == draw.class_color(6)
    assert len(set(shades)) == 7
    lightness = [sum(to_rgb(shade)) for shade in shades]
    assert min(lightness) < lightness[0] < max(lightness)
    # Green stays the largest channel: mixing with white or black does not turn the hue.
    assert all(np.argmax(to_rgb(shade)) == 1 for shade in shades)


def test_letters_contrast_with_every_class():
    def luminance(color):
        encoded = np.array(to_rgb(color))
        linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
        return linear @ (0.2126, 0.7152, 0.0722)

    for label in range(-1, 16):
        ground = draw.class_color(label)
        light, dark = sorted((luminance(ground), luminance(contrasting(ground))), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, ground  # WCAG 2.1 AA


# Images


def test_pixel_i_j_covers_the_square_from_j_i(picture):
    black = torch.zeros_like(picture)
    black[0, 3, 5] = 1
    ax = draw.image(black)
    assert pixel_at(ax, 5.05, 3.05) == pixel_at(ax, 5.95, 3.95) == "#ff0000"
    assert pixel_at(ax, 4.9, 3.5) == pixel_at(ax, 5.5, 4.1) == "#000000"


def test_image_draws_into_the_given_axes_with_title(picture):
    figure, axes = plt.subplots()
    assert draw.image(picture, axes, "a title") is axes
    assert plt.get_fignums() == [figure.number]
    assert axes.get_title() == "a title"
    assert axes.get_xlim() == (0, WIDTH)
    assert axes.get_ylim() == (HEIGHT, 0)


@pytest.mark.parametrize(
    "convert",
    [
        lambda tensor: tensor,
        lambda tensor: tensor.clone().requires_grad_(),
        lambda tensor: tensor.numpy(),
        lambda tensor: tensor.double(),
        lambda tensor: tensor.half(),
        lambda tensor: tensor.bfloat16(),
        lambda tensor: tensor.numpy().tolist(),
    ],
    ids=["tensor", "with gradient", "array", "double", "half", "bfloat16", "list"],
)
def test_image_takes_what_holds_an_image(picture, convert):
    ax = draw.image(convert(picture))
    shown = np.asarray(ax.images[0].get_array())
    assert shown.shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_allclose(shown, picture.permute(1, 2, 0), atol=2**-8)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((11, 17)), r"shape \(3, H, W\), got float64 of shape \(11, 17\)"),
        (np.zeros((11, 17, 3)), "channels come first"),
        (np.zeros((1, 11, 17)), r"expand\(3, -1, -1\)"),
        (np.zeros((3, 11, 17), dtype=np.uint8), "got uint8 .* image / 255"),
        (np.zeros((3, 0, 17)), "at least one pixel"),
        (np.full((3, 11, 17), -2.0), r"values in \[0, 1\], got values from -2 to -2"),
        (np.full((3, 11, 17), np.nan), "got values from nan"),
    ],
)
def test_image_says_what_is_wrong(image, message):
    with pytest.raises(detseg.errors.DetsegError, match=message):
        draw.image(image)
    assert plt.get_fignums() == []


# Boxes


def test_boxes_lie_on_their_coordinates(picture):
    boxes = torch.tensor([[2.0, 1.0, 9.0, 4.0], [3.5, 2.5, 17.0, 11.0]])
    ax = draw.boxes(picture, boxes, labels=torch.tensor([1, 4]), scores=torch.tensor([0.5, 0.126]))
    edges, colors = corners(ax)
    assert edges == [(2, 1, 9, 4), (3.5, 2.5, 17, 11)]
    assert colors == [draw.class_color(1), draw.class_color(4)]
    assert texts(ax) == ["disk 0.50", "person 0.13"]
    assert ax.get_xlim() == (0, WIDTH)
    assert ax.get_ylim() == (HEIGHT, 0)


@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        ({}, []),
        ({"labels": [2]}, ["square"]),
        ({"scores": [0.25]}, ["0.25"]),
        ({"labels": [15], "names": {15: "$5 to $9"}}, ["$5 to $9"]),
        ({"labels": [15]}, ["15"]),
        ({"labels": [-1]}, ["neutral"]),
        ({"labels": [0]}, ["background"]),
    ],
)
def test_boxes_print_what_is_known(picture, keywords, expected):
    assert texts(draw.boxes(picture, [[1, 1, 5, 5]], **keywords)) == expected


def test_names_are_no_mathematics(picture):
    ax = draw.boxes(picture, [[1, 1, 5, 5]], [15], names={15: "$5 to $9"})
    (label,) = ax.findobj(TextInside)
    plain = TextInside(ax, 1, 1, "x5 to x9", "white")  # as wide, if no letter turns italic
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    widths = [text.get_window_extent(canvas.get_renderer()).width for text in (label, plain)]
    assert widths[0] == pytest.approx(widths[1], rel=0.1)


def test_boxes_without_labels_have_the_color_of_no_class(picture):
    assert corners(draw.boxes(picture, [[1, 1, 5, 5]]))[1] == [UNLABELLED]


def test_boxes_take_colors(picture):
    two = [[1, 1, 5, 5], [2, 2, 6, 6]]
    assert corners(draw.boxes(picture, two, [1, 2], colors="red"))[1] == ["#ff0000"] * 2
    assert corners(draw.boxes(picture, two, colors=["red", "blue"]))[1] == ["#ff0000", "#0000ff"]


def test_boxes_take_a_linestyle(picture):
    assert draw.boxes(picture, [[1, 1, 5, 5]], linestyle="--").patches[0].get_linestyle() == "--"


@pytest.mark.parametrize("empty", [torch.zeros(0, 4), np.zeros((0, 4), dtype=np.float32), []])
def test_no_box_is_fine(picture, empty):
    ax = draw.boxes(picture, empty, labels=[], scores=[])
    assert corners(ax) == ([], [])


def test_boxes_stack_on_axes(picture):
    ax = draw.image(picture)
    assert draw.boxes(None, [[1, 1, 5, 5]], ax=ax, title="later") is ax
    draw.boxes(None, [[-4, -4, 30, 30]], ax=ax)
    assert len(ax.images) == 1
    assert len(ax.patches) == 2
    assert ax.get_title() == "later"
    assert ax.get_xlim() == (0, WIDTH), "a box beyond the image does not move the limits"


def test_boxes_on_blank_axes_are_seen_with_y_downwards():
    _, axes = plt.subplots()
    draw.boxes(None, [[10, 20, 40, 30]], labels=[1], ax=axes)
    draw.boxes(None, [[50, 20, 60, 80]], labels=[2], ax=axes)
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    assert left <= 10 < 60 <= right
    assert top <= 20 < 80 <= bottom
    assert axes.get_aspect() == 1


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"boxes": [1, 2, 3, 4]}, r"boxes have shape \(N, 4\), xyxy, got .* shape \(4,\)"),
        ({"boxes": [[1, 2, 3]]}, r"shape \(1, 3\)"),
        ({"boxes": [[0, 0, 1, 1], [1, 2, np.inf, 3]]}, "box 1 has coordinates .* not finite"),
        ({"labels": [1, 2]}, r"labels must have shape \(1,\), one each, got .* \(2,\)"),
        ({"labels": [1.0]}, "labels must be integers, got float64"),
        ({"labels": [True]}, "labels must be integers, got bool"),
        ({"scores": [[0.5]]}, r"scores must have shape \(1,\)"),
        ({"colors": ["red", "blue"]}, r"one colour or one a box \(1\), got \['red', 'blue'\]"),
        ({"colors": "no colour"}, "got 'no colour'"),
        ({"image": None}, "say by ax=... which axes"),
    ],
)
def test_boxes_say_what_is_wrong(picture, keywords, message):
    with pytest.raises(detseg.errors.DetsegError, match=message):
        draw.boxes(**({"image": picture, "boxes": [[1, 1, 5, 5]]} | keywords))
    assert plt.get_fignums() == []


@pytest.mark.parametrize("dpi", [50, 100, 200])
@pytest.mark.parametrize(
    "box", [[0, 0, 4, 4], [15, 0, 17, 3], [14, 9, 17, 11], [0, 10, 3, 11], [-5, -5, 30, 30]]
)
def test_labels_stay_inside_the_axes(picture, box, dpi):
    ax = draw.boxes(picture, [box], labels=[3], scores=[0.5])
    ax.figure.set_dpi(dpi)
    (label,) = ax.findobj(TextInside)
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    drawn, frame = label.inside(canvas.get_renderer()), ax.bbox
    assert frame.x0 - 0.01 <= drawn.x0 <= drawn.x1 <= frame.x1 + 0.01
    assert frame.y0 - 0.01 <= drawn.y0 <= drawn.y1 <= frame.y1 + 0.01


def test_the_ground_of_a_label_is_painted_where_it_says(picture):
    ax = draw.boxes(torch.ones_like(picture), [[14, 0, 17, 3]], labels=[3])
    (label,) = ax.findobj(TextInside)
    pixels = rendered(ax.figure)
    place = label.inside(ax.figure.canvas.get_renderer())
    row, column = pixels.shape[0] - 1 - int(place.y0 + 1), int(place.x0 + 1)
    assert to_hex(pixels[row, column] / 255) == draw.class_color(3)
    assert place.x1 <= ax.bbox.x1 + 0.01


def test_a_label_with_room_sits_on_its_box(picture):
    ax = draw.boxes(picture, [[3, 6, 12, 10]], labels=[1])
    (label,) = ax.findobj(TextInside)
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    left, top = ax.transData.transform((3, 6))
    extent = label.get_window_extent(canvas.get_renderer())
    assert (extent.x0, extent.y0) == pytest.approx((left, top), abs=1.5)


# Masks


def test_masks_fill_and_border(picture):
    mask = torch.zeros(1, HEIGHT, WIDTH, dtype=torch.bool)
    mask[0, 2:7, 4:10] = True
    ax = draw.masks(torch.ones_like(picture), mask, labels=[1], alpha=0.5)
    assert pixel_at(ax, 4.5, 4.5) == draw.class_color(1), "the border is solid"
    half = to_hex(0.5 * np.array(to_rgb(draw.class_color(1))) + 0.5)
    np.testing.assert_allclose(to_rgb(pixel_at(ax, 6.5, 4.5)), to_rgb(half), atol=2 / 255)
    assert pixel_at(ax, 10.5, 4.5) == pixel_at(ax, 4.5, 7.5) == "#ffffff"


def test_a_mask_at_the_edge_of_the_image_has_a_border_there(picture):
    mask = np.ones((1, HEIGHT, WIDTH), dtype=bool)
    overlay = np.asarray(draw.masks(picture, mask, alpha=0.25).images[1].get_array())
    expected = np.full((HEIGHT, WIDTH), 0.25)
    expected[[0, -1]] = 1
    expected[:, [0, -1]] = 1
    np.testing.assert_array_equal(overlay[..., 3], expected)


def test_later_masks_are_on_top(picture):
    masks = np.zeros((2, HEIGHT, WIDTH), dtype=bool)
    masks[0, :, :10] = True
    masks[1, :, 5:] = True
    ax = draw.masks(torch.ones_like(picture), masks, labels=[1, 2], alpha=1)
    assert pixel_at(ax, 7.5, 5.5) == draw.class_color(2)
    assert pixel_at(ax, 2.5, 5.5) == draw.class_color(1)


def test_masks_without_labels_have_a_color_each(picture):
    masks = np.zeros((2, HEIGHT, WIDTH), dtype=np.uint8)
    masks[0, 0, 0] = masks[1, 5, 5] = 1
    ax = draw.masks(picture, masks)
    assert pixel_at(ax, 0.5, 0.5) == instance_color(0)
    assert pixel_at(ax, 5.5, 5.5) == instance_color(1)


def test_masks_are_named_on_demand(picture):
    masks = np.zeros((2, HEIGHT, WIDTH), dtype=bool)
    masks[0, 3, 4] = True
    assert texts(draw.masks(picture, masks, labels=[1, 2])) == []
    assert texts(draw.masks(picture, masks, labels=[1, 2], names=detseg.THINGS)) == ["disk"]


def test_no_mask_is_fine(picture):
    assert len(draw.masks(picture, torch.zeros(0, HEIGHT, WIDTH, dtype=torch.bool)).images) == 1


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (np.zeros((HEIGHT, WIDTH), bool), r"masks have shape \(N, H, W\), got bool"),
        (
            np.zeros((1, WIDTH, HEIGHT), bool),
            r"image's size \(11, 17\) \(H, W\), got .*\(1, 17, 11\)",
        ),
        (np.full((1, HEIGHT, WIDTH), 0.7), "threshold soft masks first"),
    ],
)
def test_masks_say_what_is_wrong(picture, masks, message):
    with pytest.raises(detseg.errors.DetsegError, match=message):
        draw.masks(picture, masks)


def test_masks_refuse_an_alpha_beyond_one(picture):
    with pytest.raises(detseg.errors.DetsegError, match=r"between 0 and 1, got 1\.5"):
        draw.masks(picture, np.zeros((0, HEIGHT, WIDTH), bool), alpha=1.5)


# Keypoints


def person(visibility=2):
    points = np.full((1, 9, 3), visibility, dtype=np.float32)
    points[0, :, 0] = np.arange(9) + 1
    points[0, :, 1] = np.arange(9) + 0.5
    return points


def test_every_present_keypoint_is_a_dot_on_its_place(picture):
    points = person()
    points[0, 2] = 0
    ax = draw.keypoints(picture, points)
    dots = sorted(tuple(line.get_xydata()[0]) for line in ax.lines if line.get_marker() == "o")
    assert dots == [(x + 1, x + 0.5) for x in range(9) if x != 2]


def test_limbs_need_both_ends_and_have_the_color_of_their_side(picture):
    points = person()
    points[0, 1] = 0  # the left hand: its limb goes, the others stay
    ax = draw.keypoints(picture, points)
    limbs = [line for line in ax.lines if line.get_marker() == "None"]
    assert len(limbs) == len(detseg.SKELETON) - 1
    by_ends = {frozenset(line.get_xdata() - 1): to_hex(line.get_color()) for line in limbs}
    for start, end in detseg.SKELETON:
        if 1 not in (start, end):
            side = detseg.KEYPOINTS[max(start, end)].split()[0]
            assert by_ends[frozenset((start, end))] == SIDES[side]


def test_hidden_keypoints_are_hollow_and_their_limbs_dotted(picture):
    ax = draw.keypoints(picture, person(visibility=1))
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    limbs = [line for line in ax.lines if line.get_marker() == "None"]
    assert len(dots) == 9
    assert all(dot.get_markerfacecolor() == "none" for dot in dots)
    assert len(limbs) == len(detseg.SKELETON)
    assert all(limb.get_linestyle() == ":" for limb in limbs)


def test_absent_persons_and_no_person_draw_nothing(picture):
    ax = draw.keypoints(picture, np.zeros((2, 9, 3)))
    assert not ax.lines
    assert ax.get_legend() is None
    assert not draw.keypoints(picture, torch.zeros(0, 9, 3)).lines


def test_other_skeletons_are_dots(picture):
    ax = draw.keypoints(picture, np.full((1, 5, 3), 2.0))
    assert len(ax.lines) == 5
    assert ax.get_legend() is None


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((9, 3)), r"shape \(N, K, 3\): x, y, visibility, got .* \(9, 3\)"),
        (np.full((1, 9, 3), 3.0), "0 .absent., 1 .hidden. or 2 .visible., got 3"),
    ],
)
def test_keypoints_say_what_is_wrong(picture, points, message):
    with pytest.raises(detseg.errors.DetsegError, match=message):
        draw.keypoints(picture, points)


# Maps


def test_semantic_shows_each_pixel_in_its_class_color():
    labels = torch.tensor([[5, 5, 255], [6, 1, 0]])
    ax = draw.semantic(labels)
    for (row, column), label in np.ndenumerate(labels.numpy()):
        assert pixel_at(ax, column + 0.5, row + 0.5) == draw.class_color(label)


def test_semantic_legend_names_what_occurs_in_its_color():
    legend = draw.semantic(np.array([[5, 255], [1, 1]])).get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["disk", "sky", "void"]
    colors = [to_hex(patch.get_facecolor()) for patch in legend.get_patches()]
    assert colors == [draw.class_color(label) for label in (1, 5, 255)]
    assert draw.semantic(np.array([[5]]), legend=False).get_legend() is None
    named = draw.semantic(np.array([[0, 15]]), names=detseg.VOC2007.NAMES).get_legend()
    assert [text.get_text() for text in named.get_texts()] == ["background", "person"]


def test_panoptic_shades_instances_and_draws_their_borders():
    classes = np.array([[5, 1, 1, 1], [5, 1, 1, 6]])
    instances = np.array([[0, 1, 2, 2], [0, 1, 2, 0]])
    ax = draw.panoptic(classes, instances, title="panoptic")
    assert ax.get_title() == "panoptic"
    assert pixel_at(ax, 0.5, 0.5) == draw.class_color(5)
    assert pixel_at(ax, 3.5, 1.5) == draw.class_color(6)
    assert pixel_at(ax, 1.5, 0.5) == instance_shade(1, 0)
    assert pixel_at(ax, 3.5, 0.5) == instance_shade(1, 1)
    segments = {frozenset(map(tuple, line)) for line in ax.collections[0].get_segments()}
    assert segments == {
        frozenset(pair)
        for pair in [
            ((1, 0), (1, 1)),
            ((1, 1), (1, 2)),
            ((2, 0), (2, 1)),
            ((2, 1), (2, 2)),
            ((3, 1), (4, 1)),
            ((3, 1), (3, 2)),
        ]
    }
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["disk × 2", "sky", "grass"]


def test_one_instance_is_not_counted_nor_is_a_thing_without_instance():
    ax = draw.panoptic(np.array([[1, 1, 2, 2]]), np.array([[0, 3, 4, 5]]))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["disk", "square × 2"]
    assert pixel_at(ax, 0.5, 0.5) == pixel_at(ax, 1.5, 0.5) == draw.class_color(1)


def test_panoptic_of_stuff_alone_has_no_border():
    ax = draw.panoptic(np.array([[5, 6]]), np.zeros((1, 2), dtype=int), legend=False)
    assert ax.collections[0].get_segments() == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draw.semantic(np.zeros((3, 4))), "semantic must be integers, got float64"),
        (lambda: draw.semantic(np.zeros((1, 3, 4), int)), r"semantic must have shape \(H, W\)"),
        (lambda: draw.semantic(np.zeros((0, 4), int)), r"semantic must have shape \(H, W\)"),
        (
            lambda: draw.panoptic(np.zeros((3, 4), int), np.zeros((4, 3), int)),
            r"one size, got \(3, 4\) and \(4, 3\)",
        ),
    ],
)
def test_maps_say_what_is_wrong(call, message):
    with pytest.raises(detseg.errors.DetsegError, match=message):
        call()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.data())
def test_borders_agree_with_a_loop_over_pixels(data):
    height, width = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 5))
    flat = data.draw(st.lists(st.integers(0, 2), min_size=height * width, max_size=height * width))
    ids = np.array(flat).reshape(height, width)
    expected = set()
    for row, column in itertools.product(range(height), range(width)):
        if column + 1 < width and ids[row, column] != ids[row, column + 1]:
            expected.add(frozenset([(column + 1, row), (column + 1, row + 1)]))
        if row + 1 < height and ids[row, column] != ids[row + 1, column]:
            expected.add(frozenset([(column, row + 1), (column + 1, row + 1)]))
    ax = draw.panoptic(np.ones_like(ids), ids, legend=False)
    drawn = [frozenset(map(tuple, line)) for line in ax.collections[0].get_segments()]
    plt.close(ax.figure)
    assert set(drawn) == expected
    assert len(drawn) == len(expected)


# Several pictures


def test_grid_draws_each_scene_with_its_boxes():
    scenes = detseg.ShapeScenes(5, seed=1, size_hw=(48, 64))
    items = [scenes[index] for index in range(5)]
    figure = draw.grid(items, columns=3, titles=list("abcde"))
    assert [ax.get_title() for ax in figure.axes] == list("abcde")
    for ax, (_, target) in zip(figure.axes, items, strict=True):
        np.testing.assert_allclose(corners(ax)[0], target["boxes"].numpy())
        assert texts(ax) == [detseg.THINGS[int(label)] for label in target["labels"]]
    tops = [round(ax.get_subplotspec().rowspan.start) for ax in figure.axes]
    assert tops == [0, 0, 0, 1, 1]


def test_grid_draws_detections_and_plain_images(picture):
    found = {"boxes": torch.tensor([[1.0, 1, 5, 5]]), "scores": torch.tensor([0.75])}
    figure = draw.grid([(picture, found), (picture, {})], names={1: "cat"})
    assert [texts(ax) for ax in figure.axes] == [["0.75"], []]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"items": 0}, "at least one"),
        ({"items": 1, "columns": 0}, "columns is at least 1, got 0"),
        ({"items": 1, "titles": []}, r"one an item \(1\), got 0"),
    ],
)
def test_grid_says_what_is_wrong(picture, arguments, message):
    items = [(picture, {})] * arguments["items"]
    with pytest.raises(detseg.errors.DetsegError, match=message):
        draw.grid(**(arguments | {"items": items}))


def test_grid_refuses_an_item_without_target(picture):
    with pytest.raises(detseg.errors.DetsegError, match="item 1 is not a pair"):
        draw.grid([(picture, {}), picture])


def test_book_style_makes_white_readable_figures():
    with plt.rc_context():
        draw.use_book_style()
        figure, axes = plt.subplots()
        axes.plot([0, 1])
        assert to_hex(rendered(figure)[0, 0] / 255) == "#ffffff"
        assert plt.rcParams["font.size"] >= 11
        assert figure.get_constrained_layout()
