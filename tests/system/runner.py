# SPDX-License-Identifier: BSD-2-Clause
"""Runs one payload guest and says what came of it."""
import dataclasses
import fcntl
import hashlib
import pickle
import re

import iso
import machine
import settings
import variants

retries = []    # what the emulator did wrong and a second run made good, for the summary


def with_retry(what, run, bare=False):
    """What the emulator does wrong is worth a second run, once, and is never silent.

    That is a crash of its own, and a hang where no Keel runs.
    """
    try:
        return run()
    except (machine.EmulatorCrash, *([machine.Silence] if bare else [])) as wrong:
        retries.append(f"{what}: {str(wrong).splitlines()[0]}; run again")
        (settings.WORK / "retries").open("a").write(retries[-1] + "\n")
        return run()


def once(path, make):
    """make()'s value, made by one process and kept in a file for the others."""
    with open(f"{path}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = path.with_suffix(".pickle")
        if kept.exists():
            return pickle.loads(kept.read_bytes())
        value = make()
        kept.write_bytes(pickle.dumps(value))
        return value


def kept(name):
    """Where something of this very Keel is kept: long runs that were interrupted go on where they were."""
    digest = hashlib.sha256(settings.KEEL.read_bytes()).hexdigest()[:12]
    return settings.BUILD / "tests" / f"{name}-{digest}"


@dataclasses.dataclass
class Result:
    passed: int
    failed: list
    same: dict
    text: str
    tail: str


def parse(text, tail):
    body = text[text.rindex("BEGIN "):]
    passed = len(re.findall(r"^PASS ", body, re.M))
    failed = re.findall(r"^FAIL .*", body, re.M)
    same = dict(re.findall(r"^SAME (.*): ([0-9a-f]+)$", body, re.M))
    return Result(passed, failed, same, text, tail)


def console(result):
    return "\n" + "\n".join(result.failed) + "\n" + result.tail


def iso_for(payload, width, keel, token, folder):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "boot.iso"
    guest = settings.GUESTS / f"{payload.name}{width}"
    words = [token, "ia32" if keel and payload.on_ia32() else "", payload.options]
    cmdline = " ".join(word for word in words if word)
    if keel:
        iso.keel_iso(path, variants.keel(payload.config), guest, cmdline, payload.keel_options)
    else:
        iso.bare_iso(path, guest, cmdline)
    return path


def setup_for(payload, cdrom):
    return machine.Setup(cdrom=cdrom, memory=payload.memory, cpus=payload.cpus, cpu=payload.cpu,
                         board=payload.board)


def run_payload(payload, width, backend, keel, token=None):
    """One run to its end; the result, or an AssertionError with the console's tail."""
    token = token or ("keel" if keel else "bare")
    name = f"{payload.id()}-{width}-{backend}-{'keel' if keel else 'bare'}-{token}"
    folder = settings.WORK / name

    def run():
        cdrom = iso_for(payload, width, keel, token, folder)
        with machine.MACHINES[backend](setup_for(payload, cdrom), folder) as m:
            m.expect(rb"BEGIN [^\n]*\n")
            if payload.halts:
                m.expect(rb"keel: halted\r?\n")
                text = m.text()
                return Result(1, re.findall(r"^FAIL .*", text, re.M), {}, text, m.tail())
            if payload.resets:
                m.expect(rb"ENDING [^\n]*\n")
                m.expect(rb"BEGIN [^\n]*\n")
                text = m.text()
                return Result(1, re.findall(r"^FAIL .*", text, re.M), {}, text, m.tail())
            if payload.powers_off:
                m.expect(rb"ENDING [^\n]*\n")
                m.wait_off()
                text = m.text()
                return Result(1, re.findall(r"^FAIL .*", text, re.M), {}, text, m.tail())
            done = m.expect([rb"DONE (\d+) (\d+)\r?\n", rb"BEGIN "])
            assert done.re.groups == 2, f"the machine was reset\n{m.tail()}"
            m.wait_off()
            result = parse(m.text(), m.tail())
            assert int(done[1]) == result.passed and int(done[2]) == len(result.failed), \
                f"lines and DONE disagree{console(result)}"
            return result

    try:
        return with_retry(name, run, bare=not keel)
    finally:
        (folder / "boot.iso").unlink(missing_ok=True)


def bare_result(payload, width, backend):
    """The bare run's result; made once."""
    return once(settings.WORK / f"bare-{payload.bare_id()}-{width}-{backend}",
                lambda: run_payload(payload, width, backend, keel=False))
