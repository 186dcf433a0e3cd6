# SPDX-License-Identifier: BSD-2-Clause
"""The live system: from a CD and from a stick, on Keel and bare."""
import re
import subprocess

import pytest

import debian
import disk
import machine
import runner
import settings

ISO = settings.BUILD / "keel.iso"
MEDIA = ("cd", "stick")
COMMANDS = {
    "root": "findmnt -n -o FSTYPE /",
    "medium": "findmnt -n -o FSTYPE,SOURCE /run/live/medium",
    "units": "systemctl --failed --no-legend --plain",
    "ping": "./ping 2>&1 || echo bare",
    "write": "echo word >/root/file && cat /root/file",
}


def run_live(medium, entry):
    folder = settings.WORK / f"iso-{medium}-{entry}"
    setup = machine.Setup(memory=512, board="q35")
    if medium == "cd":
        setup.cdrom = ISO
    else:
        setup.extra = ("-drive", f"file={ISO},format=raw,snapshot=on")

    def run():
        with machine.Qemu(setup, folder) as m:
            debian.choose(m, entry)
            debian.login(m)
            debian.send_ping(m)
            answers = {name: debian.answer(m, command) for name, command in COMMANDS.items()}
            debian.power_off(m)
            return answers

    return runner.with_retry(folder.name, run, bare=entry == "bare")


@pytest.mark.parametrize("entry", ("keel", pytest.param("bare", marks=pytest.mark.full)))
@pytest.mark.parametrize("medium", MEDIA)
def test_login_and_power_off(medium, entry):
    answers = run_live(medium, entry)
    assert answers["root"].strip() == "overlay"
    assert re.match(r"iso9660 +/dev/" + ("sr0" if medium == "cd" else "sd"), answers["medium"])
    assert answers["units"].strip() == ""
    assert re.search(r"^keel 0+$" if entry == "keel" else "^bare$", answers["ping"].strip(), re.M)
    assert answers["write"].strip() == "word"


def test_size():
    assert ISO.stat().st_size < 400 << 20


def test_manifest():
    """What the disk has, and live-boot."""
    live, usual = ((settings.BUILD / name).read_text().splitlines()
                   for name in ("keel.iso.manifest", "keel.manifest"))
    assert set(usual) < set(live)
    assert any(line.startswith("live-boot ") for line in live)


def listing():
    """Path -> size of what is no folder in the squashed root file system."""
    squashfs = settings.BUILD / "rootfs" / "live" / "filesystem.squashfs"
    found = {}
    for line in disk.run("unsquashfs", "-lls", str(squashfs)).decode().splitlines():
        fields = re.match(r"[-l]\S+ \S+ +(\d+) \S+ \S+ squashfs-root(/.*?)(?: -> .*)?$", line)
        if fields:
            found[fields[2]] = int(fields[1])
    return found


def test_clean():
    files = listing()
    assert files["/etc/machine-id"] == 0
    assert not [path for path in files if re.search(
        r"^/(var/log|var/cache/apt|tmp|var/tmp|dev|run/(systemd|debs))/|"
        r"^/var/lib/apt/lists/.*_|ssh_host|^/usr/sbin/policy-rc\.d|^/etc/.*-$", path)]


def test_iso_has_these_files():
    """The image is made of the files that the other tests look at."""
    out = disk.run("xorriso", "-indev", str(ISO), "-find", "/", "-exec", "lsdl", "--").decode()
    live = settings.BUILD / "rootfs" / "live"
    for name, path in (("vmlinuz", "/vmlinuz"), ("initrd.img", "/initrd.img"),
                       ("filesystem.squashfs", "/live/filesystem.squashfs")):
        assert re.search(rf" {(live / name).stat().st_size} .* '{re.escape(path)}'$", out, re.M), out


@pytest.mark.parametrize("path", [settings.BUILD, settings.TREE])
def test_no_build_paths(path):
    subprocess.run(["grep", "-c", "-F", "-a", "KEEL", str(ISO)], stdout=subprocess.DEVNULL, check=True)
    done = subprocess.run(["grep", "-q", "-F", "-a", f"{path}/", str(ISO)], check=False)
    assert done.returncode == 1
