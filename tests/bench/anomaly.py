"""Prints recall, precision and false alarms a year of the anomaly check: python -m tests.bench.anomaly [FOLDER of CSVs]."""

import argparse
from pathlib import Path

import holidays
import numpy as np

from tests.bench.anomaly_series import development_series, held_out_series
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


# The series of each set. One constant was chosen on the second set; none may be chosen on the third.
SETS = {
    "development": (development_series, range(28)),
    "validation": (held_out_series, range(32)),
    "held-out": (held_out_series, range(100, 132)),
}


def made_set(name, country):
    """Yield the name, days, values, kind and calendar of each series of a set."""
    make, numbers = SETS[name]
    for number in numbers:
        yield f"{name} {number}", *make(number)


def alert_days_a_year(found):
    """Return, for the series as they are: alert days a year, in days 57 to 90, and the most in any 365 days."""
    rates, first, most = [], [], 0
    for _, days, values, kind, calendar in found:
        flags = harness.own_check(list(zip(days, values.tolist(), strict=True)), kind=kind, calendar=calendar)
        years = (len(flags) - harness.WARM_UP) / 365.25
        rates.append(flags.sum() / years)
        first.append(flags[harness.WARM_UP : 91].sum() / 35 * 365.25)
        sums = np.concatenate([[0], np.cumsum(flags)])
        most = max(most, *(sums[min(len(flags), at + 365)] - sums[at] for at in range(len(flags))))
    return np.mean(rates), np.mean(first), most


def line(name, score):
    return f"| {name} | {score.years:.0f} | {score.recall:.2f} | {score.precision:.2f} | {score.false_a_year:.1f} | {score.false_days / max(score.years, 1e-9):.1f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="the made series without it")
    parser.add_argument("--set", choices=list(SETS), help="score a set of made series, with smaller incidents")
    parser.add_argument("--country", default="US", help="whose public holidays; empty for none")
    parser.add_argument("--smaller", action="store_true", help="smaller incidents, as for a set")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=2000)
    options = parser.parse_args()
    read = made_set if options.set else series_of
    found = list(read(options.set or options.folder, options.country))
    kinds = harness.SMALLER_KINDS if options.set or options.smaller else harness.KINDS
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    for method in (harness.week_over_week, harness.weekday_median, harness.own_check):
        total = harness.Score()
        print(
            f"\n{method.__name__}\n\n| series | years | recall | precision | false alarms a year | days of them |\n|---|---|---|---|---|---|"
        )
        for name, days, values, kind, calendar in found:
            own = harness.Score()
            for seed in seeds:
                own.add(
                    harness.scored_series(
                        days, values, kind=kind, calendar=calendar, seed=seed, method=method, kinds=kinds
                    )
                )
            print(line(name, own), flush=True)
            total.add(own)
        print(line("**all**", total))
    print("\n| incident | recall |\n|---|---|")
    for kind in kinds:
        caught, of = total.kinds.get(kind, (0, 0))
        print(f"| {kind} | {caught / max(of, 1):.2f} |")
    usual, first, most = alert_days_a_year(found)
    print(
        f"\nAs they are: {usual:.1f} alert days a year, {first:.1f} in days 57 to 90, at most {most} in any 365 days."
    )


if __name__ == "__main__":
    main()
