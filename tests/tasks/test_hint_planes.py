import torch

from translate.tasks.hint_planes import spread_strokes


def canvas(side=64):
    """An empty layer of hints and a white drawing."""
    return torch.full((1, 4, side, side), -1.0), torch.ones(1, 1, side, side)


def stroke(hint, top, left, colour, size=6):
    hint[0, :3, top : top + size, left : left + size] = torch.tensor(colour)[:, None, None]
    hint[0, 3, top : top + size, left : left + size] = 1


def test_without_strokes_the_confidence_is_zero():
    hint, drawing = canvas()
    colour, belief = spread_strokes(hint, drawing)
    assert belief.max() == 0
    assert colour.isfinite().all()


def test_a_stroke_keeps_its_colour_where_it_is_and_fills_an_open_sheet():
    hint, drawing = canvas()
    stroke(hint, 8, 8, (0.5, -0.5, 1.0))
    colour, belief = spread_strokes(hint, drawing)
    assert torch.equal(belief[0, 0, 8:14, 8:14], torch.ones(6, 6))
    assert torch.allclose(colour[0, :, 60, 60], torch.tensor([0.5, -0.5, 1.0]), atol=1e-3)
    assert 0 < belief[0, 0, 60, 60] < belief[0, 0, 30, 30] < 1  # the farther away, the less it is believed


def test_a_line_holds_the_colour_back():
    hint, drawing = canvas()
    stroke(hint, 28, 20, (1.0, -1.0, -1.0))
    open_belief = spread_strokes(hint, drawing)[1]
    drawing[..., 33:35] = -1
    belief = spread_strokes(hint, drawing)[1]
    assert abs(belief[0, 0, 30, 8] - open_belief[0, 0, 30, 8]) < 0.02  # on the other side, where no line is
    assert belief[0, 0, 30, 46] < open_belief[0, 0, 30, 46] - 0.1


def test_each_side_of_a_line_takes_the_stroke_on_its_side():
    hint, drawing = canvas()
    drawing[..., 31:34] = -1
    stroke(hint, 10, 26, (1.0, -1.0, -1.0), 3)
    stroke(hint, 40, 60, (-1.0, -1.0, 1.0), 3)
    colour, _ = spread_strokes(hint, drawing)
    assert colour[0, 0, 40, 10] > 0.8
    assert colour[0, 2, 12, 44] > 0.5  # the red stroke is nearer, but behind the line


def test_the_confidence_ends_far_away():
    hint, drawing = canvas(512)
    stroke(hint, 0, 0, (1.0, 1.0, 1.0))
    belief = spread_strokes(hint, drawing)[1]
    assert belief[0, 0, 60, 60] > 0
    assert belief[0, 0, 300:, 300:].max() == 0
