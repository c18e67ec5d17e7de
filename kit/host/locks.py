"""Two locks: one session at a time in a results folder, one measuring kit on a machine.

Both are flock(2) on an open file. The kernel releases such a lock when its process ends,
however it ends; neither a child that runs another program nor a thread keeps or drops it.

The machine's lock is a file in a directory that every user can write to. An entry there
may belong to anyone: this module follows no link, and writes only to its own file.
The folder's lock is on the folder itself and leaves no file in it. Neither lock reaches
another machine: two kits on two machines can use one remote engine or network folder
without noticing.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import platform
import shlex
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

import psutil

from kit.errors import HostError, InputError, LockedError
from kit.files.documents import cleaned, read_json
from kit.host.facts import systemd_machine_id

DIRECTORIES = (Path("/run/lock"), Path("/tmp"))
NAME = "kit-measuring.lock"
_MARK = b"kit: the holder of this lock\n"
_LIMIT = 4096
_COMMAND_LIMIT = 300
_MAX_PID = 2**22  # of Linux, see proc(5); other systems have less
_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_TRIES, _PAUSE_S = 20, 0.05
_FREE_FOR_ALL = 0o1777


@dataclass(frozen=True)
class Holder:
    """The process that holds a lock, as it recorded itself. ``since`` is a time in UTC."""

    pid: int
    command: str
    since: str
    folder: str = ""

    def __str__(self) -> str:
        """Return all of it, for a message: as one line, since anyone may have written it."""
        where = f", in {self.folder}" if self.folder else ""
        text = f"process {self.pid} (`{self.command}`, since {self.since}{where})"
        return cleaned(text, keep_newlines=False)


class Locks:
    """The locks that a command holds. ``wait``: wait for a lock instead of raising.

    Calls ``say`` with one line before each wait, and with one where a folder cannot be locked.
    """

    def __init__(self, wait: bool, say: Callable[[str], None]) -> None:
        self._wait = wait
        self._say = say
        self._machine: int | None = None
        self._folders: dict[tuple[int, int], int] = {}

    def machine(self) -> None:
        """Lock the machine: no other kit can measure or build on it.

        Raises LockedError if another one holds the lock, and HostError where its file is unusable.
        """
        path = machine_file()
        while self._machine is None:
            fd = _open(path)
            try:
                self._lock(
                    fd,
                    lambda who: f"another kit measures on this machine: {who}",
                    lambda: _holder(path),
                )
                # A file that was removed meanwhile does not exclude other processes.
                if _key(os.fstat(fd)) == _key_at(path):
                    self._machine = fd
            except OSError as error:
                raise _unusable(path, error.strerror) from error
            finally:
                if self._machine is None:
                    os.close(fd)
        self._write_down("")

    def folder(self, folder: Path) -> None:
        """Lock a results folder, unless this object holds it already.

        Raises LockedError if another process holds it, and InputError where it is not a readable
        folder. On a file system without locks it only reports that.
        """
        try:
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise InputError(
                f"{folder}: cannot be opened ({error.strerror})", "give a folder of results"
            ) from error
        key = _key(os.fstat(fd))
        if key in self._folders:
            os.close(fd)
            return
        try:
            self._lock(
                fd,
                lambda who: f"{folder}: another kit works in this folder: {who}",
                lambda: _holder_in(folder),
            )
        except OSError as error:
            os.close(fd)
            self._say(
                f"{folder}: cannot be locked here ({error.strerror}); let no other kit work in it"
            )
            return
        except BaseException:
            os.close(fd)
            raise
        self._folders[key] = fd
        self._write_down(str(folder.resolve()))

    def release(self) -> None:
        """Release every lock that this object holds."""
        if self._machine is not None:
            with suppress(OSError):
                os.ftruncate(self._machine, 0)
            os.close(self._machine)
            self._machine = None
        while self._folders:
            os.close(self._folders.popitem()[1])

    def _lock(
        self, fd: int, held: Callable[[str], str], holder: Callable[[], Holder | None]
    ) -> None:
        """Lock an open file. Raises LockedError, and OSError on a file system without locks."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            found = holder()
        who = "a process that did not write itself down" if found is None else str(found)
        problem = held(who)
        if not self._wait:
            raise LockedError(
                problem,
                "repeat the command when that ends; with --wait-for-lock one that measures or "
                "builds waits",
                who,
            )
        self._say(f"waiting: {problem}")
        fcntl.flock(fd, fcntl.LOCK_EX)

    def _write_down(self, folder: str) -> None:
        """Record the holder in the machine's lock file, unless it is another user's, read-only."""
        if self._machine is None:
            return
        now = datetime.now(timezone.utc)
        command = shlex.join(["kit", *sys.argv[1:]])[:_COMMAND_LIMIT]
        holder = Holder(os.getpid(), command, f"{now:%Y-%m-%d %H:%M:%S} UTC", folder)
        with suppress(OSError):
            os.ftruncate(self._machine, 0)
            os.pwrite(self._machine, _MARK + json.dumps(asdict(holder)).encode(), 0)


def lock_namespace_id() -> str:
    """Return an opaque id (16 hex digits) of the machine's lock.

    Processes with equal ids share the lock; a process in a container has another id.
    """
    try:
        mounts = str(Path("/proc/self/ns/mnt").readlink())
    except OSError:
        mounts = ""
    known = f"{platform.node()}|{mounts}|{machine_file()}"
    return hmac.digest(systemd_machine_id().encode(), known.encode(), "sha256").hex()[:16]


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Lock a results folder while kit writes reports into it.

    Raises LockedError where another kit works in it, InputError as ``Locks.folder`` does.
    """
    locks = Locks(wait=False, say=lambda _text: None)
    try:
        locks.folder(folder)
        yield
    finally:
        locks.release()


def machine_file() -> Path:
    """Return the path of the machine's lock file, the same for all its users."""
    for directory in DIRECTORIES[:-1]:
        with suppress(OSError):
            mode = directory.stat().st_mode
            if stat.S_ISDIR(mode) and mode & _FREE_FOR_ALL == _FREE_FOR_ALL:
                return directory / NAME
    return DIRECTORIES[-1] / NAME


def _open(path: Path) -> int:
    """Open the lock file, created if missing, and return its descriptor.

    Raises HostError for a file that is not kit's, or cannot be opened.
    """
    reason: str | None = "it comes and goes"
    for _ in range(_TRIES):
        try:
            fd = _open_or_make(path)
        except (FileExistsError, FileNotFoundError):
            continue
        except OSError as error:
            # The process that created it may be about to make it accessible to all.
            reason = error.strerror
            time.sleep(_PAUSE_S)
            continue
        problem = _not_ours(fd, path)
        if not problem:
            return fd
        os.close(fd)
        raise HostError(problem, "look at who made it, and remove it")
    raise _unusable(path, reason)


def _unusable(path: Path, reason: str | None) -> HostError:
    return HostError(
        f"{path}: cannot be the lock of measuring on this machine ({reason})",
        "let every user of kit read it, or remove it",
    )


def _open_or_make(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | _FLAGS)
    except PermissionError:
        # Read-only is enough for flock; the holder cannot be recorded.
        return os.open(path, os.O_RDONLY | _FLAGS)
    except FileNotFoundError:
        # Not in one call with the first: the kernel may refuse O_CREAT on another user's file.
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, 0o666)
        os.fchmod(fd, 0o666)
        return fd


def _not_ours(fd: int, path: Path) -> str:
    """Return why an open file is not kit's lock; "" if it is."""
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        return f"{path}: not a lock file of kit (not a regular file)"
    if found.st_nlink > 1:
        return f"{path}: not a lock file of kit (has a second hard link)"
    content = os.pread(fd, _LIMIT, 0)
    if content and not content.startswith(_MARK):
        return f"{path}: not a lock file of kit (other content)"
    return ""


def _holder(path: Path) -> Holder | None:
    """Return the recorded holder of the machine's lock; None without a record."""
    found = None
    for _ in range(_TRIES):
        found = _written(path)
        if found is not None and psutil.pid_exists(found.pid):
            break
        # A killed holder's record, or none yet: the next holder records itself at once.
        time.sleep(_PAUSE_S)
    return found


def _holder_in(folder: Path) -> Holder | None:
    """Return the holder of the machine's lock if it works in that folder; else None."""
    found = _written(machine_file())
    return found if found is not None and found.folder == str(folder.resolve()) else None


def _written(path: Path) -> Holder | None:
    try:
        fd = os.open(path, os.O_RDONLY | _FLAGS)
    except OSError:
        return None
    try:
        if _not_ours(fd, path):
            return None
        holder = Holder(**read_json(os.pread(fd, _LIMIT, 0).removeprefix(_MARK)))
        known = isinstance(holder.pid, int) and 0 < holder.pid <= _MAX_PID
        return holder if known and isinstance(holder.folder, str) else None
    except (OSError, ValueError, TypeError):
        return None
    finally:
        os.close(fd)


def _key(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _key_at(path: Path) -> tuple[int, int] | None:
    try:
        return _key(path.lstat())
    except OSError:
        return None
