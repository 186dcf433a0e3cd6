# SPDX-License-Identifier: BSD-2-Clause
"""Small boot CDs: GRUB, and one payload with or without Keel."""
import pathlib
import shutil
import subprocess

MODULES = "normal linux multiboot2 iso9660 biosdisk serial terminal test echo boot chain vbe rdmsr iorw"


def grub_config(lines):
    return "\n".join(["serial --unit=0 --speed=115200", "terminal_output serial",
                      *lines, "boot", ""])


def make_iso(path, files, lines):
    """files: name on the CD -> host file; lines: GRUB commands up to the boot."""
    root = pathlib.Path(f"{path}.root")
    shutil.rmtree(root, ignore_errors=True)
    (root / "boot" / "grub").mkdir(parents=True)
    for name, source in files.items():
        shutil.copyfile(source, root / name)
    (root / "boot" / "grub" / "grub.cfg").write_text(grub_config(lines))
    done = subprocess.run(
        ["grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "--locales=", "--themes=", "--fonts=",
         f"--install-modules={MODULES}", "-o", str(path), str(root)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    shutil.rmtree(root)
    assert done.returncode == 0, f"grub-mkrescue failed:\n{done.stdout}"


def bare_iso(path, payload, cmdline, initrd=None, last=()):
    """last: GRUB commands right before the boot."""
    files, lines = {"payload": payload}, [f"linux /payload {cmdline}"]
    if initrd:
        files["initrd"] = initrd
        lines.append("initrd /initrd")
    make_iso(path, files, [*lines, *last])


def keel_iso(path, keel, payload, cmdline, keel_options="", initrd=None, last=()):
    """The same under Keel; keel_options: Keel's own words."""
    files = {"keel.elf": keel, "payload": payload}
    lines = [f"multiboot2 /keel.elf {keel_options}".strip(),
             f"module2 --nounzip /payload vmlinuz {cmdline}"]
    if initrd:
        files["initrd"] = initrd
        lines.append("module2 --nounzip /initrd initrd")
    make_iso(path, files, [*lines, *last])
