"""Several systems doing the same, one line each: rate and latency, and how many times the first one's rate."""
import json

from .table import short


class Comparison:
    def __init__(self, title, conditions):
        self.title, self.conditions = title, conditions
        self.rows = []
        print(f"\n{title}\n{conditions}\n{'':26}{'system':34}{'a second':>12}{'p50 ms':>10}{'p99 ms':>10}{'ours is':>10}  note",
              flush=True)

    def measured(self, what, loads, notes=None):
        """`loads` by system, ours first."""
        first = next(iter(loads.values()))
        for system, load in loads.items():
            ratio = first.rate / load.rate
            note = (notes or {}).get(system, "")
            self.rows.append(dict(what=what, system=system, rate=load.rate, p50_ms=load.p50, p99_ms=load.p99, ratio=ratio, note=note))
            print(f"{what:26}{system:34}{short(load.rate):>12}{load.p50:>10.3f}{load.p99:>10.3f}"
                  f"{'' if load is first else format(ratio, '.2f') + ' ×':>10}  {note}", flush=True)
            what = ""

    def say(self, text):
        print(f"  {text}", flush=True)

    def as_json(self):
        return dict(title=self.title, conditions=self.conditions, rows=self.rows)


def write_json(comparisons, path):
    with open(path, "w") as file:
        json.dump([comparison.as_json() for comparison in comparisons], file, indent=1, ensure_ascii=False)
