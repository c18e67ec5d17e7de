"""Check of the signature of the sums, by somebody who vouches for a results folder."""

from __future__ import annotations

from pathlib import Path

from kit.errors import InputError
from kit.results.folder import open_results
from kit.results.names import SIGNATURE, SUMS
from kit.results.sign import Signature, Signers, can_check, examine
from kit.verify.result import CheckResult

WHAT = "signature"
_PROVES = f"says who vouches for the files as {SUMS} lists them, not that they speak the truth"


def check(folder: Path, sums: bytes | None, signers: Signers | None) -> CheckResult:
    """Check whether the folder's signature matches those sums and is by an accepted signer.

    ``signers`` None: a signature is not required, and may be by any key. Raise HostError if
    ``signers`` are given and ssh-keygen is missing.
    """
    try:
        with open_results(folder) as results:
            signature = results.read(SIGNATURE) if results.holds(SIGNATURE) else None
    except InputError as error:
        return _wrong(error.problem)
    if signature is None:
        return _wrong("not signed") if signers else _absent("not signed; anyone can have made it")
    if sums is None:
        return _wrong(f"does not fit: there is no {SUMS}")
    if signers is None and not can_check():
        return CheckResult(WHAT, (), "", ("ssh-keygen is missing: install openssh-client",))
    return _judged(examine(sums, signature, signers), signers)


def signature_matches(folder: Path) -> bool:
    """Return whether the folder's signature matches its sums; True for an unsigned folder too."""
    with open_results(folder) as results:
        sums = results.read(SUMS) if results.has(SUMS) else None
    return not check(folder, sums, None).wrong


def _judged(found: Signature, signers: Signers | None) -> CheckResult:
    if not found.key:
        return _wrong(f"does not fit {SUMS}: {found.reason}")
    if signers is None:
        return _good(f"signed by an unknown key, {found.key}; --allowed-signers tells whose")
    if not found.signer:
        why = f" ({found.reason})" if found.reason else ""
        return _wrong(f"signed by an unknown key, {found.key}: no allowed signer's{why}")
    text = f"signed by {found.signer} ({found.key})"
    if signers.identity not in ("", found.signer):
        return _wrong(f"{text}, not by {signers.identity}")
    return _good(f"{text}; it {_PROVES}")


def _good(text: str) -> CheckResult:
    return CheckResult(WHAT, (), text)


def _absent(text: str) -> CheckResult:
    return CheckResult(WHAT, (), text, absent=True)


def _wrong(text: str) -> CheckResult:
    return CheckResult(WHAT, (text,), "")
