# SPDX-License-Identifier: BSD-2-Clause
"""Builds of Keel with another configuration than the one under test."""
import os
import re
import subprocess

import runner
import settings


def make(build, *args, path=None, wrap=()):
    env = {k: v for k, v in os.environ.items()
           if k not in ("O", "K", "PART", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "KCONFIG_CONFIG")}
    if path:
        env["PATH"] = path
    return subprocess.run([*wrap, "make", "-C", str(settings.TREE), f"O={build}", *args], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=600 * settings.TIMEOUT_SCALE)


def configure(build, **symbols):
    done = make(build, "amd64_defconfig")
    assert done.returncode == 0, done.stdout
    config = build / ".config"
    lines = [line for line in config.read_text().splitlines()
             if not any(re.match(rf"(# )?CONFIG_{name}\b", line) for name in symbols)]
    lines += [f"CONFIG_{name}={value}" for name, value in symbols.items()]
    config.write_text("\n".join(lines) + "\n")


def keel_with(**symbols):
    """Keel's file, built with these symbols; made once."""
    name = "-".join(f"{symbol}-{value}" for symbol, value in sorted(symbols.items()))

    def build():
        folder = settings.WORK / f"build-{name}"
        folder.mkdir(parents=True, exist_ok=True)
        configure(folder, **symbols)
        done = make(folder, "hypervisor")
        assert done.returncode == 0, done.stdout
        return folder / "hypervisor" / "keel.elf"

    return runner.once(settings.WORK / f"built-{name}", build)
