# SPDX-License-Identifier: BSD-2-Clause
"""Other systems than the usual image: Debian 12, Debian 13, and Debian 11 with a GRUB of its own.

Each is built here, which takes minutes, and started by the ways that Keel has.
"""
import dataclasses
import re
import shutil

import pytest

import debian
import iso
import machine
import runner
import settings
import smp
import variants

pytestmark = pytest.mark.full
KERNELS = {"bookworm": "6.1.", "trixie": "6.12."}
CASE = smp.Case("qemu-svm", "xapic", 2)
releases = pytest.mark.parametrize("suite", KERNELS)


def build(name, defconfig, **symbols):
    """An image of another configuration, from the usual mirror."""
    folder = settings.WORK / f"guest-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    assert variants.make(folder, defconfig).returncode == 0
    mirror = re.search(r'^CONFIG_DEBIAN_MIRROR=(.*)$', (settings.BUILD / ".config").read_text(), re.M)[1]
    variants.configure(folder, DEBIAN_MIRROR=mirror, IMAGE_ISO="n", **symbols)
    done = variants.make(folder, "image")
    assert done.returncode == 0, done.stdout
    return folder / "keel.qcow2"


def image(suite):
    return runner.once(settings.WORK / f"image-{suite}", lambda: build(suite, f"{suite}_defconfig"))


def session(name, setup, entry, commands):
    """Logs in, on Keel with all CPUs, and powers off; the commands' output."""
    def once():
        with machine.Qemu(setup, settings.WORK / name) as m:
            if entry:
                debian.choose(m, entry)
            debian.login(m)
            debian.send_ping(m)
            answers = [debian.answer(m, command) for command in (debian.COMMANDS["pings"], *commands)]
            debian.power_off(m)
            assert re.search(r"^keel: power-off; exits:", m.text(), re.M), m.tail()
            return answers

    pings, *answers = runner.with_retry(name, once)
    assert sorted(int(n) for n in re.findall(r"^keel (\d+)$", pings, re.M)) == [0, 1], pings
    return [answer.strip() for answer in answers]


@releases
def test_linux_protocol(suite):
    """The image's own menu: Keel starts the kernel."""
    folder = settings.WORK / f"guest-{suite}-linux"
    setup = dataclasses.replace(debian.setup(CASE, folder), disk=debian.overlay(folder, image(suite)))
    release, failed, trouble = session(folder.name, setup, "keel", (
        "uname -r", "systemctl --failed --no-legend --plain", "dmesg --level=err,crit,alert,emerg"))
    assert release.startswith(KERNELS[suite]) and failed == ""
    assert not re.search(smp.TROUBLE, trouble), trouble


@releases
def test_second_disk(suite):
    """Debian 11's menu starts the second disk's boot sector; menus as they are made."""
    folder = settings.WORK / f"guest-{suite}-second"
    (folder / "second").mkdir(parents=True, exist_ok=True)
    setup = dataclasses.replace(debian.setup(CASE, folder),
                                second=debian.overlay(folder / "second", image(suite)))
    release, root = session(folder.name, setup, "disk1", ("uname -r", "findmnt -no SOURCE /"))
    assert release.startswith(KERNELS[suite]) and root.startswith("/dev/sdb"), root


def test_debian_11_with_its_own_grub():
    """grub-install and update-grub in the guest, as its installer does; Keel comes from a CD."""
    folder = settings.WORK / "guest-grub"
    built = build("grub-pc", "amd64_defconfig", DEBIAN_PACKAGES='"grub-pc"')
    setup = dataclasses.replace(debian.setup(CASE, folder), disk=debian.overlay(folder, built))
    with machine.Qemu(setup, folder) as m:
        debian.choose(m, "bare")
        debian.login(m)
        debian.answer(m, "echo 'GRUB_CMDLINE_LINUX=console=ttyS0,115200' >>/etc/default/grub")
        debian.answer(m, "grub-install /dev/sda && update-grub")
        debian.power_off(m)
    setup.cdrom = folder / "boot.iso"
    iso.make_iso(setup.cdrom, {"keel.elf": settings.KEEL},
                 ("multiboot2 /keel.elf", "module2 (hd0)+1 bootsector hd0"))
    cmdline, = session(folder.name, setup, None, ("cat /proc/cmdline",))
    assert "BOOT_IMAGE=/boot/vmlinuz-5.10" in cmdline
