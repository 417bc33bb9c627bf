"""Growth as pictures: throughput and p99 side by side, both axes logarithmic."""
import math
import os

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

MARKS = "os^D"


def whole_decades(values):
    """A smaller range would make noise look like a slope."""
    return 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values)) + 1e-9)


def plot(points, title, axis, throughput, path):
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), dpi=80)
    for number, curve in enumerate(dict.fromkeys(point["curve"] for point in points)):
        own = [point for point in points if point["curve"] == curve]
        places = [point["x"] for point in own]
        for panel, field in ((left, "rate"), (right, "p99_ms")):
            panel.plot(places, [point[field] for point in own], marker=MARKS[number % len(MARKS)], markersize=4, label=curve)
    for panel, label, field in ((left, throughput, "rate"), (right, "p99, milliseconds", "p99_ms")):
        panel.set(xscale="log", yscale="log", xlabel=axis, ylabel=label, ylim=whole_decades([point[field] for point in points]))
        panel.grid(True, which="major", alpha=0.4)
        panel.grid(True, which="minor", alpha=0.12)
    left.legend(fontsize=8)
    figure.suptitle(f"Pyralog, by {title}")
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
    return os.path.getsize(path)
