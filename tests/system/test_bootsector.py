# SPDX-License-Identifier: BSD-2-Clause
"""Disks whose boot sector Keel starts: a real-mode program of our own, bare and under Keel."""
import dataclasses
import pathlib
import re
import subprocess

import pytest

import debian
import iso
import machine
import runner
import settings
import smp
from test_payloads import assert_passed, assert_ram_is_bare_minus_hole

WORDS, WORDS_SIZE = 0x1a0, 0x18     # tests/guest/bios_start.S
DISK_SIZE = 8 * 16 * 63 * 512       # eight cylinders, as Bochs wants whole ones


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    lines: tuple            # GRUB's, for Keel
    drive: str = "hd0"
    memory: int = 256
    cpus: int = 1
    firmware: bool = True   # bare, the firmware starts the disk itself; else GRUB's chainloader

    def bare_id(self):
        return f"bios-bare-{self.drive}-{self.memory}-{self.cpus}"


CASES = [
    Case("module", ("multiboot2 /keel.elf", "module2 (hd0)+1 bootsector hd0"), cpus=2),
    # Little memory: the older calls' numbers reach up to Keel.
    Case("unnamed", ("multiboot2 /keel.elf", "module2 (hd0)+1 bootsector"), memory=48),
    # The program finds the text mode all the same: GRUB does so for what asks for no frame buffer.
    Case("graphics", ("insmod vbe", "set gfxpayload=640x480", "multiboot2 /keel.elf",
                      "module2 (hd0)+1 bootsector hd0"), cpus=2),
    Case("second", ("multiboot2 /keel.elf", "module2 (hd1)+1 bootsector hd1"), "hd1",
         firmware=False),
    Case("read", ("multiboot2 /keel.elf boot=hd1",), "hd1", firmware=False),
    Case("overruled", ("multiboot2 /keel.elf boot=hd1", "module2 (hd0)+1 bootsector hd0"), "hd1",
         firmware=False),
    Case("chosen", ("multiboot2 /keel.elf boot=hd1", "module2 (hd0)+1 bootsector hd0",
                    "module2 (hd1)+1 bootsector hd1"), "hd1", firmware=False),
]
BACKENDS = ("qemu-svm", "bochs-vmx")

# SAME lines that may differ where GRUB's chainloader starts the bare run: it turns off A20 and
# interrupts, which the firmware does not, and so Keel does not.
CHAINLOADER = r"A20|IF at entry|INT 15 2402 0: EAX"


def disk(path, words):
    data = bytearray((settings.GUESTS / "bios.disk").read_bytes())
    assert len(words) < WORDS_SIZE
    data[WORDS:WORDS + len(words)] = words.encode()
    path.write_bytes(data + bytes(DISK_SIZE - len(data)))
    return path


def other_disk(path):
    """One that nobody starts."""
    path.write_bytes(b"\xeb\xfeanother disk".ljust(510, b"\0") + b"\x55\xaa" +
                     bytes(DISK_SIZE - 512))
    return path


def setup_for(case, keel, folder):
    words = f"{'keel' if keel else 'bare'} {case.drive}"
    ours, other = disk(folder / "ours.raw", words), other_disk(folder / "other.raw")
    first, second = (ours, other) if case.drive == "hd0" else (other, ours)
    cdrom = None
    if keel or not case.firmware:
        cdrom = folder / "boot.iso"
        chain = (f"set root={case.drive}", "chainloader +1")
        iso.make_iso(cdrom, {"keel.elf": settings.KEEL} if keel else {},
                     case.lines if keel else chain)
    return machine.Setup(cdrom=cdrom, disk=first, second=second, memory=case.memory,
                         cpus=case.cpus)


def run(case, backend, keel):
    name = f"bios-{case.name}-{backend}-{'keel' if keel else 'bare'}"
    folder = settings.WORK / name
    folder.mkdir(parents=True, exist_ok=True)

    def once():
        with machine.MACHINES[backend](setup_for(case, keel, folder), folder) as m:
            m.expect(rb"BEGIN [^\n]*\n")
            m.expect(rb"DONE (\d+) (\d+)\r?\n")
            m.wait_off()
            return runner.parse(m.text(), m.tail())

    try:
        return runner.with_retry(name, once, bare=not keel)
    finally:
        for leftover in folder.glob("*.raw"):
            leftover.unlink()
        (folder / "boot.iso").unlink(missing_ok=True)


def bare_result(case, backend):
    return runner.once(settings.WORK / f"{case.bare_id()}-{backend}",
                       lambda: run(case, backend, keel=False))


def numbers(result, key):
    return [int(n, 16) for n in re.search(rf"^{key} (.*)$", result.text, re.M)[1].split()]


def assert_older_calls(bare, keel):
    """E801h and 88h are the firmware's, but for what Keel took; so is INT 12h."""
    top = numbers(keel, "REGION")[0]
    kib, blocks = (top - (1 << 20)) >> 10, (top - (16 << 20)) >> 16
    assert numbers(keel, "E801") == [min(n, most) for n, most in
                                     zip(numbers(bare, "E801"), [kib, blocks] * 2)]
    assert numbers(keel, "EXT88") == [min(numbers(bare, "EXT88")[0], kib)]
    assert 0 < numbers(bare, "INT12")[0] - numbers(keel, "INT12")[0] < 8


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in CASES])
def test_real_mode_program(case, backend):
    bare, keel = bare_result(case, backend), run(case, backend, keel=True)
    assert_passed(bare)
    assert_passed(keel)
    found = [f"{key}: bare {bare.same.get(key)}, under Keel {keel.same.get(key)}"
             for key in sorted(bare.same.keys() | keel.same.keys())
             if bare.same.get(key) != keel.same.get(key) and
             (case.firmware or not re.fullmatch(CHAINLOADER, key))]
    assert not found, "\n".join(found)
    assert_ram_is_bare_minus_hole(bare, keel)
    assert_older_calls(bare, keel)


@pytest.mark.parametrize("backend", BACKENDS)
def test_negative_control(backend):
    """The same program notices that Keel is not there."""
    case = dataclasses.replace(CASES[0], name="negative", firmware=True)
    folder = settings.WORK / f"bios-negative-{backend}"
    folder.mkdir(parents=True, exist_ok=True)
    setup = setup_for(case, True, folder)
    setup.cdrom = None
    with machine.MACHINES[backend](setup, folder) as m:
        m.expect(rb"FAIL forced exit answers")


def generous_bios(path):
    """Bochs' BIOS, but it says that its E820 entries have 24 bytes."""
    data = pathlib.Path(settings.bochs_share(), "BIOS-bochs-latest").read_bytes()
    size = bytes.fromhex("b81400 31db")     # mov ax, 20; xor bx, bx
    assert data.count(size) == 1
    path.write_bytes(data.replace(size, bytes.fromhex("b81800 31db")))
    return path


def test_entries_of_24_bytes():
    """Where the firmware gives 24 bytes so does Keel, to those who have room for them."""
    case = dataclasses.replace(CASES[0], name="24-bytes")
    folder = settings.WORK / "bios-24-bytes"
    folder.mkdir(parents=True, exist_ok=True)

    def once():
        setup = setup_for(case, True, folder)
        setup.bios = generous_bios(folder / "bios")
        with machine.Bochs(setup, folder) as m:
            m.expect(rb"DONE (\d+) (\d+)\r?\n")
            m.wait_off()
            return runner.parse(m.text(), m.tail())

    result = runner.with_retry(folder.name, once)
    assert_passed(result)
    for size, flags, got, attributes in ((20, "200", 20, 0xeeeeeeee), (24, "401", 24, 1),
                                         (256, "8d5", 24, 1)):
        key = f"E820 for {size} bytes, flags {flags}"
        assert int(result.same[f"{key}: ECX"], 16) == got
        assert int(result.same[f"{key}: attributes"], 16) == attributes


def test_menu_entry_of_the_second_disk():
    case, folder = smp.Case("qemu-svm", "xapic", 1), settings.WORK / "bios-menu-disk1"

    def once():
        setup = debian.setup(case, folder)
        setup.second = disk(folder / "second.raw", "keel hd1")
        with machine.Qemu(setup, folder) as m:
            debian.choose(m, "disk1")
            m.expect(rb"keel: guest: the boot sector of hd1\r?\n")
            m.expect(rb"DONE (\d+) (\d+)\r?\n")
            m.wait_off()
            return runner.parse(m.text(), m.tail())

    assert_passed(runner.with_retry(folder.name, once))


def test_menu_without_a_second_disk():
    """GRUB cannot read it and asks for a key; then Keel says what is wrong."""
    case, folder = smp.Case("qemu-svm", "xapic", 1), settings.WORK / "bios-menu-no-disk1"

    def once():
        with machine.Qemu(debian.setup(case, folder), folder) as m:
            debian.choose(m, "disk1")
            m.expect(rb"error: [^\n]*hd1")
            m.expect(rb"Press any key")
            m.type(" ")
            m.expect(rb"keel: boot=hd1: there is no such disk, the firmware has 1\r?\n")
            m.expect(rb"keel: halted\r?\n")

    runner.with_retry(folder.name, once)


def test_debian_as_default_and_without_a_key():
    """The first disk's boot sector is the default: Keel starts once, and once after a reboot."""
    folder = settings.WORK / "bios-debian-default"
    folder.mkdir(parents=True, exist_ok=True)
    image = folder / "default.qcow2"
    subprocess.run([settings.TREE / "image" / "variant", settings.IMAGE, image,
                    "saved_entry=disk0", "timeout=1"], check=True)

    def once():
        setup = machine.Setup(disk=image, memory=512, board="q35", cpus=2)
        with machine.Qemu(setup, folder) as m:
            debian.login(m)
            debian.send_ping(m)
            debian.answer(m, "sync")
            assert "keel 0" in debian.answer(m, "taskset -c 0 ./ping")
            assert len(re.findall(r"^keel: Keel ", m.text(), re.M)) == 1, m.tail()
            m.type("reboot\r")
            m.expect(rb"keel: [^\n]*exits: total=(\d+)")
            debian.login(m)
            assert "keel 0" in debian.answer(m, "taskset -c 0 ./ping")
            debian.power_off(m)
            assert len(re.findall(r"^keel: Keel ", m.text(), re.M)) == 2, m.tail()

    runner.with_retry(folder.name, once)
    image.unlink()


def test_debian_on_the_second_disk():
    """Keel from a CD, Debian's disk as hd1: chosen by boot=."""
    folder = settings.WORK / "bios-debian-second"

    def once():
        setup = debian.setup(smp.Case("qemu-svm", "xapic", 2), folder)
        setup.second, setup.disk = setup.disk, other_disk(folder / "first.raw")
        setup.cdrom, setup.board = folder / "boot.iso", "pc"
        iso.make_iso(setup.cdrom, {"keel.elf": settings.KEEL}, ("multiboot2 /keel.elf boot=hd1",))
        with machine.Qemu(setup, folder) as m:
            debian.login(m)
            assert debian.answer(m, "nproc").strip() == "2"
            debian.power_off(m)
            assert re.search(r"^keel: power-off; exits:", m.text(), re.M), m.tail()

    runner.with_retry(folder.name, once)
