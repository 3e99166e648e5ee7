"""A pipeline whose dbt nodes were skipped because something upstream failed is stale, whatever else passes."""

import pytest
from django.utils import timezone

from tests.factories import bearer
from tests.validation.test_sibling_results import run_results
from validation.models import ExternalCheck, MappingRule
from validation.services.external_results import record_file, save_mapping_rule


@pytest.fixture
def pipeline(daily_growth):
    save_mapping_rule(MappingRule(pattern="*", pipeline=daily_growth))
    return daily_growth


def import_dbt(status, *, node, minute=0):
    record_file("dbt", document=run_results(status, node=node, minute=minute), at=timezone.now())


def status(client, pipeline, user):
    return client.get(f"/api/v1/pipelines/{pipeline.slug}/", **bearer(user)).json()["status"]


def test_a_skipped_model_makes_the_pipeline_stale_until_it_is_built(client, pipeline, signed_in, a):
    import_dbt("pass", node="test.shop.unique_orders.k1")
    import_dbt("success", node="model.shop.growth")
    assert status(client, pipeline, a) == "ok"
    import_dbt("skipped", node="model.shop.growth", minute=1)
    assert status(client, pipeline, a) == "stale"
    browser = signed_in(a)
    assert ">stale</span>" in browser.get("/").content.decode()
    assert ">stale</span>" in browser.get(f"/pipelines/{pipeline.slug}/").content.decode()
    check = ExternalCheck.objects.get(key="model.shop.growth")
    assert "something upstream failed" in browser.get(f"/checks/external/{check.pk}/").content.decode()
    [row] = client.get("/api/v1/external-checks/?status=skip", **bearer(a)).json()["results"]
    assert (row["status"], row["stale"]) == ("skip", True)
    import_dbt("success", node="model.shop.growth", minute=2)
    assert status(client, pipeline, a) == "ok"


def test_a_failure_is_worse_than_stale_and_a_node_without_operation_is_not_stale(client, pipeline, a):
    import_dbt("skipped", node="model.shop.growth")
    import_dbt("fail", node="test.shop.unique_orders.k1")
    assert status(client, pipeline, a) == "failing"
    import_dbt("no-op", node="model.shop.growth", minute=1)
    import_dbt("pass", node="test.shop.unique_orders.k1", minute=1)
    assert status(client, pipeline, a) == "ok"
