"""Runs a custom scorer where it can do no harm. It is a program of its own, that imports nothing but the standard
library, and becomes the scorer's process: limits first, then the scorer's code.

    python -I jail.py '{"module": "mine", "function": "score", ...}'

It reads samples as JSON lines and answers each with a line. Linux only; what each step is for is said beside it.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import importlib
import inspect
import json
import os
import platform
import resource
import shutil
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

NOBODY = 65534
NEW_USER, NEW_PID, NEW_NET, NEW_IPC = 0x10000000, 0x20000000, 0x40000000, 0x08000000
SET_DEATH_SIGNAL, SET_DUMPABLE, SET_KEEP_CAPABILITIES, SET_SECCOMP = 1, 4, 8, 22
SET_SUBREAPER, SET_NO_NEW_PRIVILEGES = 36, 38
CAPABILITIES_VERSION, MAY_READ_AND_SEARCH = 0x20080522, 1 << 2

# Landlock, whose numbers are the same on every architecture.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 14
RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All that a version of Landlock can forbid in the file system; versions beyond forbid what the last one does."""
ON_A_FILE = 1 << 0 | WRITE_FILE | READ_FILE | TRUNCATE | 1 << 15

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
FORBIDDEN: dict[str, dict[str, int]] = {
    "x86_64": {
        "socket": 41,
        "ptrace": 101,
        "mount": 165,
        "add_key": 248,
        "request_key": 249,
        "keyctl": 250,
        "unshare": 272,
        "perf_event_open": 298,
        "open_by_handle_at": 304,
        "setns": 308,
        "process_vm_readv": 310,
        "process_vm_writev": 311,
        "bpf": 321,
        "userfaultfd": 323,
        "io_uring_setup": 425,
        "pidfd_getfd": 438,
    },
    "aarch64": {
        "socket": 198,
        "ptrace": 117,
        "mount": 40,
        "add_key": 217,
        "request_key": 218,
        "keyctl": 219,
        "unshare": 97,
        "perf_event_open": 241,
        "open_by_handle_at": 265,
        "setns": 268,
        "process_vm_readv": 270,
        "process_vm_writev": 271,
        "bpf": 280,
        "userfaultfd": 282,
        "io_uring_setup": 425,
        "pidfd_getfd": 438,
    },
}
"""System calls that a scorer has no use for: those that reach the network, other processes, or the kernel's keys."""
X32 = 0x40000000
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000

LIMITS = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.EFBIG, errno.ENOSPC}
MESSAGE_MOST = 2000


def landlock() -> int:
    """The version that the kernel has; 0 where it has none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_libc().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), 1)))


def confined() -> bool:
    """Whether this machine can keep a scorer from files and from the network."""
    return landlock() > 0 and platform.machine() in FORBIDDEN


def main(config: dict[str, Any]) -> int:
    _checked(_libc().prctl(SET_SUBREAPER, 1, 0, 0, 0))
    dropped = os.geteuid() == 0 and not config["trusted"]
    if dropped:
        # While it still may: namespaces need no user namespace then, which some systems forbid.
        apart = _unshared(NEW_NET | NEW_PID | NEW_IPC)
        _become_nobody()
    else:
        apart = _unshared_as_user()
    # It hears of it, and puts away what would be left.
    _die_with_parent(signal.SIGTERM)
    first = _fork()
    if first:
        return _kept(first, config["work"])
    _die_with_parent()
    if apart:
        # The first process of a namespace ignores signals such as SIGXCPU; let that be one that only waits. When it
        # ends, everything in the namespace does.
        second = _fork()
        if second:
            return _waited(second)
        _die_with_parent()
    _limit(config, own=apart)
    if not config["trusted"] or confined():
        _checked(_libc().prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        _restrict(config["readable"], config["work"])
        _filter()
    _serve(config)
    return 0


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def _become_nobody() -> None:
    """Of root's privileges keep one: to read, for Python may be installed where only root reads. What may be read at
    all Landlock says."""
    _checked(_libc().prctl(SET_KEEP_CAPABILITIES, 1, 0, 0, 0))
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    if not _kept_only(MAY_READ_AND_SEARCH):
        # In a container root has it not, and there Python is where everybody may read it.
        _checked(0 if _kept_only(0) else -1)
    # Without it, what this process has under /proc belongs to root for having had its privileges.
    _checked(_libc().prctl(SET_DUMPABLE, 1, 0, 0, 0))


def _kept_only(privileges: int) -> bool:
    sets = struct.pack("=6I", privileges, privileges, 0, 0, 0, 0)
    return int(_libc().capset(struct.pack("=Ii", CAPABILITIES_VERSION, 0), sets)) == 0


def _unshared(flags: int) -> bool:
    return int(_libc().unshare(flags)) == 0


def _unshared_as_user() -> bool:
    uid, gid = os.getuid(), os.getgid()
    if not _unshared(NEW_USER | NEW_NET | NEW_PID | NEW_IPC):
        return False
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    return True


def _die_with_parent(by: signal.Signals = signal.SIGKILL) -> None:
    _checked(_libc().prctl(SET_DEATH_SIGNAL, by, 0, 0, 0))


def _fork() -> int:
    return os.fork()


def _kept(child: int, work: str) -> int:
    """Outside: give up the pipes, and see to it that nothing outlives the scorer, however it ended."""

    def end(number: int, frame: object) -> None:
        _end_all(child)
        shutil.rmtree(work, ignore_errors=True)
        os._exit(143)

    signal.signal(signal.SIGTERM, end)
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    _, status = os.waitpid(child, 0)
    _end_all(None)
    return _code(status)


def _end_all(child: int | None) -> None:
    """Kill until there are no children: those of a dead child become this process's own."""
    while True:
        listed = Path(f"/proc/self/task/{os.getpid()}/children")
        try:
            children = [int(each) for each in listed.read_text().split()]
        except OSError:
            children = [] if child is None else [child]
        for each in children:
            try:
                os.kill(each, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            while True:
                os.waitpid(-1, 0)
        except ChildProcessError:
            return
        except OSError:
            continue


def _waited(child: int) -> int:
    """Inside: the namespace's first process, to which orphans come."""
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == child:
            return _code(status)


def _code(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _limit(config: dict[str, Any], *, own: bool) -> None:
    """`own`: it has processes counted by themselves; otherwise those of the user that run already count too."""
    memory, files = config["memory_bytes"], config["file_bytes"]
    processes = config["processes"] + (2 if own else _running())
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_FSIZE, files),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_CPU, config["cpu_seconds_in_all"]),
    ):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _running() -> int:
    """Processes and threads of this user."""
    count, uid = 0, os.getuid()
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdecimal() and process.stat().st_uid == uid:
                count += len(list((process / "task").iterdir()))
        except OSError:
            continue
    return count


def _restrict(readable: list[str], work: str) -> None:
    version = landlock()
    rights = RIGHTS[min(version, max(RIGHTS))]
    # From version 4 no TCP either, from version 6 no abstract sockets and no signals to others.
    attributes = struct.pack("=QQQ", rights, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = _checked(_libc().syscall(CREATE_RULESET, attributes, ctypes.c_size_t(size), 0))
    reading = READ_FILE | READ_DIR
    for path in readable:
        _allow(ruleset, path, reading)
    # Nothing may be executed: a scorer is Python, and libraries are only mapped.
    _allow(ruleset, work, rights & ~1)
    for device in ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"):
        _allow(ruleset, device, READ_FILE | WRITE_FILE)
    _checked(_libc().syscall(RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no permission
    try:
        if not os.path.isdir(path):  # noqa: PTH112  # Path.is_dir would hide why it fails
            rights &= ON_A_FILE
        rule = struct.pack("=Qi", rights, descriptor)
        _checked(_libc().syscall(ADD_RULE, ruleset, 1, rule, 0))
    finally:
        os.close(descriptor)


def _filter() -> None:
    machine = platform.machine()
    numbers = FORBIDDEN[machine].values()
    program = [(0x20, 0, 0, 4), (0x15, 1, 0, AUDIT_ARCH[machine]), (0x06, 0, 0, KILL), (0x20, 0, 0, 0)]
    if machine == "x86_64":
        program += [(0x35, 0, 1, X32), (0x06, 0, 0, REFUSE)]
    for number in numbers:
        program += [(0x15, 0, 1, number), (0x06, 0, 0, REFUSE)]
    program.append((0x06, 0, 0, ALLOW))
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    whole = struct.pack("@HP", len(program), ctypes.addressof(code))
    _checked(_libc().prctl(SET_SECCOMP, 2, whole, 0, 0))


def _serve(config: dict[str, Any]) -> None:
    """The scorer's own process, from here on."""
    samples, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    # What a scorer prints is for who reads its errors.
    os.dup2(2, 1)
    os.close(nothing)

    def say(said: dict[str, Any]) -> None:
        answers.write(json.dumps(said).encode() + b"\n")
        answers.flush()

    os.chdir(config["work"])
    os.environ.update(HOME=config["work"], TMPDIR=config["work"], OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    sys.path.insert(0, config["work"])
    try:
        scorer: Callable[..., Any] = getattr(importlib.import_module(config["module"]), config["function"])
    except BaseException as exc:  # noqa: BLE001  # whatever it is, it is the scorer's, and is told
        say({"failed": _told(exc)})
        return
    say({"ready": True})
    for line in samples:
        asked = json.loads(line)
        spent = resource.getrusage(resource.RUSAGE_SELF)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        soft = int(spent.ru_utime + spent.ru_stime + config["cpu_seconds"]) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (min(soft, hard), hard))
        try:
            found = scorer(asked["sample"], **asked["options"])
            if inspect.isawaitable(found):
                found = asyncio.run(_awaited(found))
            said = json.dumps({"id": asked["id"], "found": found}, allow_nan=False)
        except BaseException as exc:  # noqa: BLE001  # likewise
            say({"id": asked["id"], "failed": _told(exc), "worn": _worn(exc)})
        else:
            answers.write(said.encode() + b"\n")
            answers.flush()


async def _awaited(found: Any) -> Any:
    return await found


def _worn(exc: BaseException) -> bool:
    """Whether a limit was met, so that what it used up would be missed by the next sample too."""
    return isinstance(exc, MemoryError) or (isinstance(exc, OSError) and exc.errno in LIMITS)


def _told(exc: BaseException) -> str:
    """The error, and the scorer's own line that it comes from."""
    frames = traceback.extract_tb(exc.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(str(Path.cwd()))]
    where = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    return f"{type(exc).__name__}: {exc}{where}"[:MESSAGE_MOST]


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
