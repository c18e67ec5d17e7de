"""Image content: what counts, what does not, and hostile trees."""

from __future__ import annotations

import hashlib
import tarfile
from dataclasses import replace

import pytest
from fakes.engine import FakeEngine, image
from support.archives import member, tree

from kit.errors import ImageError
from kit.images.inspect.compare import MAX_SHOWN, differences, shown
from kit.images.inspect.content import Content, read_content, read_tree

FILE = "etc/motd"


def content(*members, config=None):
    entries, kept = read_tree([tree(*members)])
    return Content(entries, config or {}, kept)


def digest(*members, **more):
    return content(*members, **more).sha256


def test_the_digest_is_the_one_its_description_gives():
    body = hashlib.sha256(b"hello").hexdigest()
    lines = f"a\tdir\t755\t0:0\t-\na/b\tfile\t640\t3:4\t{body}\nc\tlink\t777\t0:0\ta/b\n"
    lines += 'config\tCmd\t["x"]\n'
    got = digest(
        member("c", kind=tarfile.SYMTYPE, mode=0o777, linkname="a/b"),
        member("a/", kind=tarfile.DIRTYPE, mode=0o755),
        member("a/b", b"hello", mode=0o640, uid=3, gid=4),
        config={"Cmd": ["x"]},
    )
    assert got == hashlib.sha256(lines.encode()).hexdigest()


def test_times_and_the_order_in_the_tar_do_not_count():
    one, two = member("a", b"1", mtime=1), member("b", b"2", mtime=2)
    later = (member("b", b"2", mtime=99), member("a", b"1", mtime=98))
    assert digest(one, two) == digest(*later)


@pytest.mark.parametrize(
    "changed",
    [
        member(FILE, b"other"),
        member(FILE, b"x", mode=0o755),
        member(FILE, b"x", mode=0o4644),
        member(FILE, b"x", uid=1),
        member(FILE, b"x", gid=1),
        member(FILE, b"x", pax_headers={"SCHILY.xattr.security.capability": "caps"}),
        member(FILE, kind=tarfile.SYMTYPE, linkname="x"),
        member("etc/motd2", b"x"),
    ],
)
def test_everything_else_counts(changed):
    assert digest(changed) != digest(member(FILE, b"x"))


def test_the_configuration_counts():
    assert digest(config={"User": "a"}) != digest(config={"User": "b"})


def test_what_the_engine_puts_in_does_not_count():
    engines = [member(n, b"x") for n in (".dockerenv", "etc/hosts", "dev/console", "proc/x")]
    assert digest(*engines, member(FILE, b"x")) == digest(member(FILE, b"x"))


def test_a_hard_link_is_the_file_it_leads_to():
    linked = member("b", kind=tarfile.LNKTYPE, linkname="a")
    assert digest(member("a", b"x"), linked) == digest(member("a", b"x"), member("b", b"x"))


def test_devices_and_fifos_have_their_numbers():
    null = member("d", kind=tarfile.CHRTYPE, devmajor=1, devminor=3)
    zero = member("d", kind=tarfile.CHRTYPE, devmajor=1, devminor=5)
    assert digest(null) != digest(zero)
    assert content(member("f", kind=tarfile.FIFOTYPE)).entries["f"].type == "fifo"


def test_wanted_files_are_kept_and_no_others():
    stream = [tree(member("a", b"1"), member("b", b"2"))]
    _, kept = read_tree(stream, lambda path: path == "b")
    assert kept == {"b": b"2"}


def test_odd_names_are_data():
    odd = "x\n\t../../etc/passwd"
    assert odd in content(member(odd, b"x")).entries
    assert digest(member(odd, b"x"))


def test_an_image_is_read_through_the_engine_and_its_absence_named():
    engine = FakeEngine(images={"kit/a:1": image("kit/a:1")})
    engine.trees[image("kit/a:1").id] = tree(member("a", b"1"))
    assert read_content(engine, "kit/a:1").sha256 == digest(member("a", b"1"))
    with pytest.raises(ImageError, match="kit/b:1"):
        read_content(engine, "kit/b:1")
    engine.trees[image("kit/a:1").id] = b"not a tar, whatever its length may be" * 40
    with pytest.raises(ImageError, match="could not be read"):
        read_content(engine, "kit/a:1")


def test_differences_name_the_path_and_what_differs():
    first = content(
        member("same", b"x"), member("mode", b"x"), member("owner", b"x"), member("text", b"x"),
        member("gone", b"x"), config={"User": "kit"},
    )  # fmt: skip
    second = content(
        member("same", b"x", mtime=5), member("mode", b"x", mode=0o600),
        member("owner", b"x", uid=7), member("text", b"y"), member("new", b"x"),
        config={"User": "root"},
    )  # fmt: skip
    found = {difference.path: difference.what for difference in differences(first, second)}
    assert found == {
        "mode": "mode 644 and 600",
        "owner": "owner 0:0 and 7:0",
        "text": "content",
        "gone": "only in the first",
        "new": "only in the second",
        "config User": "'kit' and 'root'",
    }
    assert differences(first, replace(first)) == ()


def test_many_differences_are_counted():
    many = content(*(member(f"f{n:03d}", b"x") for n in range(MAX_SHOWN + 7)))
    lines = shown(differences(many, content()))
    assert len(lines) == MAX_SHOWN + 1
    assert lines[-1] == "... and 7 more"
