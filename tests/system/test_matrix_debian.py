# SPDX-License-Identifier: BSD-2-Clause
"""Debian 11 of i386 and amd64 to login on each Keel of matrix.py's table.

Three root file systems are built, by the defconfigs of the subarchs. Other pairs are those with another
Keel in the image. Debian of amd64 on Keel amd64 is test_debian.py's.
"""
import hashlib
import re
import shutil

import pytest

import debian
import machine
import matrix
import runner
import settings
import smp
import variants

pytestmark = pytest.mark.first
OWN = {"686": "i386", "686-pae": "PAE"}     # the guest -> the Keel whose defconfig has it
SHORT = (("PAE-qemu-svm-686-pae", "keel"),)     # what `make check` has of them
RUNS = [(cell, "keel") for cell in matrix.CELLS
        if cell.outcome != matrix.REFUSED and (cell.keel, cell.guest) != ("amd64", "amd64")]
RUNS += [(cell, "disk0") for cell in matrix.CELLS if (cell.keel, cell.guest) == ("i386", "686")]
COMMANDS = ("uname -rm", "systemctl --failed --no-legend --plain", "keelctl verify",
            "dmesg --kernel --level=err,crit,alert,emerg")


def base(guest):
    """The build folder of the defconfig that has this guest."""
    folder = settings.WORK / f"subarch-{guest}"

    def build():
        shutil.rmtree(folder, ignore_errors=True)
        assert variants.make(folder, f"{OWN[guest].lower()}_defconfig").returncode == 0
        mirror = re.search(r'^CONFIG_DEBIAN_MIRROR=(.*)$', (settings.BUILD / ".config").read_text(), re.M)[1]
        variants.configure(folder, DEBIAN_MIRROR=mirror, IMAGE_ISO="n", IMAGE_COMPRESSED="n")
        done = variants.make(folder, "image")
        assert done.returncode == 0, done.stdout
        return folder

    return runner.once(folder, build)


def image(cell):
    """The build folder of the image with this Keel and this guest."""
    if OWN.get(cell.guest) == cell.keel:
        return base(cell.guest)
    folder = settings.WORK / f"subarch-{cell.keel}-{cell.guest}"

    def build():
        guest = variants.seeded(folder, base(cell.guest))
        symbols = {f"SUBARCH_{keel.upper()}": "y" if keel == cell.keel else "n" for keel in matrix.KEELS}
        variants.configure(guest, DEBIAN_ARCH='"i386"', DEBIAN_KERNEL=f'"{cell.guest}"', **symbols)
        done = variants.make(guest, "image")
        assert done.returncode == 0, done.stdout
        return guest

    return runner.once(folder, build)


def setup_for(cell, folder):
    built = image(cell)
    if cell.backend == "qemu-svm":
        return machine.Setup(disk=debian.overlay(folder, built / "keel.qcow2"), memory=512, board="q35", cpus=2)
    return machine.Setup(disk=built / "image" / "disk.raw", memory=512, cpus=2)


def session(cell, entry):
    """Logs in and powers off: the console and the commands' output."""
    folder = settings.WORK / f"subarch-run-{cell.id()}-{entry}"

    def once():
        with machine.MACHINES[cell.backend](setup_for(cell, folder), folder) as m:
            debian.choose(m, entry)
            debian.login(m)
            debian.send_ping(m, "ping32")
            answers = [debian.answer(m, command).strip() for command in (debian.COMMANDS["pings"], *COMMANDS)]
            debian.power_off(m)
            return m.text(), answers

    try:
        return runner.with_retry(folder.name, once)
    finally:
        for leftover in ("disk.qcow2", "journal"):
            (folder / leftover).unlink(missing_ok=True)


def done_file(cell, entry):
    """What says that this very Keel passed: an interrupted run of check-full goes on where it was."""
    digest = hashlib.sha256(variants.keel(matrix.KEELS[cell.keel]).read_bytes()).hexdigest()[:12]
    return settings.BUILD / "tests" / f"login-{digest}-{cell.id()}-{entry}"


@pytest.mark.parametrize("cell, entry", [
    pytest.param(c, e, id=f"{c.id()}-{e}", marks=[] if (c.id(), e) in SHORT else [pytest.mark.full])
    for c, e in RUNS])
def test_login(cell, entry):
    done = done_file(cell, entry)
    if (cell.id(), entry) not in SHORT and done.exists():
        return
    text, (pings, uname, failed, verify, errors) = session(cell, entry)
    assert sorted(int(n) for n in re.findall(r"^keel (\d+)$", pings, re.M)) == [0, 1], pings
    assert re.fullmatch(rf"5\.10\.\d+-\d+-{cell.guest} i686", uname), uname
    assert failed == ""
    assert "FAILED" not in verify and "2 CPUs" in verify, verify
    assert not re.search(smp.TROUBLE, errors), errors
    assert re.search(rf"^keel: Keel \S+ {cell.keel} by ", text, re.M)
    assert len(re.findall(r"^keel: Keel ", text, re.M)) == 1
    assert bool(re.search(r"^keel: guest: the boot sector of hd0$", text, re.M)) == (entry == "disk0")
    done.write_text(smp.exit_counts(text) + "\n", encoding="ascii")
