"""Signatures of results folders, made and checked by a real ssh-keygen."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from golden.archive import GOLDEN, opened, reported
from support.folders import rewritten
from support.packages import install

import kit.cli
from kit.errors import HostError, InputError
from kit.files.write import write_atomic
from kit.results import ABLATION, SIGNATURE, SUMS
from kit.results.folder import SIGNATURE_BYTES, sums_of
from kit.results.sign import NAMESPACE, Signers, examine, sign_sums, wants_touch
from kit.verify import sums, verify_folder
from kit.verify.result import State
from kit.verify.sums import check_signature as check

pytestmark = pytest.mark.made_once

ALICE, BOB = "alice@example.org", "bob@example.org"


@dataclass(frozen=True)
class Keys:
    """Private keys by name, each beside its public key."""

    place: Path

    def __getitem__(self, name: str) -> Path:
        return self.place / name

    def make(self, name: str, kind: str = "ed25519", passphrase: str = "") -> Path:
        subprocess.run(
            ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", self[name]],
            check=True,
        )
        return self[name]

    def public(self, name: str) -> str:
        return " ".join(self[name].with_suffix(".pub").read_text().split()[:2])

    def fingerprint(self, name: str) -> str:
        done = subprocess.run(
            ["ssh-keygen", "-l", "-f", self[name]], capture_output=True, text=True, check=True
        )
        return done.stdout.split()[1]

    def allowed(self, *lines: tuple[str, str]) -> bytes:
        return "".join(f"{who} {self.public(name)}\n" for who, name in lines).encode()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    if shutil.which("ssh-keygen") is None:
        install("openssh-client")
    found = Keys(tmp_path_factory.mktemp("keys"))
    for name in ("alice", "bob", "mallory"):
        found.make(name)
    found.make("rsa", "rsa")
    found.make("locked", passphrase="a secret")
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole results folder, the session alone."""
    folder = opened(GOLDEN, tmp_path_factory.mktemp("made"))
    shutil.rmtree(folder / ABLATION)
    reported(folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / made.name))


@pytest.fixture
def listed(keys: Keys, tmp_path: Path) -> Path:
    """An allowed signers file."""
    path = tmp_path / "allowed"
    path.write_bytes(keys.allowed((ALICE, "alice"), (BOB, "bob")))
    return path


def signed(folder: Path, key: Path) -> Path:
    write_atomic(folder / SIGNATURE, sign_sums((folder / SUMS).read_bytes(), key))
    return folder


def found(folder: Path, allowed: bytes | None = None, identity: str = "") -> tuple[bool, str]:
    """Whether the signature holds, and what is said of it."""
    signers = None if allowed is None else Signers(allowed, identity)
    content = (folder / SUMS).read_bytes() if (folder / SUMS).is_file() else None
    told = check(folder, content, signers)
    return not told.wrong, told.good + "".join(told.wrong)


def run(*arguments: object) -> int:
    return kit.cli.run([str(argument) for argument in arguments])


def forge(folder: Path) -> None:
    """One arm twice as fast: the log, its chain, every report and every sum made anew."""

    def faster(document: dict) -> None:
        if document.get("arm") == "builtin-cpu" and document.get("record"):
            for fit in document["record"]["fits"]:
                for name in ("wall_ns", "user_ns", "system_ns"):
                    fit[name] //= 2
                fit["paper_clock_s"] = fit["wall_ns"] / 1e9

    rewritten(folder, faster)
    reported(folder)


def test_who_signed_is_told_and_a_forged_log_does_not_fit(
    folder: Path, keys: Keys, listed: Path, capsys
) -> None:
    assert run("sign", folder, "--key", keys["alice"]) == 0
    assert keys.fingerprint("alice") in capsys.readouterr().out
    asked = ("verify", folder, "--allowed-signers", listed, "--signer", ALICE)
    assert run(*asked) == 0
    out = capsys.readouterr().out
    assert f"signed by {ALICE}" in out and keys.fingerprint("alice") in out
    forge(folder)
    assert run(*asked) == 8
    out = capsys.readouterr().out
    assert "does not fit" in out and out.count("WRONG") == 1
    # The forger takes the signature away: a folder that holds by itself.
    (folder / SIGNATURE).unlink()
    assert run("verify", folder) == 0
    assert "not signed" in capsys.readouterr().out
    assert run(*asked) == 8
    assert "not signed" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["alice", "rsa"])
def test_keys_of_several_kinds(folder: Path, keys: Keys, name: str) -> None:
    signed(folder, keys[name])
    holds, said = found(folder, keys.allowed((ALICE, name)), ALICE)
    assert holds and ALICE in said and keys.fingerprint(name) in said


def test_a_signature_that_nobody_asked_for_is_by_an_unknown_key(folder: Path, keys: Keys) -> None:
    holds, said = found(signed(folder, keys["mallory"]))
    assert holds and "unknown key" in said and keys.fingerprint("mallory") in said


@pytest.mark.parametrize("identity", ["", ALICE])
def test_an_unknown_key_is_refused_where_signers_are_given(
    folder: Path, keys: Keys, listed: Path, identity: str
) -> None:
    holds, said = found(signed(folder, keys["mallory"]), listed.read_bytes(), identity)
    assert not holds and "unknown key" in said and keys.fingerprint("mallory") in said


@pytest.mark.parametrize("identity", ["", ALICE])
def test_no_signature_is_refused_where_signers_are_given(
    folder: Path, listed: Path, identity: str
) -> None:
    assert found(folder) == (True, "not signed; anyone can have made it")
    assert found(folder, listed.read_bytes(), identity) == (False, "not signed")


def test_another_allowed_signer_is_named_and_refused(
    folder: Path, keys: Keys, listed: Path
) -> None:
    signed(folder, keys["bob"])
    holds, said = found(folder, listed.read_bytes(), ALICE)
    assert not holds and BOB in said and ALICE in said
    holds, said = found(folder, listed.read_bytes())
    assert holds and BOB in said


@pytest.mark.parametrize(
    "who, identity, holds",
    [
        (f"{BOB},{ALICE}", ALICE, True),
        ("*@example.org", ALICE, True),
        ("*@example.org", "alice@example.net", False),
        (ALICE, "*", False),
        (ALICE, "*@example.org", False),
        (f"{BOB},{ALICE}", f"{BOB},{ALICE}", False),
        (ALICE, f"-I{ALICE}", False),
        (ALICE, f"{ALICE}\n{BOB}", False),
        (f'{ALICE} namespaces="git"', ALICE, False),
        (f'{ALICE} namespaces="{NAMESPACE}"', ALICE, True),
        (f'{ALICE} valid-before="20200101"', ALICE, False),
    ],
)
def test_the_list_says_who_a_key_may_sign_for(
    folder: Path, keys: Keys, who: str, identity: str, holds: bool
) -> None:
    signed(folder, keys["alice"])
    assert found(folder, keys.allowed((who, "alice")), identity)[0] is holds


def test_a_public_key_is_no_list_and_the_line_is_said(folder: Path, keys: Keys) -> None:
    signed(folder, keys["alice"])
    holds, said = found(folder, keys.public("alice").encode() + b"\n", ALICE)
    assert not holds and "line 1" in said


def of_another_namespace(folder: Path, keys: Keys) -> bytes:
    copy = keys.place / "for-git"
    copy.write_bytes((folder / SUMS).read_bytes())
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", keys["alice"], copy], check=True
    )
    made = copy.with_name("for-git.sig")
    content = made.read_bytes()
    made.unlink()
    return content


@pytest.mark.parametrize(
    "signature",
    [
        of_another_namespace,
        lambda folder, keys: sign_sums(b"of another folder\n", keys["alice"]),
        lambda folder, keys: sign_sums((folder / SUMS).read_bytes(), keys["alice"])[:-60],
        lambda folder, keys: b"",
        lambda folder, keys: os.urandom(5000),
        lambda folder, keys: b"\x1b[2J\n-----BEGIN SSH SIGNATURE-----\n\x00\n",
    ],
)
@pytest.mark.parametrize("asked", [False, True])
def test_what_is_no_signature_of_these_sums_does_not_fit(
    folder: Path,
    keys: Keys,
    listed: Path,
    signature: Callable[[Path, Keys], bytes],
    asked: bool,
) -> None:
    (folder / SIGNATURE).write_bytes(signature(folder, keys))
    holds, said = found(folder, listed.read_bytes() if asked else None, ALICE)
    assert not holds and "does not fit" in said


def test_other_sums_do_not_fit_and_another_file_breaks_its_sum(
    folder: Path, keys: Keys, listed: Path, capsys
) -> None:
    signed(folder, keys["alice"])
    (folder / "report.md").write_text("All claims hold.\n")
    assert run("verify", folder, "--allowed-signers", listed, "--signer", ALICE) == 8
    out = capsys.readouterr().out
    assert "report.md was changed" in out and f"signed by {ALICE}" in out
    (folder / SUMS).write_bytes(sums_of(folder))
    assert not found(folder)[0]
    (folder / SUMS).unlink()
    assert not found(folder)[0]


@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "large"])
def test_what_stands_in_place_of_a_signature_is_not_read(
    folder: Path, keys: Keys, listed: Path, tmp_path: Path, kind: str
) -> None:
    place = folder / SIGNATURE
    content = sign_sums((folder / SUMS).read_bytes(), keys["alice"])
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "link":
        (tmp_path / "good").write_bytes(content)
        place.symlink_to(tmp_path / "good")
    elif kind == "folder":
        place.mkdir()
    else:
        place.write_bytes(content + b"\n" * SIGNATURE_BYTES)
    for allowed in (None, listed.read_bytes()):
        holds, said = found(folder, allowed)
        assert not holds and SIGNATURE in said


def test_the_signature_is_no_summed_file_and_no_stranger(folder: Path, keys: Keys) -> None:
    before = sums_of(folder)
    signed(folder, keys["alice"])
    assert sums_of(folder) == before == (folder / SUMS).read_bytes()
    assert (
        sums.check_files(folder, sums.ExpectedFiles(frozenset(dict(sums.read_sums(before))))).wrong
        == ()
    )
    assert [each.what for each in verify_folder(folder) if each.wrong] == []


def test_a_folder_that_does_not_hold_is_not_signed(folder: Path, keys: Keys, capsys) -> None:
    (folder / "results.json").write_text("{}")
    assert run("sign", folder, "--key", keys["alice"]) == 8
    assert "files" in capsys.readouterr().err
    assert not (folder / SIGNATURE).exists()
    (folder / SUMS).unlink()
    assert run("sign", folder, "--key", keys["alice"]) == 8


def test_new_files_make_the_signature_unfit_and_leave_it_there(
    folder: Path, keys: Keys, capsys
) -> None:
    signed(folder, keys["alice"])
    content = (folder / SIGNATURE).read_bytes()
    assert run("report", folder, "--quiet") == 0
    assert SIGNATURE not in capsys.readouterr().err
    assert run("appendix", folder) == 0
    assert SIGNATURE in capsys.readouterr().err
    assert run("report", folder, "--quiet") == 0
    assert SIGNATURE in capsys.readouterr().err
    assert (folder / SIGNATURE).read_bytes() == content
    assert run("verify", folder) == 8
    assert run("sign", folder, "--key", keys["bob"]) == 0
    assert found(folder, keys.allowed((BOB, "bob")), BOB)[0]


SIGN = """
import sys
from pathlib import Path
from kit.errors import KitError
from kit.results.sign import sign_sums
try:
    sign_sums(b"sums\\n", Path(sys.argv[1]))
except KitError as error:
    sys.exit(error.problem)
"""


def test_a_passphrase_without_a_terminal_is_an_error_and_no_wait(keys: Keys) -> None:
    read, write = os.pipe()  # never written to: whoever reads it waits for ever
    try:
        done = subprocess.run(
            [sys.executable, "-c", SIGN, keys["locked"]],
            stdin=read, capture_output=True, text=True, check=False, timeout=300,
            start_new_session=True, env={**os.environ, "DISPLAY": "", "SSH_ASKPASS": ""},
        )  # fmt: skip
    finally:
        os.close(read)
        os.close(write)
    assert done.returncode == 1 and "locked" in done.stderr
    assert "passphrase supplied" in done.stderr and "Traceback" not in done.stderr


def test_what_ssh_keygen_says_is_the_reason_in_one_clean_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "ssh-keygen"
    program.write_text("#!/bin/sh\nprintf '@@@@\\nNo \\033[2Jluck\\nwith it\\n' >&2\nexit 255\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(InputError) as refused:
        sign_sums(b"sums\n", tmp_path / "key")
    assert "(No luck with it)" in refused.value.problem
    assert capfd.readouterr().err == ""
    program.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(InputError, match="3"):
        sign_sums(b"sums\n", tmp_path / "key")


def test_a_security_key_s_touch_is_asked_for(keys: Keys, tmp_path: Path) -> None:
    kind = b"sk-ssh-ed25519@openssh.com"
    parts = (kind, bytes(32), b"ssh:")
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    public = tmp_path / "sk.pub"
    public.write_bytes(kind + b" " + base64.b64encode(blob) + b" (ED25519)\n")
    assert wants_touch(public)
    assert not wants_touch(keys["alice"]) and not wants_touch(keys["locked"])
    assert not wants_touch(tmp_path / "none")


def test_the_public_key_of_one_that_the_agent_holds_signs(
    folder: Path, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lonely = tmp_path / "lonely.pub"
    lonely.write_text(keys.public("bob") + "\n")
    content = (folder / SUMS).read_bytes()
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "none"))
    with pytest.raises(InputError):
        sign_sums(content, lonely)
    socket = keys.place / "agent"  # a socket's path is short
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            assert agent.poll() is None
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        subprocess.run(["ssh-add", "-q", keys["bob"]], check=True)
        signature = sign_sums(content, lonely)
    finally:
        agent.terminate()
        agent.wait()
    listed = Signers(keys.allowed((BOB, "bob")), BOB)
    assert examine(content, signature, listed).signer == BOB


def test_without_ssh_keygen_only_who_asks_is_told_so(
    folder: Path, keys: Keys, listed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed(folder, keys["alice"])
    allowed = listed.read_bytes()
    monkeypatch.setenv("PATH", str(tmp_path))
    told = check(folder, (folder / SUMS).read_bytes(), None)
    assert told.state is State.UNVERIFIED and "ssh-keygen" in told.unverified[0]
    with pytest.raises(HostError, match="ssh-keygen"):
        found(folder, allowed, ALICE)
    assert run("sign", folder, "--key", keys["alice"]) == 3


@pytest.mark.parametrize("signer", [ALICE, ""])
def test_a_signer_is_one_of_a_list(folder: Path, listed: Path, signer: str) -> None:
    more = ("--allowed-signers", listed) if not signer else ()
    assert run("verify", folder, "--signer", signer, *more) == 2


def test_a_key_that_is_none_is_bad_input(folder: Path, keys: Keys, listed: Path) -> None:
    assert run("sign", folder, "--key", listed) == 2
    assert run("sign", folder, "--key", keys["nobody"]) == 2
    assert run("sign", folder) == 2
