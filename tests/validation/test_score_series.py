"""`score_series` reads date,value and prints a score for each day; errors name the line."""

import datetime as dt
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.validation.domain.test_anomaly import scaled, steady


@pytest.fixture
def scores(tmp_path, capsys):
    def run(text, **options):
        path = tmp_path / "series.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        call_command("score_series", str(path), **options)
        return json.loads(capsys.readouterr().out)

    return run


def csv_text(points):
    return "date,value\n" + "".join(f"{day},{value}\n" for day, value in points)


def test_every_day_gets_a_score(scores):
    points = scaled(steady(), 0.5, [100])
    answer = scores(csv_text(points))
    assert list(answer) == [day.isoformat() for day, _ in points]
    assert set(answer.values()) <= {0, 1}
    assert answer[points[100][0].isoformat()] == 1
    assert sum(answer.values()) <= 3


def test_the_first_56_days_raise_no_alert(scores):
    points = scaled(steady(), 0.0, [50])
    assert scores(csv_text(points))[points[50][0].isoformat()] == 0


def test_later_lines_do_not_change_earlier_scores(scores):
    points = scaled(steady(), 0.5, [80])
    changed = scaled(points, 3.0, range(100, 120))
    before, after = scores(csv_text(points)), scores(csv_text(changed))
    assert list(before.values())[:100] == list(after.values())[:100]


def test_a_day_without_a_value_raises_no_alert(scores):
    lines = csv_text(steady()).splitlines()
    lines[91] = lines[91].split(",")[0] + ","
    answer = scores("\n".join(lines))
    assert list(answer.values())[90] == 0
    assert len(answer) == 120


def test_byte_order_mark_extra_columns_and_windows_line_endings_are_accepted(scores):
    text = "\ufeff" + "".join(f"x,{line}\r\n" for line in csv_text(steady(60)).splitlines()).replace(
        "x,date", "note,date"
    )
    assert len(scores(text)) == 60


def test_a_calendar_makes_public_holidays_expected(scores):
    points = [(day, value * (0.5 if (day.month, day.day) in ((5, 26), (6, 19)) else 1)) for day, value in steady(170)]
    plain, informed = scores(csv_text(points)), scores(csv_text(points), calendar="US")
    assert plain["2025-05-26"] == 1
    assert informed["2025-06-19"] <= plain["2025-06-19"]
    assert sum(informed.values()) < sum(plain.values())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: missing column date and value"),
        ("date,count\n2025-01-01,3\n", "line 1: missing column value"),
        ("date,value\n", "line 2: no rows"),
        ("date,value\n2025-01-01,1\n2025-13-01,1\n", "line 3: “2025-13-01” is not a date"),
        ("date,value\n2025-01-01,many\n", "line 2: “many” is not a number"),
        ("date,value\n2025-01-01,nan\n", "line 2: “nan” is not a finite number"),
        ("date,value\n2025-01-01,1e999\n", "line 2: “1e999” is not a finite number"),
        ("date,value\n2025-01-01\n", "line 2: missing value"),
        ("date,value\n2025-01-01,1\n2025-01-01,2\n", "line 3: 2025-01-01 occurs twice"),
        ("date,value\n2025-01-02,1\n2025-01-01,2\n", "line 3: 2025-01-01 is after 2025-01-02"),
        (b"date,value\n\xff\xfe,1\n", "cannot read the file"),
    ],
)
def test_errors_name_the_line(scores, text, says):
    with pytest.raises(CommandError, match=says):
        scores(text)


def test_the_calendar_may_name_a_subdivision(scores):
    # The Melbourne Cup, a public holiday in Victoria only.
    cups = [dt.date(year, 11, day) for year, day in ((2023, 7), (2024, 5), (2025, 4))]
    days = [dt.date(2023, 6, 1) + dt.timedelta(days=n) for n in range(900)]
    rng = np.random.default_rng(5)
    points = [(day, round(10_000 * (0.8 if day in cups else 1) * (1 + 0.02 * rng.standard_normal()))) for day in days]
    country, state = (scores(csv_text(points), calendar=calendar) for calendar in ("AU", "AU-VIC"))
    # Its effect is known from the second on.
    assert [answer[cups[1].isoformat()] for answer in (country, state)] == [1, 0]


def test_an_unknown_country_a_missing_file_and_a_low_budget_are_refused(scores, tmp_path):
    for calendar in ("XX", "AU-XX"):
        with pytest.raises(CommandError, match=f"Unknown calendar “{calendar}”"):
            scores(csv_text(steady(60)), calendar=calendar)
    with pytest.raises(CommandError, match="cannot read the file"):
        call_command("score_series", str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="between"):
        scores(csv_text(steady(60)), budget=0.0)


def test_a_companion_column_explains_values(scores):
    rng = np.random.default_rng(6)
    rain = np.where(rng.random(400) < 0.3, rng.gamma(2.0, 2.0, 400), 0.0).round(1)
    days = [
        (day, round(value * (1 - 0.06 * min(wet, 10)))) for (day, value), wet in zip(steady(400), rain, strict=True)
    ]
    rows = [f"{day},{value},{wet}" for (day, value), wet in zip(days, rain, strict=True)]
    rows[200] = rows[200].rpartition(",")[0] + ","  # no rain gauge that day
    text = "date,value,rain\n" + "\n".join(rows)
    plain, informed = scores(text), scores(text, companion="rain")
    wettest = [days[n][0].isoformat() for n in range(200, 400) if rain[n] > 5]
    assert sum(informed[day] for day in wettest) <= sum(plain[day] for day in wettest)
    assert informed != plain


def test_the_error_names_a_missing_companion_column(scores):
    with pytest.raises(CommandError, match="line 1: missing column rain"):
        scores(csv_text(steady(60)), companion="rain")
