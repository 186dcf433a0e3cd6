# SPDX-License-Identifier: BSD-2-Clause
"""Where things are, and how patient the tests are."""
import os
import pathlib
import shlex

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("O", TREE / "build")).resolve()
WORK = BUILD / "tests" / "system"
GUESTS = BUILD / "tests" / "guest"
KEEL = pathlib.Path(os.environ.get("KEEL_ELF", BUILD / "keel.elf"))
IMAGE = BUILD / "keel.qcow2"

# No deadline below is a measurement: each only ends a run that hangs.
TIMEOUT_SCALE = float(os.environ.get("KEEL_TIMEOUT_SCALE", "1"))


def emulator(name):
    """The emulator's command; a missing one fails the test that needs it."""
    path = BUILD / "emulators" / "bin" / name
    if not path.exists():
        raise AssertionError(f"{path} is missing: run `make emulators`")
    return str(path)


def bochs_share():
    """The folder of Bochs' BIOS images, as `make emulators` left it."""
    env = BUILD / "emulators" / "env"
    if not env.exists():
        raise AssertionError(f"{env} is missing: run `make emulators`")
    for line in env.read_text().splitlines():
        key, _, value = line.removeprefix("export ").partition("=")
        if key == "KEEL_BOCHS_SHARE":
            return shlex.split(value)[0]
    raise AssertionError(f"{env} does not set KEEL_BOCHS_SHARE")
