# SPDX-License-Identifier: BSD-2-Clause
"""A build that cannot work says why in one line, which names the Kconfig symbol where there is one."""
import contextlib
import http.server
import os
import pathlib
import re
import shutil
import subprocess
import threading

import pytest

import settings
import variants
from variants import make


@pytest.fixture
def build():
    """A build folder of its own; out of tree, and gone afterwards."""
    path = settings.WORK / f"build-{os.getpid()}"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def configure(build, **symbols):
    done = make(build, "amd64_defconfig")
    assert done.returncode == 0, done.stdout
    variants.configure(build, **symbols)


def assert_refused(done, pattern):
    """It failed, and exactly one of its lines names the cause."""
    assert done.returncode != 0, done.stdout
    assert len([line for line in done.stdout.splitlines() if re.search(pattern, line)]) == 1, \
        done.stdout


@pytest.mark.parametrize("symbol, value", [
    ("IMAGE_SIZE", "1"), ("IMAGE_SIZE", "99999999"), ("LOG_LEVEL", "77"), ("SERIAL_BAUD", "1"),
    ("GRUB_TIMEOUT", "-5"), ("NO_SUCH_SYMBOL", "y"),
])
def test_value_out_of_range(build, symbol, value):
    configure(build, **{symbol: value})
    assert_refused(make(build, "hypervisor"), rf"CONFIG_{symbol}\b.*(range|exist)")


def test_neither_backend(build):
    configure(build, VMX="n", SVM="n")
    assert_refused(make(build, "hypervisor"), r"CONFIG_(VMX|SVM)")


def test_mirror_unreachable(build):
    configure(build, DEBIAN_MIRROR='"http://127.0.0.1:9/debian"')
    assert_refused(make(build, "rootfs"), r"CONFIG_DEBIAN_MIRROR")


@contextlib.contextmanager
def empty_mirror():
    """A mirror that is there, but has no suite any more."""
    class Nothing(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Nothing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/debian"
    finally:
        server.shutdown()


def test_suite_gone(build):
    with empty_mirror() as url:
        configure(build, DEBIAN_MIRROR=f'"{url}"')
        assert_refused(make(build, "rootfs"), r"CONFIG_DEBIAN_(SUITE|MIRROR).*")


def path_without(tool, folder):
    """A PATH that has everything of this host's but one tool."""
    folder.mkdir()
    for place in ("/usr/bin", "/bin"):
        for entry in pathlib.Path(place).iterdir():
            link = folder / entry.name
            if entry.name != tool and not link.is_symlink():
                link.symlink_to(entry)
    return str(folder)


@pytest.mark.parametrize("tool, package, target", [
    ("newuidmap", "uidmap", "rootfs"), ("kconfig-conf", "kconfig-frontends", "hypervisor"),
])
def test_missing_tool(build, tool, package, target):
    assert_refused(make(build, target, path=path_without(tool, build / "path")),
                   rf"{tool} not found.*{package}.*scripts/deps")


@pytest.mark.parametrize("smp", ["0", "257", "-1", "04", "1.5", "two", "99999999999999999999"])
def test_run_with_bad_smp(build, smp):
    done = subprocess.run([settings.TREE / "scripts" / "run"], text=True, check=False,
                          env=os.environ | {"O": str(build), "SMP": smp},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert_refused(done, rf"SMP={re.escape(smp)} .*1 to 256")


@pytest.mark.parametrize("symbols", [
    {"DEBIAN_PACKAGES": '"no-such-package"'}, {"DEBIAN_KERNEL": '"no-such-package"'},
], ids=["package", "kernel"])
def test_unknown_package(build, symbols):
    configure(build, **symbols)
    assert_refused(make(build, "rootfs"), r"no package (linux-image-)?no-such-package: see CONFIG_")


@pytest.mark.parametrize("symbol, value", [
    ("OVERLAY", "no/such/folder"), ("OVERLAY", "README.md"), ("HOOK", "no/such/script"),
    ("SSH_KEYS", ""), ("SSH_KEYS", "no/such/file"), ("SSH_KEYS", "README.md"),
])
def test_bad_path(build, symbol, value):
    configure(build, DEBIAN_SSH="y" if symbol == "SSH_KEYS" else "n",
              **{f"DEBIAN_{symbol}": f'"{value}"'})
    assert_refused(make(build, "rootfs"), rf'CONFIG_DEBIAN_{symbol}="{value}" (is|has) no ')


def test_private_key(build):
    (build / "key").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    configure(build, DEBIAN_SSH="y", DEBIAN_SSH_KEYS=f'"{build}/key"')
    assert_refused(make(build, "rootfs"), r"CONFIG_DEBIAN_SSH_KEYS=.* private key: .*public")


# Installs a shell and nothing else.
DEBOOTSTRAP = """#!/bin/sh
for word; do tree=$before before=$word; done
for file in /bin/sh $(ldd /bin/sh | grep -o '/[^ ]*'); do
	mkdir -p "$tree${file%/*}"
	cp -L "$file" "$tree$file"
done
mkdir -p "$tree/etc/apt" "$tree/proc" "$tree/usr/sbin"
for name in chpasswd systemctl; do
	printf '#!/bin/sh\n' >"$tree/bin/$name"
	chmod +x "$tree/bin/$name"
done
"""


def test_failing_hook(build):
    (build / "path").mkdir()
    for name, text in (("path/debootstrap", DEBOOTSTRAP),
                       ("hook", "#!/bin/sh\necho where it went wrong\nexit 7\n")):
        (build / name).write_text(text)
        (build / name).chmod(0o755)
    configure(build, DEBIAN_HOOK=f'"{build}/hook"')
    done = make(build, "rootfs", path=f"{build}/path:{os.environ['PATH']}")
    assert_refused(done, r"CONFIG_DEBIAN_HOOK=.* failed \(status 7\)")
    assert "    where it went wrong\n" in done.stdout


def test_no_image(build):
    configure(build, IMAGE_QCOW2="n", IMAGE_ISO="n")
    done = make(build, "image")
    assert_refused(done, r"no image is asked for: set CONFIG_IMAGE_QCOW2")
    assert not (build / "rootfs").exists()
    variants.configure(build, IMAGE_QCOW2="y")
    done = make(build, "-n", "image")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("uid", [0, 1000])
def test_namespaces_forbidden(tmp_path, uid):
    """A line, not a hang: unshare --map-auto leaves a process behind that holds its output."""
    for name, text in (("id", f"echo {uid}"), ("unshare", """
case $* in *--map-auto*) sleep 600 & ;; esac
echo "unshare failed: Operation not permitted" >&2
exit 1""")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run([settings.TREE / "scripts" / "in-namespace", "true"], text=True, check=False,
                          env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert_refused(done, "error: namespaces are forbidden here .*not permitted")


def in_namespace(script):
    """Words that run a command as root of its own mounts, after a script."""
    user = () if os.geteuid() == 0 else ("--map-root-user",)
    return ("unshare", *user, "--mount", "sh", "-e", "-c", f'{script}; exec "$@"', "sh")


@pytest.fixture(name="guest")
def a_folder_with_the_guest():
    folder = variants.seeded(settings.WORK / f"bad-image-{os.getpid()}")
    yield folder
    shutil.rmtree(folder)


def test_disk_too_small(guest):
    variants.configure(guest, IMAGE_SIZE="512")
    done = make(guest, "image")
    assert_refused(done, r"CONFIG_IMAGE_SIZE=512 is too small for this guest: set it to (\d+) \(MiB\)")
    assert not (guest / "keel.qcow2").exists()


@pytest.mark.parametrize("target, module", [("image", "multiboot2"), ("iso", "iso9660")])
def test_missing_grub_module(guest, target, module):
    grub = "/usr/lib/grub/i386-pc"
    shutil.copytree(grub, guest / "grub")
    (guest / "grub" / f"{module}.mod").unlink()
    done = make(guest, target, wrap=in_namespace(f'mount --bind "{guest}/grub" {grub}'))
    assert_refused(done, rf"GRUB's module {module} is not in {grub}: .*grub-pc-bin")


def test_no_room_for_the_image(guest):
    """The log and what was there stay."""
    shutil.copyfile(settings.IMAGE, guest / "keel.qcow2")
    (guest / "image").mkdir()
    done = make(guest, "image", wrap=in_namespace(f'mount -t tmpfs -o size=24m none "{guest}/image"'))
    assert_refused(done, r"disk full: make room")
    assert (guest / "keel.qcow2").stat().st_size == settings.IMAGE.stat().st_size


def test_disk_full(build):
    done = make(build, "rootfs", wrap=in_namespace(f'mount -t tmpfs -o size=24m none "{build}"'))
    assert_refused(done, r"disk full: make room")
