"""Become another program that cannot outlive the process which started it, even after kill -9 (Linux).

`python -I -S tether.py <parent pid> <signal> <uid> <gid> <command...>`, as `tethered` writes it. A program
of its own because the step must happen between fork and exec, where running Python inside a process with threads
is not safe. The kernel sends the signal when the *thread* that started this process ends.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_LINUX_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def tethered(command: Sequence[str], death_signal: int, account: tuple[int, int] | None = None) -> list[str]:
    """The command line that runs `command` tied to the thread that starts it, as user and group `account`."""
    uid, gid = account or (os.geteuid(), os.getegid())
    launcher = [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(death_signal)), str(uid), str(gid)]
    return [*launcher, *command]


def _prctl(option: int, argument: int, detail: int = 0) -> None:
    if _libc.prctl(option, ctypes.c_ulong(argument), ctypes.c_ulong(detail), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def _become(uid: int, gid: int) -> None:
    """Give up root, keeping only the right to pass through directories: the project may lie in a private one,
    such as root's home, and its permissions are not ours to change.
    """
    header = (ctypes.c_uint32 * 2)(_LINUX_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice, for the lower and upper 32 bits
    _libc.capget(header, sets)
    wanted = next((c for c in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE) if sets[1] >> c & 1), None)
    _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if wanted is not None:
        bit = 1 << wanted
        if _libc.capset(header, (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)) == 0:
            _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, wanted)


def main(arguments: list[str]) -> None:
    """Tie this process to its parent and turn into the command."""
    parent, death_signal, uid, gid = (int(text) for text in arguments[:4])
    command = arguments[4:]
    if uid != os.geteuid():
        _become(uid, gid)
    # After the change of user, which the kernel takes as a reason to forget the wish.
    _prctl(_PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        sys.exit("the process that wanted this has already ended")
    os.umask(0o077)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
