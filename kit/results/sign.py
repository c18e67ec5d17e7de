"""SSH signatures over the sums of a results folder, made and checked by ssh-keygen.

Only the user decides how a signature is checked: nothing in the folder names a key, a
signer or a program. ssh-keygen gets copies of bytes that were read once.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from kit.engine.connection import message_line
from kit.errors import HostError, InputError
from kit.results import SUMS

NAMESPACE = "kit-results@kit"
"""The namespace of kit's signatures: one made for git, for files or for mail does not match."""
_PROGRAM = "ssh-keygen"
_KEY = re.compile(r" signature with (\S+) key (\S+)$")
_LISTED = "allowed"
_INVALID = re.compile(rf"\b{_LISTED}:(\d+: .+)")
_WANTS_TOUCH = re.compile(rb"-SK\)\s*$")


@dataclass(frozen=True)
class Signers:
    """The accepted signers: anyone in the list ``allowed``, or only ``identity`` of them.

    ``allowed`` is the content of a file as ssh-keygen(1) describes it ("ALLOWED SIGNERS").
    """

    allowed: bytes
    identity: str = ""


@dataclass(frozen=True)
class Signature:
    """The result of checking a signature. ``key`` is empty if it does not match the sums."""

    key: str
    """Type and fingerprint, such as "ED25519 SHA256:..."."""
    signer: str = ""
    """The identity of the key in the list of signers; empty: none, or no list was given."""
    reason: str = ""
    """Why it does not match, or the error in the list, as ssh-keygen reports it."""


def can_check() -> bool:
    """Return whether this machine has ssh-keygen, so that kit can check signatures."""
    return shutil.which(_PROGRAM) is not None


def wants_touch(key: Path) -> bool:
    """Return whether the key is on a security key, which may need a touch to sign.

    ssh-keygen asks for the touch only if its standard error is a terminal, so the caller has to
    ask. Raise HostError without ssh-keygen.
    """
    command = [_program(), "-l", "-f", str(key)]
    listed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return _WANTS_TOUCH.search(listed.stdout) is not None


def sign_sums(sums: bytes, key: Path) -> bytes:
    """Return the SSH signature of the sums, made with ``key``.

    ``key`` is the file of a private key, or of a public one whose private key the agent holds.
    ssh-keygen asks on the terminal for a passphrase. Raise HostError without ssh-keygen or if
    temporary files cannot be written, InputError with ssh-keygen's reason if it cannot sign.
    """
    with _scratch() as scratch:
        sums_file = scratch / SUMS
        sums_file.write_bytes(sums)
        done = subprocess.run(
            [_program(), "-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(key), str(sums_file)],
            # A pipe could keep it waiting for a passphrase.
            stdin=None if os.isatty(0) else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        made = sums_file.with_name(f"{SUMS}.sig")
        if done.returncode != 0 or not made.is_file():
            raise InputError(
                f"{key}: {_PROGRAM} cannot sign with it ({_reason(done)})",
                "give a private key with its passphrase at a terminal, or the public key of one "
                "that ssh-agent holds",
            )
        return made.read_bytes()


def examine(sums: bytes, signature: bytes, signers: Signers | None) -> Signature:
    """Return which key signed the sums, and its signer by the user's list.

    Raise HostError without ssh-keygen or if temporary files cannot be written.
    """
    with _scratch() as scratch:
        made, listed = scratch / "signature", scratch / _LISTED
        made.write_bytes(signature)
        fits = _ask("check-novalidate", sums, "-n", NAMESPACE, "-s", str(made))
        if fits.returncode != 0:
            return Signature("", reason=_last_line(fits.stderr))
        found = _KEY.search(_last_line(fits.stdout))
        key = " ".join(found.groups()) if found is not None else "of no name"
        if signers is None:
            return Signature(key)
        listed.write_bytes(signers.allowed)
        named = _ask("find-principals", b"", "-s", str(made), "-f", str(listed))
        names = named.stdout.decode(errors="replace").splitlines() if not named.returncode else []
        for name in filter(None, (signers.identity, *names)):
            asked = ("-n", NAMESPACE, "-f", str(listed), "-I", name, "-s", str(made))
            if _ask("verify", sums, *asked).returncode == 0:
                return Signature(key, name)
        invalid = _INVALID.search(named.stderr.decode(errors="replace"))
        return Signature(key, reason=f"line {invalid[1].strip()}" if invalid is not None else "")


@contextmanager
def _scratch() -> Iterator[Path]:
    try:
        with TemporaryDirectory(prefix="kit-sign-") as directory:
            yield Path(directory)
    except OSError as error:
        raise HostError(
            f"{error.filename or 'TMPDIR'}: cannot be written ({error.strerror or error})",
            "free disk space, or set TMPDIR to a writable folder",
        ) from error


def _ask(what: str, given: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [_program(), "-Y", what, *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=False)


def _program() -> str:
    found = shutil.which(_PROGRAM)
    if found is None:
        raise HostError(
            f"{_PROGRAM} is missing: it makes and checks signatures",
            "install OpenSSH's client; on Debian and Ubuntu `apt-get install openssh-client`",
        )
    return found


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return ssh-keygen's error output as one line, without the banner of @ signs."""
    lines = done.stderr.decode(errors="replace").splitlines()
    reason = message_line(" ".join(line for line in lines if not line.startswith("@")))
    return reason or f"it ended with {done.returncode}"


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
