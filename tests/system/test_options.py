# SPDX-License-Identifier: BSD-2-Clause
"""A guest with all that its configuration can add: built once, started once."""
import os
import re
import shutil
import socket
import subprocess

import pytest

import debian
import disk
import machine
import runner
import settings
import variants

FOLDER = settings.WORK / "options"
HOOK = """#!/bin/sh
set -e
echo "from the hook as $(id -un), overlay $(cat '/etc/an overlay file')" >/root/hook
rm -rf /var/lib/apt/lists && ln -s "@FOLDER@/precious" /var/lib/apt/lists
sleep 1000 &
test "$(ls -l /etc/resolv.conf | wc -l)" = 1
dpkg -s openssh-server >/dev/null
"""


def build():
    """The image with an SSH server, another kernel, a package, an overlay and a script."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "rootfs").mkdir(parents=True)
    shutil.copytree(settings.BUILD / "rootfs" / "debs", FOLDER / "rootfs" / "debs",
                    copy_function=os.link)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", FOLDER / "key"], check=True)
    (FOLDER / "over" / "etc").mkdir(parents=True)
    (FOLDER / "over" / "bin").mkdir()
    (FOLDER / "over" / "etc" / "an overlay file").write_text("laid over")
    (FOLDER / "over" / "bin" / "hello").write_text("#!/bin/sh\necho hello\n")
    (FOLDER / "over" / "bin" / "hello").chmod(0o755)
    (FOLDER / "over" / "var" / "run").mkdir(parents=True)
    (FOLDER / "over" / "var" / "run" / "keel-overlay").touch()
    (FOLDER / "precious").mkdir()
    (FOLDER / "precious" / "file").touch()
    (FOLDER / "hook").write_text(HOOK.replace("@FOLDER@", str(FOLDER)))
    shutil.copyfile(settings.BUILD / ".config", FOLDER / ".config")
    variants.configure(
        FOLDER, DEBIAN_SSH="y", DEBIAN_SSH_KEYS=f'"{FOLDER}/key.pub"', DEBIAN_KERNEL='"cloud-amd64"',
        DEBIAN_PACKAGES='"tree"', DEBIAN_OVERLAY=f'"{FOLDER}/over"', DEBIAN_HOOK=f'"{FOLDER}/hook"',
        IMAGE_COMPRESSED="n")
    done = variants.make(FOLDER, "image")
    assert done.returncode == 0, done.stdout
    disk.raw_copy(FOLDER / "keel.qcow2", FOLDER / "keel.raw")
    return FOLDER / "keel.qcow2"


@pytest.fixture(name="built")
def the_image():
    return runner.once(settings.WORK / "options-image", build)


@pytest.fixture(name="content")
def its_disk(built):
    return disk.Disk(built.with_suffix(".raw"))


def test_packages(built):
    names = [line.split()[0] for line in built.with_suffix(".manifest").read_text().splitlines()]
    assert {"tree", "openssh-server", "linux-image-cloud-amd64"} <= set(names)
    assert "linux-image-amd64" not in names


def test_overlay_and_hook(content):
    assert content.text("/root/hook") == "from the hook as root, overlay laid over\n"
    assert content.link("/bin") == "usr/bin"
    assert content.folder("/usr/bin")["hello"] == 0o100755
    assert not content.exists("/usr/sbin/policy-rc.d") and content.files("/run") == []


def test_links_of_the_guest_do_not_lead_into_the_host(content):
    """/var/run is an absolute link in the guest, and so is what the script made."""
    assert content.link("/var/lib/apt/lists") == str(FOLDER / "precious")
    assert (FOLDER / "precious" / "file").exists()
    assert not os.path.lexists("/run/keel-overlay")


def test_keys(content):
    assert content.text("/root/.ssh/authorized_keys") == (FOLDER / "key.pub").read_text()
    assert content.folder("/root/.ssh")["authorized_keys"] == 0o100600
    assert not [name for name in content.folder("/etc/ssh") if name.startswith("ssh_host")]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def ssh(port, *options):
    return subprocess.run(
        ["ssh", "-F", "none", "-p", str(port), "-o", "StrictHostKeyChecking=no", "-o",
         "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=30", *options,
         "root@127.0.0.1", "hello"],
        text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=False)


def test_running(built):
    """On a disk of 6 GiB: the root file system fills it, and the key logs in by SSH."""
    folder = settings.WORK / "options-run"

    def run():
        folder.mkdir(parents=True, exist_ok=True)
        layer, port = folder / "disk.qcow2", free_port()
        layer.unlink(missing_ok=True)
        subprocess.run([settings.emulator("qemu-img"), "create", "-q", "-f", "qcow2", "-F", "qcow2",
                        "-b", str(built), str(layer), "6G"], check=True)
        setup = machine.Setup(memory=512, board="q35", extra=(
            "-drive", f"file={layer},format=qcow2,if=virtio",
            "-nic", f"user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:{port}-:22"))
        with machine.Qemu(setup, folder) as m:
            debian.choose(m, "keel")
            debian.login(m)
            assert "cloud-amd64" in debian.answer(m, "uname -r")
            debian.answer(m, "systemctl is-system-running --wait")
            size = int(debian.answer(m, "df -k --output=size / | tail -n 1"))
            assert size > 5.5 * (1 << 20), size
            assert "primary" not in debian.answer(m, "sfdisk --verify /dev/vda").lower()
            key = ssh(port, "-i", str(FOLDER / "key"), "-o", "IdentitiesOnly=yes")
            assert key.returncode == 0 and "hello" in key.stdout, key.stdout
            words = ssh(port, "-o", "PubkeyAuthentication=no")
            assert re.search(r"Permission denied \(publickey\)", words.stdout), words.stdout
            debian.power_off(m)

    runner.with_retry(folder.name, run)
    (folder / "disk.qcow2").unlink()
