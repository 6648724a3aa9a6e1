"""A scatter matrix of a design, with the marginals on its diagonal, as SVG, PNG or a page that needs no network."""

import functools
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from doe_compiler.design.columns import CodedColumn
from doe_compiler.design.design import Design
from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.spec.model import Spec

if TYPE_CHECKING:
    import numpy.typing as npt

FORMS = ("svg", "png", "html")
MOST_VARIABLES = 30
_MOST_DOTS = 20_000
_MOST_BARS = 15
_MOST_SHAPES = 10_000
_LEAST_RATIO = 30
_INK, _SOFT = "#2b4c7e", "#9db4d3"


@dataclass(frozen=True)
class _Axis:
    """A column as a plot shows it: numbers, and the texts that stand at whole numbers where it has levels."""

    label: str
    values: "npt.NDArray[np.float64]"
    ticks: tuple[str, ...] = ()

    @functools.cached_property
    def is_logarithmic(self) -> bool:
        """Whether the values spread evenly over orders of magnitude rather than over their range."""
        low, middle, high = (float(each) for each in np.quantile(self.values, (0, 0.5, 1)))
        if self.ticks or low <= 0 or high / low < _LEAST_RATIO:
            return False
        place = math.log(middle / low) / math.log(high / low)
        return abs(place - 0.5) < abs((middle - low) / (high - low) - 0.5)

    @functools.cached_property
    def few(self) -> "npt.NDArray[np.float64] | None":
        """The distinct numbers, where they are few for the runs."""
        distinct = np.unique(self.values)
        return distinct if len(distinct) <= _MOST_BARS and 2 * len(distinct) <= len(self.values) else None


def scatter_matrix(spec: Spec, design: Design, form: str) -> bytes:
    """The picture of a design's varied columns; raises WrongUsage where it cannot be drawn."""
    axes = _axes(spec, design)
    if not axes:
        raise WrongUsage("nothing varies, so there is nothing to draw")
    if len(axes) > MOST_VARIABLES:
        message = (
            f"{len(axes)} variables are more than {MOST_VARIABLES}, up to which a scatter matrix is readable"
        )
        raise WrongUsage(message, hint="doe design STUDY --columns a,b,c --plot FILE draws some of them")
    figure = _drawn(axes, f"{spec.study}: {design.method}, {design.n:,} runs")
    if form == "html":
        return _page(figure, spec.study)
    return _saved(figure, form)


def _axes(spec: Spec, design: Design) -> list[_Axis]:
    axes = []
    for variable in spec.varied:
        if variable.name not in design.names:
            continue
        column = design.column(variable.name)
        label = f"{variable.name}\n[{variable.unit}]" if variable.unit else variable.name
        numbers = column.numbers()
        if isinstance(column, CodedColumn) and not np.isfinite(numbers).all():
            axes.append(_Axis(label, column.codes.astype(np.float64), column.labels))
        else:
            axes.append(_Axis(label, np.asarray(numbers, dtype=np.float64)))
    return axes


def _drawn(axes: Sequence[_Axis], title: str) -> Any:  # noqa: ANN401 - matplotlib has no types for all that it gives
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        message = "pictures need matplotlib, which is not installed"
        raise WrongUsage(message, hint="pip install 'doe-compiler[plots]'") from error
    count = len(axes)
    side = max(min(2.2, 16.0 / count), 1.0)
    font = max(min(9.0, 4.0 * side + 1.0), 6.5)
    left, right, top, bottom = 1.0, 0.15, 0.55, 0.95
    width, height = side * count + left + right, side * count + top + bottom
    figure = Figure(figsize=(width, height), dpi=120)
    figure.suptitle(title, fontsize=font + 3, y=1.0 - 0.2 / height)
    grid = figure.subplots(count, count, squeeze=False)
    chosen = _few(len(axes[0].values))
    is_heavy = len(chosen) * count * (count - 1) // 2 > _MOST_SHAPES
    for row, vertical in enumerate(axes):
        for column, horizontal in enumerate(axes):
            panel = grid[row][column]
            if column > row:
                panel.set_axis_off()
                continue
            if column == row:
                _histogram(panel, vertical)
            else:
                _dots(panel, horizontal.values[chosen], vertical.values[chosen], side, is_heavy=is_heavy)
                _limits(panel.set_yscale, panel.set_ylim, vertical)
            _limits(panel.set_xscale, panel.set_xlim, horizontal)
            panel.tick_params(labelsize=font - 1.5, length=2, pad=1.5)
            _label(
                panel.xaxis,
                horizontal,
                font,
                is_shown=row == count - 1,
                turn=side < 1.6 or bool(horizontal.ticks),
            )
            if column < row:
                _label(panel.yaxis, vertical, font, is_shown=column == 0, turn=False)
            elif row == 0:
                panel.set_ylabel(vertical.label, fontsize=font)
    figure.subplots_adjust(
        left=left / width,
        right=1.0 - right / width,
        top=1.0 - top / height,
        bottom=bottom / height,
        wspace=0.12,
        hspace=0.12,
    )
    figure.align_labels()
    return figure


def _few(n: int) -> "npt.NDArray[np.int64]":
    """The rows that are drawn: all, or evenly spread ones of very many."""
    return np.arange(n) if n <= _MOST_DOTS else np.linspace(0, n - 1, _MOST_DOTS).astype(np.int64)


def _dots(panel: Any, x: Any, y: Any, side: float, *, is_heavy: bool) -> None:  # noqa: ANN401
    n = len(x)
    size = max(min(14.0 * side, 1500.0 * side / max(n, 1)), 0.4)
    panel.scatter(x, y, s=size, c=_INK, alpha=0.75 if n < 2000 else 0.25, linewidths=0, rasterized=is_heavy)


def _histogram(panel: Any, axis: _Axis) -> None:  # noqa: ANN401
    values = axis.values
    if axis.ticks:
        counts = np.bincount(values.astype(np.int64), minlength=len(axis.ticks))
        panel.bar(np.arange(len(axis.ticks)), counts, width=0.8, color=_SOFT)
    elif axis.few is not None:
        _bars(panel, axis, axis.few)
    else:
        count = min(max(int(np.sqrt(len(values))), 5), 40)
        low, high = float(values.min()), float(values.max())
        if low == high:
            edges = np.asarray([low - 0.5, low + 0.5])
        else:
            edges = (
                np.geomspace(low, high, count + 1)
                if axis.is_logarithmic
                else np.linspace(low, high, count + 1)
            )
        panel.hist(values, bins=edges, color=_SOFT)
    panel.set_yticks([])


def _bars(panel: Any, axis: _Axis, distinct: "npt.NDArray[np.float64]") -> None:  # noqa: ANN401
    counts = [int((axis.values == value).sum()) for value in distinct.tolist()]
    places = np.log(distinct) if axis.is_logarithmic else distinct
    width = 0.8 * _gap(places)
    left, right = places - width / 2, places + width / 2
    if axis.is_logarithmic:
        left, right = np.exp(left), np.exp(right)
    panel.bar(left, counts, width=right - left, align="edge", color=_SOFT)


def _gap(places: "npt.NDArray[np.float64]") -> float:
    return float(np.diff(places).min()) if len(places) > 1 else 1.0


def _limits(set_scale: Any, set_limits: Any, axis: _Axis) -> None:  # noqa: ANN401
    low, high = float(axis.values.min()), float(axis.values.max())
    if axis.is_logarithmic:
        set_scale("log")
        margin = (high / low) ** 0.06 if axis.few is None else math.exp(_gap(np.log(axis.few)) / 2)
        set_limits(low / margin, high * margin)
        return
    margin = 0.5 if axis.ticks else 0.06 * (high - low) if axis.few is None else _gap(axis.few) / 2
    margin = margin or 0.5
    set_limits(low - margin, high + margin)


def _label(which: Any, axis: _Axis, font: float, *, is_shown: bool, turn: bool) -> None:  # noqa: ANN401
    if axis.ticks:
        texts = [tick if len(tick) <= 14 else f"{tick[:13]}…" for tick in axis.ticks]
        which.set_ticks(range(len(texts)), texts if is_shown else [""] * len(texts))
    else:
        from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

        which.set_major_locator(LogLocator(numticks=4) if axis.is_logarithmic else MaxNLocator(3))
        which.set_minor_locator(NullLocator())
    if not is_shown:
        which.set_tick_params(labelleft=False, labelbottom=False)
        return
    which.set_label_text(axis.label, fontsize=font)
    if turn:
        which.set_tick_params(labelrotation=45)


def _saved(figure: Any, form: str) -> bytes:  # noqa: ANN401
    from matplotlib import rc_context

    target = io.BytesIO()
    # The same study gives the same bytes: no date, ids from a fixed salt.
    metadata = {"Date": None} if form == "svg" else {"Software": None}
    with rc_context({"svg.hashsalt": "doe", "svg.fonttype": "none"}):
        figure.savefig(target, format=form, metadata=metadata)
    return target.getvalue()


def _page(figure: Any, title: str) -> bytes:  # noqa: ANN401
    picture = _saved(figure, "svg").decode()
    picture = picture[picture.index("<svg") :]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        "<style>body{margin:1rem;font-family:sans-serif}svg{max-width:100%;height:auto}</style></head>\n"
        f"<body>{picture}</body></html>\n"
    ).encode()
