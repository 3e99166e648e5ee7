"""Alertmanager's webhook, version 4."""

import datetime as dt

import pytest

from tests.validation.samples import sample
from validation.importers.alertmanager import read, read_alerts
from validation.importers.results import ResultStatus, UnreadableFileError


def test_alerts_are_firing_or_resolved_and_identified_by_fingerprint():
    firing, resolved = read_alerts(sample("alertmanager"))
    assert (firing.fingerprint, firing.firing, firing.resolved) == ("c0ffee0000000001", True, False)
    assert (resolved.fingerprint, resolved.firing, resolved.resolved) == ("c0ffee0000000002", False, True)
    assert firing.name == "LateOrders"
    assert firing.summary == "No orders for 3 hours"
    assert firing.runbook_url == "http://site.example/runbooks/x/"
    assert firing.labels["pipeline"] == "unit-level-profit"


def test_instants_are_in_utc_and_go_s_zero_time_is_none():
    firing, resolved = read_alerts(sample("alertmanager"))
    assert firing.starts_at == dt.datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=dt.UTC)
    assert firing.ends_at is None
    assert resolved.ends_at == dt.datetime(2026, 3, 2, 7, 30, tzinfo=dt.UTC)


def test_a_firing_warning_warns_and_anything_else_that_fires_fails():
    document = sample("alertmanager")
    document["alerts"][1]["status"] = "Firing"
    assert [alert.status for alert in read_alerts(document)] == [ResultStatus.FAIL, ResultStatus.WARN]


def test_an_alert_without_a_fingerprint_is_identified_by_its_labels():
    document = sample("alertmanager")
    for alert in document["alerts"]:
        del alert["fingerprint"]
    first, second = read_alerts(document)
    assert first.fingerprint != second.fingerprint
    assert first.fingerprint == read_alerts(document)[0].fingerprint


def test_a_status_of_another_word_is_unknown_and_named():
    document = sample("alertmanager")
    document["alerts"][0]["status"] = "pending"
    alert = read_alerts(document)[0]
    assert (alert.status, alert.firing, alert.resolved) == (ResultStatus.UNKNOWN, False, False)
    assert "pending" in alert.description


def test_every_alert_is_a_result_too():
    first, second = read(sample("alertmanager"))
    assert (first.tool, first.key, first.status) == ("alertmanager", "c0ffee0000000001", ResultStatus.FAIL)
    assert first.message == "No orders for 3 hours\nThe newest row is of 06:00."
    assert (second.status, second.at) == (ResultStatus.PASS, dt.datetime(2026, 3, 2, 7, 30, tzinfo=dt.UTC))


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ([], "the webhook is not an object"),
        ({"version": "3", "alerts": []}, "webhook version 3 is not 4"),
        ({"alerts": []}, r"webhook version \(none\) is not 4"),
        ({"version": "4"}, "alerts is not a list"),
        ({"version": "4", "alerts": [{}, 3]}, r"alerts\[1\] is not an object"),
    ],
)
def test_what_is_not_a_webhook_is_refused_in_one_sentence(document, why):
    with pytest.raises(UnreadableFileError, match=why):
        read_alerts(document)


@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_an_alert_with_too_many_labels_or_annotations_is_refused_with_its_place(field):
    document = sample("alertmanager")
    document["alerts"][1][field] = {f"name{number}": "x" for number in range(101)}
    with pytest.raises(UnreadableFileError) as refused:
        read_alerts(document)
    assert str(refused.value) == f"alertmanager: alerts[1].{field} has more than 100 entries"
