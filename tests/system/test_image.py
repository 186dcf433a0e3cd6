# SPDX-License-Identifier: BSD-2-Clause
"""The images have nothing of the build and all that the manifest says, and can be had again."""
import os
import re
import shutil
import subprocess
import zlib

import pytest

import debian
import disk
import settings
import variants


@pytest.fixture(name="image")
def the_disk():
    return disk.Disk(debian.raw_image())


def test_identity_is_not_made_yet(image):
    assert "machine-id" in image.folder("/etc") and image.read("/etc/machine-id") == b""
    assert not image.exists("/var/lib/dbus/machine-id")
    assert not image.exists("/var/lib/systemd/random-seed")
    assert not [name for name in image.folder("/etc/ssh") if "host" in name and "key" in name]


@pytest.mark.parametrize("folder", ["/var/log", "/var/lib/apt/lists", "/var/cache/apt",
                                    "/var/cache/ldconfig", "/tmp", "/var/tmp", "/run", "/dev"])
def test_no_leftovers(image, folder):
    assert [name for name in image.files(folder)
            if name not in ("/var/lib/apt/lists/lock", "/run/utmp")] == []


def test_no_backups(image):
    for folder in ("/etc", "/var/lib/dpkg", "/var/cache/debconf", "/"):
        assert not [name for name in image.folder(folder) if re.search(r"(-|-old|~|\.tmp)$", name)]
    assert not image.exists("/debootstrap") and not image.exists("/root/.bash_history")


def test_resolver_is_the_guests(image):
    assert image.link("/etc/resolv.conf") == "/run/systemd/resolve/resolv.conf"


def unpacked(initrd):
    return zlib.decompress(initrd, wbits=47) if initrd[:2] == b"\x1f\x8b" else initrd


def test_no_build_paths(image):
    paths = [os.fsencode(path) + b"/" for path in (settings.BUILD, settings.TREE)]
    assert image.contains(paths + [b"GRUB "]) == {b"GRUB "}
    initrd = unpacked((settings.BUILD / "image" / "initrd.img").read_bytes())
    assert b"TRAILER!!!" in initrd
    assert [path for path in paths if path in initrd] == []
    keel = unpacked(image.read("/boot/keel.elf.gz"))
    assert keel == settings.KEEL.read_bytes()
    assert [path for path in paths if path in keel] == []


def installed(status):
    """Lines as the manifest has them, from dpkg's own list."""
    lines = set()
    for paragraph in status.split("\n\n"):
        fields = dict(re.findall(r"^(\S+): (.*)$", paragraph, re.M))
        if fields.get("Status") == "install ok installed":
            lines.add("{Package} {Version} {Architecture}".format(**fields))
    return lines


def test_manifest(image):
    manifest = (settings.BUILD / "keel.manifest").read_text().splitlines()
    assert set(manifest) == installed(image.text("/var/lib/dpkg/status"))
    assert any(line.startswith("linux-image-") for line in manifest)


def test_sums():
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=settings.BUILD, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout
    for name in ("keel.qcow2", "keel.manifest"):
        assert f"{name}: OK" in done.stdout


def test_size():
    assert settings.IMAGE.stat().st_size < 400 << 20


def assert_same_disk(one, two):
    subprocess.run([settings.emulator("qemu-img"), "compare", "-q", one, two], check=True)


def test_same_bits_in_another_folder(image):
    """Keel, GRUB and its menu do not depend on where and when they were built; all formats agree."""
    other = variants.seeded(settings.WORK / "other")
    variants.configure(other, IMAGE_COMPRESSED="n", IMAGE_RAW="y", IMAGE_VMDK="y",
                       IMAGE_ISO="n")
    try:
        done = variants.make(other, "image")
        assert done.returncode == 0, done.stdout
        assert "rootfs" not in done.stdout, done.stdout
        assert (other / "hypervisor" / "keel.elf").read_bytes() == settings.KEEL.read_bytes()
        for name in ("keel.qcow2", "keel.vmdk"):
            assert_same_disk(other / "keel.raw", other / name)
        sums = (other / "SHA256SUMS").read_text().splitlines()
        assert [line.split()[1] for line in sums] == ["keel.qcow2", "keel.raw", "keel.vmdk",
                                                      "keel.manifest"]
        again = disk.Disk(other / "keel.raw")
        assert again.head() == image.head()
        for name in ("/boot/keel.elf.gz", "/boot/grub/grub.cfg", "/boot/grub/grubenv"):
            assert again.read(name) == image.read(name), name
        assert (other / "keel.manifest").read_bytes() == \
            (settings.BUILD / "keel.manifest").read_bytes()
    finally:
        shutil.rmtree(other, ignore_errors=True)
