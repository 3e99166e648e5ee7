"""Webhook: the message as JSON, with the same id at every attempt."""


def test_a_message_is_posted_as_json_and_retried_with_the_same_id(peer, delivered):
    peer.status = 503
    delivered("webhook", f"{peer.url}/hook?key=secret")
    peer.status = 200
    message = delivered("webhook", f"{peer.url}/hook?key=secret")
    assert message.state == "sent"
    assert {path for path, _, _ in peer.requests} == {"/hook?key=secret"}
    bodies = [body for _, _, body in peer.requests]
    assert bodies == 2 * [
        {
            "id": message.pk,
            "type": "news",
            "urgent": False,
            "subject": "The week is yours",
            "text": "From Monday on.",
            "link": "http://127.0.0.1:8000/schedule/",
            "recipient": "engineer-a",
        }
    ]
