# SPDX-License-Identifier: BSD-2-Clause
"""What is wrong is said in one line that names cause and remedy; nothing hangs or crashes."""
import dataclasses
import pathlib
import re
import struct

import pytest

import iso
import machine
import payloads
import runner
import settings
import variants

GUEST = "hypercall32"
INITRD_ADDR_MAX, INIT_SIZE = 0x22c, 0x260   # in the kernel's setup header


def kernel():
    return (settings.GUESTS / GUEST).read_bytes()


def kernel64():
    return (settings.GUESTS / "hypercall64").read_bytes()


def patched(offset, value):
    data = bytearray(kernel())
    struct.pack_into("<I", data, offset, value)
    return bytes(data)


def locked_bios():
    """Bochs' BIOS, but it locks IA32_FEATURE_CONTROL with VMX off: 1 where it had 5."""
    data = pathlib.Path(settings.bochs_share(), "BIOS-bochs-latest").read_bytes()
    set_and_write = bytes.fromhex("83c8 05 0f30")    # or eax, 5; wrmsr
    assert data.count(set_and_write) == 2
    return data.replace(set_and_write, bytes.fromhex("83c8 01 0f30"))


@dataclasses.dataclass
class Case:
    name: str
    says: str                   # what the line must match
    backend: str = "qemu-svm"
    cpu: str = None
    bios: callable = None       # Bochs'
    memory: int = 256
    config: tuple = ()          # of Keel, where it is another than the usual
    kernel: callable = kernel
    initrd: int = 0             # bytes
    disk: bool = False          # an empty one
    lines: tuple = ("multiboot2 /keel.elf", "module2 /kernel vmlinuz keel")


CASES = [
    Case("no-svm", r"shows no .*SVM.*firmware", cpu="EPYC,-svm"),
    Case("no-vmx", r"shows no .*VMX.*firmware", "bochs-vmx", "p4_prescott_celeron_336"),
    Case("locked", r"VMX: .*locked off by the firmware.*enable", "bochs-vmx", bios=locked_bios),
    Case("no-npt", r"SVM: .*nested paging.*needs", cpu="EPYC,+svm,-npt"),
    Case("no-ept", r"VMX: .*EPT", "bochs-vmx", "core2_penryn_t9600"),
    Case("no-unrestricted-guest", r"VMX: .*unrestricted", "bochs-vmx", "corei5_lynnfield_750"),
    Case("no-module", r"no kernel: .*module2", lines=("multiboot2 /keel.elf",)),
    Case("no-vmlinuz-word", r"no kernel: .*vmlinuz",
         lines=("multiboot2 /keel.elf", "module2 /kernel other")),
    Case("empty-kernel", r"kernel.*truncated", kernel=lambda: b"\0"),
    Case("header-only", r"kernel.*truncated", kernel=lambda: kernel()[:0x400]),
    Case("half-kernel", r"kernel.*truncated", kernel=lambda: kernel()[:len(kernel()) // 2]),
    Case("text-as-kernel", r"[Nn]ot a Linux kernel", kernel=lambda: b"no kernel at all\n" * 1000),
    Case("elf-as-kernel", r"[Nn]ot a Linux kernel", kernel=settings.KEEL.read_bytes),
    Case("kernel-too-large", r"memory", kernel=lambda: patched(INIT_SIZE, 1 << 30)),
    Case("initrd-too-large", r"initrd.*too large", kernel=lambda: patched(INITRD_ADDR_MAX, 0x1ffffff),
         initrd=40 << 20, lines=("multiboot2 /keel.elf", "module2 /kernel vmlinuz keel",
                                 "module2 /initrd initrd")),
    Case("apic-unknown", r"apic=sometimes .*use safe, fast or wait",
         lines=("multiboot2 /keel.elf apic=sometimes", "module2 /kernel vmlinuz keel")),
    Case("apic-wait", r"apic=wait is impossible: SVM .*apic=safe",
         lines=("multiboot2 /keel.elf apic=wait", "module2 /kernel vmlinuz keel")),
    Case("sector-without-signature", r"hd0: its first sector has no signature.*install a boot loader",
         disk=True, lines=("multiboot2 /keel.elf", "module2 (hd0)+1 bootsector hd0")),
    Case("disk-without-signature", r"hd0: its first sector has no signature.*install a boot loader",
         disk=True, lines=("multiboot2 /keel.elf boot=hd0",)),
    Case("disk-without-signature", r"hd0: its first sector has no signature.*install a boot loader",
         "bochs-vmx", disk=True, lines=("multiboot2 /keel.elf boot=hd0",)),
    Case("sector-truncated", r"hd0: the boot sector is truncated: .*module2 \(hd0\)\+1",
         kernel=lambda: bytes(511), disk=True,
         lines=("multiboot2 /keel.elf", "module2 /kernel bootsector hd0")),
    Case("no-such-disk", r"boot=hd1: there is no such disk, the firmware has 1", disk=True,
         lines=("multiboot2 /keel.elf boot=hd1",)),
    Case("no-such-disk", r"boot=hd0: there is no such disk, the firmware has 0", "bochs-vmx",
         lines=("multiboot2 /keel.elf boot=hd0",)),
    Case("sector-of-no-disk", r"bootsector hd7: there is no such disk, the firmware has 1",
         disk=True, lines=("multiboot2 /keel.elf", "module2 (hd0)+1 bootsector hd7")),
    Case("boot-unknown", r"boot=sda is unknown: use boot=hd0, boot=hd1",
         lines=("multiboot2 /keel.elf boot=sda",)),
    Case("sector-unknown", r"bootsector first is unknown: use bootsector hd0", disk=True,
         lines=("multiboot2 /keel.elf", "module2 (hd0)+1 bootsector first")),
    Case("64-bit-kernel-on-pae", r"a 64-bit kernel, which Keel PAE cannot run: use a 32-bit kernel",
         config=payloads.PAE, kernel=kernel64),
    Case("64-bit-kernel-on-i386", r"a 64-bit kernel, which Keel i386 cannot run: use a 32-bit kernel",
         "bochs-vmx", config=payloads.I386, kernel=kernel64),
    Case("two-level-nested-table", r"SVM: this CPU does not walk a nested page table of .* i386",
         config=payloads.I386),
    Case("too-little-memory", r"too little memory|not enough memory", memory=4),
]


def boot_cd(case, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernel").write_bytes(case.kernel())
    files = {"keel.elf": variants.keel(case.config), "kernel": folder / "kernel"}
    if case.initrd:
        with open(folder / "initrd", "wb") as f:
            f.truncate(case.initrd)
        files["initrd"] = folder / "initrd"
    iso.make_iso(folder / "boot.iso", files, case.lines)
    return folder / "boot.iso"


@pytest.mark.parametrize("case", [pytest.param(c, id=f"{c.name}-{c.backend}") for c in CASES])
def test_refusal(case):
    folder = settings.WORK / f"bad-{case.name}-{case.backend}"

    def run():
        setup = machine.Setup(cdrom=boot_cd(case, folder), memory=case.memory, cpu=case.cpu)
        if case.disk:
            setup.disk = folder / "disk.raw"
            setup.disk.write_bytes(bytes(8 * 16 * 63 * 512))
        if case.bios:
            setup.bios = folder / "bios"
            setup.bios.write_bytes(case.bios())
        with machine.MACHINES[case.backend](setup, folder) as m:
            m.expect(rb"keel: halted\r?\n")
            return m.text(), m.tail()

    text, tail = runner.with_retry(folder.name, run)
    (folder / "boot.iso").unlink()
    lines = [line for line in text.splitlines() if line.startswith("keel: ")]
    reasons = [line for line in lines if re.search(case.says, line)]
    assert len(reasons) == 1, tail
    assert lines[-2:] == [reasons[0], "keel: halted"], tail
    assert "BEGIN" not in text, tail
