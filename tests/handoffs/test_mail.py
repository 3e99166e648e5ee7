"""An invitation as the mail that leaves the site: its parts in the order that mail programs expect (RFC 6047)."""

import email
import email.policy

from handoffs.models import Handoff, HandoffNote
from notifications.channels.email.mail import build_mail
from notifications.models import Message
from notifications.registry import load
from tests.handoffs.conftest import NOW
from tests.handoffs.libical import complaints
from tests.handoffs.reading import read


def test_an_invitation_s_mail_ends_with_the_calendar_and_names_its_sender_as_organizer(handoffs, a):
    a.email = "a@example.com"
    a.save()
    row = Message.objects.get(type="handoff-invitation", recipient=a, context__handoff_id=handoffs[0].pk)
    sent = (
        build_mail(Message.objects.select_related("recipient").get(pk=row.pk), at=NOW)
        .message()
        .as_bytes(linesep="\r\n")
    )
    mail = email.message_from_bytes(sent, policy=email.policy.SMTP)
    assert mail.get_content_type() == "multipart/alternative"
    parts = list(mail.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html", "text/calendar"]
    assert dict(parts[2]["Content-Type"].params) == {"method": "REQUEST", "charset": "utf-8"}
    calendar = parts[2].get_payload(decode=True).decode().replace("\r\n", "\n").replace("\n", "\r\n")
    assert complaints(calendar) == []
    _, [event] = read(calendar)
    [sender] = mail["From"].addresses
    assert event["ORGANIZER"] == f"mailto:{sender.addr_spec}"
    assert event["UID"] == Handoff.objects.get(pk=handoffs[0].pk).uid
    assert f"/handoffs/{handoffs[0].pk}/" in parts[0].get_content()


def test_an_invitation_and_a_reminder_are_sent_with_the_sheet(handoffs, a):
    """Reading the sheet takes no click. Lists of messages show the text without it."""
    HandoffNote.objects.create(
        handoff=handoffs[0], title="Pending action items.", text="Ask for a larger disk.", edited_by=a, edited_at=NOW
    )
    for kind in ("handoff-invitation", "handoff-reminder"):
        row = Message.objects.filter(type=kind, recipient=a, context__handoff_id=handoffs[0].pk).first()
        sent = load(row.type, row.context).delivery_body(a)
        assert sent.startswith(row.text)
        assert "Pending action items:" in sent
        assert "Ask for a larger disk." in sent
        assert "Ask for a larger disk." not in row.text
