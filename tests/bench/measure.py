# SPDX-License-Identifier: BSD-2-Clause
"""One boot of a guest of the benchmark, and what its workloads cost there."""
import os
import pathlib
import re
import time

import iso
import machine
import runner
import settings
import smp
import tables
import variants

FOLDER = pathlib.Path(os.environ.get("BENCH_OUT", settings.BUILD / "bench")).resolve()
PM_HZ = 3579545                         # ACPI 6.4, 4.8.3.3
QEMU_TSC_HZ = 1000000000                # with -icount shift=0
EVENT = re.compile(rb"BENCH (?P<what>start|end|none) (?P<name>\w+)(?P<rest>[^\r\n]*)\r?\n|"
                   rb"0x(?P<grub>[0-9a-f]+)\r?\n|"
                   rb"(?P<done>\] END\r?\n|DONE \d+ 0\r?\n)|"
                   rb"(?P<wrong>\bFAIL [^\n]*\n|keel: halted)")


def guest_files(guest):
    """What runs in it: the kernel and its initramfs, or the payload."""
    if guest == "linux":
        return [smp.KERNEL, smp.PROGRAMS / "initramfs"]
    return [settings.GUESTS / "bench64"]


def build(name):
    """Keel's file for one of the configurations; None is the bare machine."""
    config = tables.CONFIGS[name]
    if not config.keel:
        return None
    keel = variants.keel(config.symbols)
    made = (keel.parents[1] / ".config").read_text(encoding="utf-8") if config.symbols else ""
    known = (settings.TREE / "hypervisor" / "Kconfig").read_text(encoding="utf-8")
    for symbol, value in config.symbols:
        # Kconfig drops in silence what it does not know or cannot have.
        is_set = re.search(rf"^CONFIG_{symbol}=(.*)$", made, re.M)
        assert re.search(rf"^config {symbol}$", known, re.M) and (is_set[1] if is_set else "n") == value, \
            f"CONFIG_{symbol}={value} of the configuration {name!r} cannot be had"
    return keel


def boot_cd(path, where, keel, guest, workloads):
    files = guest_files(guest)
    if guest == "linux":
        rounds = ",".join(f"{w}:{tables.WORKLOADS[w].rounds}" for w in workloads if w != "boot")
        words = f"{smp.CONSOLE} bench={rounds}"
    else:
        words = "keel" if keel else "bare"
    if keel:
        iso.keel_iso(path, keel, files[0], words, "", *files[1:], last=[where.clock])
    else:
        iso.bare_iso(path, files[0], words, *files[1:], last=[where.clock])


def figures(text):
    """What a guest says behind "BENCH end NAME"."""
    said, exits = text.split(" exits")
    numbers = {key: int(value, 0) for key, value in re.findall(r"(\w+)=(\w+)", said)}
    return numbers | {"exits": {key: int(n) for key, n in re.findall(r"([\w-]+)=(\d+)", exits)}}


def since_grub(where, ticks, said):
    """The TSC's ticks since GRUB read the machine's clock, which said so much."""
    # The timer wraps 4.7 s after power-on; GRUB is there after 0.2.
    return ticks - (said * QEMU_TSC_HZ // PM_HZ if where.clock == tables.PM_TIMER else said)


def listen(m, where):
    """Follows a guest to its end: workload -> its figures, None for what the CPU does not have."""
    found, start, clock = {}, {}, 0
    while True:
        event = m.expect(EVENT).groupdict()
        now = time.monotonic()
        assert not event["wrong"], f"the guest failed\n{m.tail()}"
        if event["done"]:
            return found
        if event["grub"]:
            if "boot" not in start:
                start["boot"], clock = now, int(event["grub"], 16)
            continue
        name = event["name"].decode()
        if event["what"] == b"start":
            start[name] = now
        elif event["what"] == b"none":
            found[name] = None
        else:
            found[name] = figures(event["rest"].decode()) | {"seconds": now - start[name]}
            if name == "boot":
                found[name]["ticks"] = since_grub(where, found[name]["ticks"], clock)


def boot(name, cpus, config, keel, guest, workloads):
    """Runs workloads of one guest, in one boot."""
    where = tables.MACHINES[name]
    folder = FOLDER / "runs" / f"{name}-{cpus}-{config}-{guest}"
    folder.mkdir(parents=True, exist_ok=True)
    cdrom = folder / "boot.iso"

    def run():
        setup = machine.Setup(cdrom=cdrom, memory=512, cpus=cpus, linux=guest == "linux", extra=where.extra,
                              cpu=smp.MODELS[where.apic] if where.emulator == "qemu-svm" else None)
        with machine.MACHINES[where.emulator](setup, folder) as m:
            found = listen(m, where)
            m.wait_off()
            return found

    boot_cd(cdrom, where, keel, guest, workloads)
    try:
        return runner.with_retry(folder.name, run, bare=not keel)
    finally:
        cdrom.unlink(missing_ok=True)
