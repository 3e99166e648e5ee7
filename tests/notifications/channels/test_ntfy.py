"""ntfy: a JSON publish to the server's root, as https://docs.ntfy.sh/publish/#publish-as-json describes."""


def test_a_message_is_published_to_the_topic_with_a_link(peer, delivered):
    message = delivered("ntfy", f"{peer.url}/my-topic")
    [(path, headers, body)] = peer.requests
    assert (path, headers["Content-Type"]) == ("/", "application/json")
    assert body == {
        "topic": "my-topic",
        "title": "The week is yours",
        "message": "From Monday on.",
        "priority": 3,
        "click": "http://127.0.0.1:8000/schedule/",
    }
    assert message.state == "sent"
