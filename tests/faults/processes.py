"""Helpers for the processes of the fault tests."""

import ctypes
import signal

import psutil

DIE_WITH_PARENT = 1  # prctl's PR_SET_PDEATHSIG
# Variables that the site's modules use while they are loaded: the database, and times from which they compute others.
LOADED_VARIABLES = ("DATABASE_URL", "MESSAGE_SEND_SECONDS", "MESSAGE_LEASE_SECONDS")


def die_with_parent():
    """Have the system kill this process when its parent ends."""
    ctypes.CDLL("libc.so.6").prctl(DIE_WITH_PARENT, signal.SIGKILL)


class Copy(psutil.Process):
    """A process that another process started, with the part of the interface of subprocess.Popen that tests use."""

    stdout = None

    def poll(self):
        """Return None while the process runs."""
        return None if self.is_running() and self.status() != psutil.STATUS_ZOMBIE else 0
