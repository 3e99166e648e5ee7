"""A mail server in its own process: it records what it accepted, and delays, refuses, hangs or drips on request.

It writes its port into the file `sink.port` of its folder. It reads `rules.json` at every mail: `refused`, a list of
Message-IDs (550); `busy` (451), `hung` and `dripping`, shares from 0 to 1; and `delay` in seconds.
"""

import asyncio
import contextlib
import email
import email.policy
import json
import random
import time

from aiosmtpd.smtp import SMTP

DRIP_SECONDS = 0.3


class Sink:
    """Answers mails by the current rules."""

    def __init__(self, folder):
        self.rules = folder / "rules.json"
        self.log = (folder / "accepted.jsonl").open("a")
        self.holds = (folder / "held.jsonl").open("a")
        self.dice = random.Random(0)

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  # aiosmtpd looks for this name
        """Answer a mail; what is answered 250 is written down before."""
        rules = json.loads(self.rules.read_text())
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        name = message["Message-ID"]
        await asyncio.sleep(rules.get("delay", 0))
        if name in rules.get("refused", ()):
            return "550 5.1.1 No such person here"
        dice = self.dice.random()
        for share, answer in (
            (rules.get("busy", 0), self.busy),
            (rules.get("hung", 0), self.hang),
            (rules.get("dripping", 0), self.drip),
        ):
            if dice < share:
                return await answer(server)
            dice -= share
        self.write(
            self.log, id=name, to=envelope.rcpt_tos, at=time.time(), subject=message["Subject"], text=text_of(message)
        )
        return "250 OK"

    async def busy(self, server):
        return "451 4.3.2 Come back later"

    async def hang(self, server):
        """Say nothing until the other side goes away."""
        return await self.hold(server, "hung", lambda: None)

    async def drip(self, server):
        """Say a letter of an answer now and then, until the other side goes away."""
        return await self.hold(server, "dripping", lambda: server.transport.write(b"2"))

    async def hold(self, server, kind, speak):
        began = time.monotonic()
        try:
            while True:
                with contextlib.suppress(OSError):
                    speak()
                await asyncio.sleep(DRIP_SECONDS)
        finally:
            # aiosmtpd cancels what it does when the other side goes away.
            self.write(self.holds, kind=kind, seconds=time.monotonic() - began)

    def write(self, file, **row):
        file.write(json.dumps(row) + "\n")
        file.flush()


def text_of(message):
    """Return the words of a mail's plain part."""
    part = message.get_body(("plain",))
    return part.get_content() if part else ""


def main(folder):
    """Run the mail server until the process is stopped."""
    asyncio.run(serve(folder))


async def serve(folder):
    loop = asyncio.get_running_loop()
    sink = Sink(folder)
    server = await loop.create_server(lambda: SMTP(sink, hostname="sink.example", timeout=600), "127.0.0.1", 0)
    unfinished = folder / "sink.port.part"
    unfinished.write_text(str(server.sockets[0].getsockname()[1]))
    unfinished.rename(folder / "sink.port")
    await server.serve_forever()
