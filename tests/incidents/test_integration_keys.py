"""Integration keys: created once, shown once, revoked, on the page, by the API and in the admin."""

import re

import pytest

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from incidents.models import IntegrationKey
from incidents.services import integration_keys
from incidents.services.integration_keys import create_integration_key, find_integration_key, revoke_integration_key
from tests.factories import bearer

JSON = "application/json"
ADDRESS = "/api/v1/integration-keys/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def path(daily_growth):
    return f"/pipelines/{daily_growth.slug}/integration-keys/"


def test_a_key_is_found_by_its_secret_until_it_is_revoked(daily_growth, admin, a):
    new = create_integration_key(daily_growth, name="Grafana", by=admin)
    assert (len(new.secret), new.secret in repr(vars(new.key))) == (32, False)
    assert find_integration_key(new.secret) == new.key
    with pytest.raises(NotAllowedError):
        revoke_integration_key(new.key, by=a, at=new.key.created_at)
    revoke_integration_key(new.key, by=admin, at=new.key.created_at)
    assert find_integration_key(new.secret) is None


def test_names_are_unique_among_the_active_keys_of_a_pipeline(daily_growth, admin, a, monkeypatch):
    first = create_integration_key(daily_growth, name="Grafana", by=admin)
    with pytest.raises(InvalidInputError):
        create_integration_key(daily_growth, name=" Grafana ", by=admin)
    with pytest.raises(NotAllowedError):
        create_integration_key(daily_growth, name="Other", by=a)
    revoke_integration_key(first.key, by=admin, at=first.key.created_at)
    create_integration_key(daily_growth, name="Grafana", by=admin)
    monkeypatch.setattr(integration_keys, "MAX_KEYS_PER_PIPELINE", 1)
    with pytest.raises(DomainError, match="Revoke one first"):
        create_integration_key(daily_growth, name="Other", by=admin)


def test_the_page_shows_the_secret_once(signed_in, path, admin, a):
    assert signed_in(a).get(path).status_code == 403
    client = signed_in(admin)
    assert client.post(path, {"name": ""}).status_code == 400
    assert client.post(path, {"name": "Grafana"}).status_code == 302
    first, second = (client.get(path).content.decode() for _ in range(2))
    [secret] = re.findall(r'id="secret" class="secret">([0-9a-f]{32})<', first)
    assert secret not in second
    assert client.post(path, {"name": "Grafana"}).status_code == 400
    key = find_integration_key(secret)
    assert client.post(f"{path}{key.pk}/revoke/").status_code == 302
    assert find_integration_key(secret) is None


def test_the_api_returns_the_key_once(client, daily_growth, admin, a):
    body = {"pipeline": daily_growth.slug, "name": "Grafana"}
    assert client.post(ADDRESS, body, content_type=JSON, **bearer(a)).status_code == 403
    headers = bearer(admin)
    row = client.post(ADDRESS, body, content_type=JSON, **headers).json()
    assert find_integration_key(row["routing_key"]).pk == row["id"]
    [listed] = client.get(ADDRESS, **headers).json()["results"]
    assert listed == {name: value for name, value in row.items() if name != "routing_key"}
    assert client.delete(f"{ADDRESS}{row['id']}/", **headers).status_code == 204
    assert client.get(ADDRESS, **headers).json()["count"] == 0


def test_an_admin_revokes_keys_in_the_admin(signed_in, daily_growth, admin):
    new = create_integration_key(daily_growth, name="Grafana", by=admin)
    client = signed_in(admin)
    page = client.get(f"/admin/incidents/integrationkey/{new.key.pk}/change/").content.decode()
    assert new.key.digest not in page
    client.post("/admin/incidents/integrationkey/", {"action": "revoke", "_selected_action": new.key.pk})
    assert not IntegrationKey.objects.active().exists()
