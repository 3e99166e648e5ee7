"""Microsoft Teams: an Adaptive Card to a person's workflow."""


def test_a_message_is_a_card_with_a_button(peer, delivered):
    message = delivered("teams", f"{peer.url}/workflows/1?sig=x")
    [(path, _, body)] = peer.requests
    assert (path, message.state) == ("/workflows/1?sig=x", "sent")
    [attachment] = body["attachments"]
    card = attachment["content"]
    title, text = card["body"]
    assert title["items"][0]["inlines"][0]["text"] == "The week is yours"
    assert text["inlines"][0]["text"] == "From Monday on."
    link = {"type": "Action.OpenUrl", "title": "Open on-call site", "url": "http://127.0.0.1:8000/schedule/"}
    assert card["actions"] == [link]
