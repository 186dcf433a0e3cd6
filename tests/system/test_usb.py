# SPDX-License-Identifier: BSD-2-Clause
"""Writing an image to a stick, of which a plain file takes the place."""
import os
import subprocess

import pytest

import settings


@pytest.fixture(name="image")
def an_image(tmp_path):
    path = tmp_path / "image"
    path.write_bytes(os.urandom(5 << 20) + b"the end")
    return path


@pytest.fixture(name="stick")
def a_stick(tmp_path):
    path = tmp_path / "stick"
    path.write_bytes(b"precious" * (1 << 20))
    return path


def write(image, device, answer="", **env):
    return subprocess.run([settings.TREE / "scripts" / "write-disk", image, device], input=answer,
                          text=True, env=os.environ | env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)


@pytest.mark.parametrize("how", [{"answer": "yes\n"}, {"YES": "1"}], ids=["answered", "YES"])
def test_written_and_verified(image, stick, how):
    done = write(image, stick, FORCE="1", **how)
    assert done.returncode == 0, done.stdout
    assert "will be lost" in done.stdout and "written and verified" in done.stdout
    assert "MiB/s" in done.stdout or "MB/s" in done.stdout or "GB/s" in done.stdout
    data = image.read_bytes()
    assert stick.read_bytes() == data + (b"precious" * (1 << 20))[len(data):]


def assert_untouched(done, stick, words):
    assert done.returncode != 0 and words in done.stdout, done.stdout
    assert len([line for line in done.stdout.splitlines() if "error: " in line]) == 1
    assert stick.read_bytes() == b"precious" * (1 << 20)


@pytest.mark.parametrize("answer", ["", "no\n", "\n", "y\n"])
def test_not_confirmed(image, stick, answer):
    assert_untouched(write(image, stick, answer, FORCE="1"), stick, "nothing was written")


def test_not_forced(image, stick):
    assert_untouched(write(image, stick, YES="1"), stick, "plain file")


@pytest.mark.parametrize("device, words", [
    ("", "make usb DEV="), ("/dev/no-such-disk", "does not exist"), ("/dev/null", "no disk"),
])
def test_no_disk(image, stick, device, words):
    assert_untouched(write(image, device, YES="1", FORCE="1"), stick, words)


@pytest.fixture(name="disk")
def a_disk_of_this_host():
    """Only looked at: nothing is confirmed, and there is no dd."""
    for name in sorted(os.listdir("/sys/block")):
        removable = f"/sys/block/{name}/removable"
        if os.path.exists(f"/dev/{name}") and open(removable, encoding="ascii").read() == "0\n":
            return f"/dev/{name}"
    return pytest.skip("this host shows no disk")


@pytest.fixture(name="tools")
def fake_tools(tmp_path):
    """A PATH with a dd that fails, and whatever the test puts in the others' place."""
    def make(**scripts):
        for name, text in ({"dd": "exit 1", "sudo": 'exec "$@"'} | scripts).items():
            path = tmp_path / "bin" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o755)
        return f"{tmp_path}/bin:{os.environ['PATH']}"
    return make


def test_disk_that_is_not_removable(image, stick, disk, tools):
    assert_untouched(write(image, disk, PATH=tools()), stick, "not removable")
    assert_untouched(write("--check", disk, PATH=tools()), stick, "not removable")


@pytest.mark.parametrize("used", ["MOUNTPOINT*) echo /mnt", "NAME*) echo md0 raid1"])
def test_disk_in_use(image, stick, disk, tools, used):
    """Forced, what is wrong is still said before the question."""
    path = tools(lsblk=f'case "$4" in {used} ;; esac', blockdev="echo $((9 << 20))")
    done = write(image, disk, FORCE="1", PATH=path)
    assert_untouched(done, stick, "nothing was written")
    assert f"warning: {disk} is not removable" in done.stdout
    assert f"warning: {disk} is in use ({used.split('echo ')[1].split()[0]})" in done.stdout


def test_disk_too_small(image, stick, disk, tools):
    path = tools(lsblk="", blockdev="echo $((3 << 20))")
    assert_untouched(write(image, disk, FORCE="1", PATH=path), stick,
                     f"{disk} has 3 MiB, the image 5: take a larger one")


def test_bad_stick(image, stick, tmp_path):
    """A stick that forgets is found out."""
    fake = tmp_path / "bin" / "dd"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\ncase $* in *of=*) ;; *) exec /usr/bin/dd "$@" ;; esac\n')
    fake.chmod(0o755)
    done = write(image, stick, FORCE="1", YES="1", PATH=f"{fake.parent}:{os.environ['PATH']}")
    assert_untouched(done, stick, "does not hold what was written")
