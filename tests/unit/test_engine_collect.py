"""Result files and logs: hostile streams bring nothing in that should stay out."""

from __future__ import annotations

import io
import struct
import tarfile

import pytest

from kit.engine.collect import MAX_LOG_BYTES, log_tail, result_files
from kit.errors import RunError


def tar(*members: tuple[str, bytes | None, bytes]) -> list[bytes]:
    """A tar stream in small chunks of (name, content or None, type)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content, kind in members:
            member = tarfile.TarInfo(name)
            member.type, member.size = kind, len(content or b"")
            member.linkname = "/etc/passwd" if kind in {tarfile.SYMTYPE, tarfile.LNKTYPE} else ""
            archive.addfile(member, io.BytesIO(content or b""))
    data = buffer.getvalue()
    return [data[start : start + 700] for start in range(0, len(data), 700)]


def frame(text: bytes, output: int = 1) -> bytes:
    return struct.pack(">BxxxL", output, len(text)) + text


def test_regular_files_by_their_path_in_the_folder() -> None:
    stream = tar(
        ("results/", None, tarfile.DIRTYPE),
        ("results/record.json", b"{}" * 1000, tarfile.REGTYPE),
        ("results/deep/er/x", b"", tarfile.REGTYPE),
    )
    assert result_files(stream) == {"record.json": b"{}" * 1000, "deep/er/x": b""}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("results/../../etc/cron.d/x", tarfile.REGTYPE),
        ("/results/x", tarfile.REGTYPE),
        ("results/link", tarfile.SYMTYPE),
        ("results/hard", tarfile.LNKTYPE),
        ("results/fifo", tarfile.FIFOTYPE),
        ("results/device", tarfile.CHRTYPE),
        ("results", tarfile.REGTYPE),
    ],
)
def test_everything_else_is_left_out(name: str, kind: bytes) -> None:
    content = b"x" if kind == tarfile.REGTYPE else None
    assert result_files(tar((name, content, kind))) == {}


def test_too_much_is_refused_before_it_is_read() -> None:
    with pytest.raises(RunError, match="at b"):
        result_files(
            tar(("r/a", b"12345", tarfile.REGTYPE), ("r/b", b"123456", tarfile.REGTYPE)), limit=10
        )


def test_a_broken_stream_is_a_run_error() -> None:
    with pytest.raises(RunError, match="could not be read"):
        result_files([b"not a tar" * 100])
    whole = b"".join(tar(("r/a", b"1" * 5000, tarfile.REGTYPE)))
    with pytest.raises(RunError):
        result_files([whole[:2000]])


def test_logs_are_joined_across_chunks() -> None:
    stream = frame(b"one\n") + frame(b"two\n", 2) + frame(b"\xff\n")
    assert log_tail(bytes([byte]) for byte in stream) == "one\ntwo\n\ufffd\n"
    assert log_tail([]) == ""


def test_only_the_end_of_long_logs_is_kept() -> None:
    text = log_tail([frame(b"a" * 2**16)] * 20 + [frame(b"end")])
    assert len(text) == MAX_LOG_BYTES and text.endswith("aend")


def test_a_cut_off_log_frame_is_left_out() -> None:
    assert log_tail([frame(b"whole\n"), frame(b"half")[:-2]]) == "whole\n"
