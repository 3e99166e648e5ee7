"""Slack: the JSON of an incoming webhook."""


def test_a_message_is_posted_with_its_markup_escaped(peer, delivered):
    delivered("slack", f"{peer.url}/services/T0/B0/secret", text="a < b & c > <!channel>")
    [(path, _, body)] = peer.requests
    assert path == "/services/T0/B0/secret"
    assert body == {
        "text": "*The week is yours*\n\na &lt; b &amp; c &gt; &lt;!channel&gt;\n\n<http://127.0.0.1:8000/schedule/|Open>"
    }
