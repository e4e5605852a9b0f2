"""Turns itself into a command that the kernel kills when the process that started it dies, even by SIGKILL.

Run as a script: `tether.py PARENT_PID COMMAND ARGUMENT...`. Standard library only. Only Linux has such a tether; elsewhere
the command runs without it.
"""

from __future__ import annotations

import os
import signal
import sys

# <sys/prctl.h>; https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
PR_SET_PDEATHSIG = 1


def tether(parent: int) -> None:
    """Ask the kernel for SIGKILL when the thread that started this process ends."""
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above: no signal will come
        sys.exit(1)


if __name__ == "__main__":
    tether(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the command is ours, no shell wanted
