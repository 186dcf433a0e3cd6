# SPDX-License-Identifier: BSD-2-Clause
"""A change builds again what depends on it, and nothing else; what was interrupted is repaired.

The first tests run a copy of the sources in which a long step only says its name and makes empty
files; compiling is real.
"""
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

import disk
import settings
import variants

ALL = {"rootfs", "live", "image", "qcow2", "iso"}
AFTER_KEEL = {"image", "qcow2", "iso"}

STEP = """#!/bin/sh
# The name, then the products by their rules.
echo "STEP $1"
case $1 in
rootfs) cd "$O/rootfs" && touch vmlinuz initrd.img manifest rootfs.tar rootfs.ext4 ;;
live) mkdir -p "$O/rootfs/live" && cd "$O/rootfs/live" &&
	touch vmlinuz initrd.img manifest filesystem.squashfs ;;
image) mkdir -p "$O/image" && cd "$O/image" && touch vmlinuz initrd.img disk.raw ;;
*) touch "$O/keel.$1" ;;
esac
"""


class Sources:
    """A copy of the sources with a build folder of its own."""

    def __init__(self, path):
        self.path = path
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(settings.TREE, path / "tree", symlinks=True, ignore=lambda folder, names: [
            name for name in names if name in (".git", "__pycache__") or os.path.join(folder, name) in
            (str(settings.BUILD), str(settings.TREE / "build"))])
        self.file("scripts/step").write_text(STEP)
        self.file("own").mkdir()
        self.file("own/file").write_text("one")
        self.config = path / "out" / ".config"
        self.make("amd64_defconfig")
        variants.configure(path / "out", DEBIAN_OVERLAY='"own"')

    def file(self, name):
        return self.path / "tree" / name

    def make(self, target="image"):
        done = variants.make(self.path / "out", target, tree=self.path / "tree")
        assert done.returncode == 0, done.stdout
        return done.stdout

    def steps(self):
        """The steps and the compiled files of a make; the next one must have nothing to do."""
        said = self.make()
        again = self.make()
        assert not re.search(r"^(STEP|  [A-Z]+ )", again, re.M), again
        return set(re.findall(r"^STEP (\w+)", said, re.M)), re.findall(r"^  CC +(\S+)", said, re.M)


@pytest.fixture(name="sources", scope="module")
def the_sources():
    path = settings.WORK / f"rebuild-{os.getpid()}"
    sources = Sources(path)
    yield sources
    shutil.rmtree(path, ignore_errors=True)


def append(path, text="\n"):
    # The file systems' clocks may be coarse.
    time.sleep(0.05)
    path.write_text(path.read_text() + text)


SYMBOLS = {
    ("GRUB_TIMEOUT", "7"): AFTER_KEEL, ("GUEST_CMDLINE", '"quiet"'): AFTER_KEEL,
    ("IMAGE_SIZE", "5000"): {"image", "qcow2"}, ("IMAGE_COMPRESSED", "n"): {"qcow2"},
    ("DEBIAN_HOSTNAME", '"other"'): ALL, ("DEBIAN_PACKAGES", '"tree"'): ALL,
    ("DEBIAN_OVERLAY", '"docs"'): ALL, ("IMAGE_RAW", "y"): {"raw"}, ("IMAGE_ISO", "n"): set(),
}


def test_what_is_built_again(sources):
    """All in one test, since they share the sources and one build."""
    steps, compiled = sources.steps()
    assert steps == ALL and len(compiled) > 20
    everything = len(compiled)

    for (name, value), wanted in SYMBOLS.items():
        before = sources.config.read_text()
        variants.configure(sources.path / "out", **{name: value})
        assert sources.steps() == (wanted, []), name
        sources.config.write_text(before)
        sources.make()
    variants.configure(sources.path / "out", LOG_LEVEL="4")
    assert sources.steps()[0] == AFTER_KEEL

    for name, wanted in (("rootfs/packages", ALL), ("own/file", ALL), ("rootfs/stage-live", {"live", "iso"}),
                         ("rootfs/overlay/usr/lib/keel/grow-root", ALL),
                         ("image/grub.cfg.in", AFTER_KEEL), ("image/convert", {"qcow2"}),
                         ("README.md", set())):
        append(sources.file(name))
        assert sources.steps() == (wanted, []), name
    sources.file("own/new file").write_text("two")
    assert sources.steps() == (ALL, [])
    sources.file("own/new file").unlink()
    assert sources.steps() == (ALL, [])

    append(sources.file("hypervisor/boot/main.c"))
    steps, compiled = sources.steps()
    assert (steps, sorted(compiled)) == (AFTER_KEEL, ["boot/main.c", "vmm/build.c"])
    append(sources.file("hypervisor/include/keel/abi.h"))
    steps, compiled = sources.steps()
    assert steps == AFTER_KEEL and 0 < len(compiled) < everything

    for product, wanted in (("rootfs/rootfs.ext4", ALL), ("image/disk.raw", {"image", "qcow2"}),
                            ("keel.qcow2", {"qcow2"}), ("keel.iso", {"iso"})):
        (sources.path / "out" / product).unlink()
        assert sources.steps() == (wanted, []), product


def test_two_folders_side_by_side(sources):
    """Two builds of the same sources at the same time are as each alone."""
    folders = [sources.path / name for name in ("left", "right")]
    makes = [variants.start(folder, "image", tree=sources.path / "tree") for folder in folders]
    for make in makes:
        said = make.communicate(timeout=600 * settings.TIMEOUT_SCALE)[0]
        assert make.returncode == 0, said
    one, two = ((folder / "hypervisor" / "keel.elf").read_bytes() for folder in folders)
    assert one == two


def kill_at(folder, target, text):
    """kill -9 of a make and all it started, once it has said something."""
    make = variants.start(folder, target)
    for line in make.stdout:
        if re.search(text, line):
            break
    os.killpg(make.pid, signal.SIGKILL)
    make.communicate()
    assert make.returncode == -signal.SIGKILL, f"make ended before it said {text}"


def leftovers(folder):
    return [path for path in folder.rglob("*.tmp*") if path.relative_to(folder).parts[0] != "tests"]


def test_killed_image_steps_are_repaired():
    """Wherever the images' steps are killed, the next make has the whole image."""
    folder = variants.seeded(settings.WORK / "killed")
    try:
        variants.configure(folder, IMAGE_ISO="n")
        for text in ("  CC ", "adding Keel", "making the disk", "qcow2 +log"):
            kill_at(folder, "image", text)
        done = variants.make(folder, "image")
        assert done.returncode == 0, done.stdout
        assert not leftovers(folder)
        built = disk.Disk(disk.raw_copy(folder / "keel.qcow2", folder / "copy.raw"))
        usual = disk.Disk(disk.raw_copy(settings.IMAGE, folder / "usual.raw"))
        assert built.head() == usual.head()
        for name in ("/boot/grub/grub.cfg", "/boot/keel.elf.gz", "/vmlinuz"):
            assert built.read(name) == usual.read(name), name
        subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder, check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.full
def test_killed_rootfs_steps_are_repaired():
    """The same for the guest's and the live system's, which take minutes."""
    folder = settings.WORK / "killed-rootfs"
    (folder / "rootfs").mkdir(parents=True)
    shutil.copytree(settings.BUILD / "rootfs" / "debs", folder / "rootfs" / "debs")
    shutil.copyfile(settings.BUILD / ".config", folder / ".config")
    try:
        for text in ("installing", "configuring", "making the file system", "installing live-boot",
                     "squashing", "iso +log"):
            kill_at(folder, "iso", text)
        done = variants.make(folder, "image", "iso")
        assert done.returncode == 0, done.stdout
        assert not leftovers(folder)
        for name in ("keel.manifest", "keel.iso.manifest"):
            assert (folder / name).read_bytes() == (settings.BUILD / name).read_bytes()
    finally:
        subprocess.run([settings.TREE / "scripts" / "remove", folder], check=True)
