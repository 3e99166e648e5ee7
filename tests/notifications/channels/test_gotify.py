"""Gotify: messages to an application (https://gotify.net/docs/pushmsg) on hosts that an admin allows."""

import ipaddress

import pytest

from common.exceptions import InvalidInputError
from notifications.channels.http import http_rules
from notifications.models import ContactMethod, PrivateHost
from notifications.services.contact_methods import set_contact_method

URL = "https://gotify.example.org/message?token=A.b-1"


def test_a_message_goes_to_the_application_with_the_token_in_a_header(peer, delivered):
    message = delivered("gotify", f"{peer.url}/gotify/message?token=A.b-1")
    [(path, headers, body)] = peer.requests
    assert (path, headers["X-Gotify-Key"]) == ("/gotify/message", "A.b-1")
    assert body == {
        "title": "The week is yours",
        "message": "From Monday on.",
        "priority": 5,
        "extras": {"client::notification": {"click": {"url": "http://127.0.0.1:8000/schedule/"}}},
    }
    assert message.state == "sent"


@pytest.mark.parametrize("status", [401, 404])
def test_a_deleted_application_is_turned_off(peer, delivered, status):
    peer.status = status
    assert delivered("gotify", f"{peer.url}/message?token=A").state == "failed"
    row = ContactMethod.objects.get()
    assert row.switched_off_at is not None
    assert row.problem == f"127.0.0.1 returned status {status}."


def test_an_admin_allows_the_host(a):
    with pytest.raises(InvalidInputError) as error:
        set_contact_method(a, channel="gotify", address=URL, by=a)
    assert error.value.problems == {"address": ["Ask an admin to allow the host gotify.example.org."]}
    PrivateHost.objects.create(host="gotify.example.org")
    assert set_contact_method(a, channel="gotify", address=URL, by=a).shown_as == "gotify.example.org"


@pytest.mark.parametrize("address", ["https://gotify.example.org/message", "https://gotify.example.org/?token=a%20b"])
def test_an_address_without_a_token_is_rejected(a, address):
    PrivateHost.objects.create(host="gotify.example.org")
    with pytest.raises(InvalidInputError) as error:
        set_contact_method(a, channel="gotify", address=address, by=a)
    assert error.value.problems["address"][0].startswith("Enter the URL of your application with its token")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://gotify.example.org/message", True),
        ("https://GOTIFY.example.org:8443/message", True),
        ("https://gotify.example.org:9000/message", False),
        ("https://other.example.org:9000/message", True),
        ("https://other.example.org/message", False),
    ],
)
def test_an_allowed_host_may_be_private_on_the_ports_that_are_allowed(db, url, allowed):
    PrivateHost.objects.create(host="gotify.example.org")
    PrivateHost.objects.create(host="other.example.org", port=9000)
    private = ipaddress.ip_address("10.1.2.3")
    assert http_rules(url).permitted(private) is allowed


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "169.254.169.254",
        "fe80::1",
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "::ffff:127.0.0.1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "192.0.0.192",
        "100.100.100.200",
        "2001:0:1::1",
        "64:ff9b::a00:1",
    ],
)
def test_an_allowed_host_cannot_lead_to_this_machine_or_metadata_services(db, address):
    PrivateHost.objects.create(host="gotify.example.org")
    assert not http_rules(URL).permitted(ipaddress.ip_address(address))


def test_an_admin_adds_a_host_on_the_admins_page(signed_in, admin):
    client, path = signed_in(admin), "/admin/notifications/privatehost/add/"
    assert "Enter the host in lower case." in client.post(path, {"host": "Gotify.example.org"}).content.decode()
    client.post(path, {"host": "gotify.example.org"})
    assert "This host is already on the list." in client.post(path, {"host": "gotify.example.org"}).content.decode()
    assert [str(row) for row in PrivateHost.objects.all()] == ["gotify.example.org"]
