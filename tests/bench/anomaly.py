"""Prints recall, precision and false alarms a year of the anomaly check: python -m tests.bench.anomaly [FOLDER of CSVs]."""

import argparse
from pathlib import Path

import holidays

from tests.validation import anomaly_harness as harness


def series_of(folder, country):
    """The name, days, values, kind and calendar of every CSV with date and value; the made series without a folder."""
    if folder is None:
        for name in harness.MADE:
            yield name, *harness.made_series(name, days=1095)
        return
    for path in sorted(folder.glob("*.csv")):
        if "value" not in path.read_text(encoding="utf-8").partition("\n")[0].split(","):
            continue
        days, values = harness.read_series(path)
        years = range(days[0].year - 1, days[-1].year + 2)
        calendar = dict(holidays.country_holidays(country, years=years)) if country else {}
        yield path.stem, days, values, "ratio" if values.min() >= 0 and values.max() <= 1 else "count", calendar


def line(name, score):
    return f"| {name} | {score.years:.0f} | {score.recall:.2f} | {score.precision:.2f} | {score.false_a_year:.1f} | {score.false_days / max(score.years, 1e-9):.1f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="the made series without it")
    parser.add_argument("--country", default="US", help="whose public holidays; empty for none")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=2000)
    options = parser.parse_args()
    found = list(series_of(options.folder, options.country))
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    for method in (harness.week_over_week, harness.weekday_median, harness.own_check):
        total = harness.Score()
        print(
            f"\n{method.__name__}\n\n| series | years | recall | precision | false alarms a year | days of them |\n|---|---|---|---|---|---|"
        )
        for name, days, values, kind, calendar in found:
            own = harness.Score()
            for seed in seeds:
                own.add(harness.scored_series(days, values, kind=kind, calendar=calendar, seed=seed, method=method))
            print(line(name, own), flush=True)
            total.add(own)
        print(line("**all**", total))
    print("\n| incident | recall |\n|---|---|")
    for kind in harness.KINDS:
        caught, of = total.kinds.get(kind, (0, 0))
        print(f"| {kind} | {caught / max(of, 1):.2f} |")


if __name__ == "__main__":
    main()
