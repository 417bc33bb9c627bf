"""One readable table of figures, which can be written as JSON too."""
import json

WIDTHS = (47, 26, 31, 8, 19, 6)


def short(value):
    """Four digits and a prefix."""
    if value is None:
        return "—"
    for limit, prefix in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if abs(value) >= limit:
            return f"{value / limit * (10 if limit == 1e4 else 1):.4g}{prefix}"
    return f"{value:.4g}"


class Table:
    def __init__(self):
        self.rows = []

    def heading(self, title):
        print(f"\n{title}", flush=True)
        self.line("figure", "value", "beside it, in this run", "ratio", "bar", "", "conditions")

    def row(self, name, figure, unit, conditions, peer="", peer_figure=None, ratio=None, bar="", met=None):
        """`peer` is what was measured in the same run; the ratio is of this figure to the peer's unless it is given."""
        if ratio is None and peer_figure:
            ratio = figure / peer_figure
        self.rows.append(dict(name=name, figure=figure, unit=unit, peer=peer, peer_figure=peer_figure, ratio=ratio, bar=bar,
                              met=met, conditions=conditions))
        beside = peer if peer_figure is None else f"{peer} {short(peer_figure)}"
        self.line(name, f"{short(figure)} {unit}", beside, "" if ratio is None else f"{ratio:.2f} ×", bar,
                  "" if met is None else "met" if met else "MISSED", conditions)

    def line(self, *cells):
        print(" ".join(f"{cell:{width}}" for cell, width in zip(cells, WIDTHS)) + " " + cells[-1], flush=True)

    def close(self, path=None):
        missed = [row["name"].strip() for row in self.rows if row["met"] is False]
        judged = sum(1 for row in self.rows if row["met"] is not None)
        print(f"\n{judged - len(missed)} of {judged} bars met" + (f"; missed: {'; '.join(missed)}" if missed else ""))
        if path:
            with open(path, "w") as file:
                json.dump(self.rows, file, indent=1, ensure_ascii=False)
