#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Do the checks of the sources find what they are for?

A small tree without fault passes; with one fault planted the check fails and names file and line.

usage: test_checks.py layers|kconfig|style
"""

import os
import subprocess
import sys
import tempfile

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts")
SPDX_C = "/* SPDX-License-Identifier: BSD-2-Clause */\n"
SPDX = "# SPDX-License-Identifier: BSD-2-Clause\n"

GOOD = {
    "Kconfig": SPDX
    + 'mainmenu "x"\nsource "hypervisor/Kconfig"\n'
    + "choice\n\tprompt \"Subarch\"\n\tdefault SUBARCH_AMD64\n\thelp\n\t  One line.\n\n"
    + "config SUBARCH_AMD64\n\tbool \"amd64\"\n\thelp\n\t  One.\n\t  Two.\nendchoice\n",
    "hypervisor/Kconfig": SPDX
    + 'config LEVEL\n\tint "Level"\n\trange 0 4\n\tdefault 2\n\thelp\n\t  One.\n\n\t  Two.\n\n'
    + 'config NAME\n\tstring "Name"\n\tdefault "a name"\n\thelp\n\t  One.\n\t  Two.\n',
    "hypervisor/include/keel/types.h": SPDX_C + "#include <stdint.h>\ntypedef uint32_t u32;\n",
    "hypervisor/include/keel/console.h": SPDX_C + "int keel_putc(int c);\n",
    "hypervisor/include/keel/abi.h": SPDX_C + "#define KEEL 1\n",
    "hypervisor/include/keel/percpu.h": SPDX_C + '#include "mode/mode.h"\n',
    "hypervisor/lib/range.h": SPDX_C + "#include <keel/types.h>\nu32 range_first(void);\n",
    "hypervisor/lib/range.c": SPDX_C + '#include "range.h"\n#include "lib/range.h"\n',
    "hypervisor/mode/mode.h": SPDX_C
    + "#include <generated/autoconf.h>\n#if defined(CONFIG_SUBARCH_AMD64) && defined(__x86_64__)\n"
    + "enum { WORD = 8, LEVEL = CONFIG_LEVEL };\n#endif\n",
    "hypervisor/cpu/cpuid.h": SPDX_C + '#include "mode/mode.h"\nenum { TWO = 2 * WORD };\n',
    "hypervisor/mm/frame.h": SPDX_C + '#include "cpu/cpuid.h"\n',
    "hypervisor/dev/uart.h": SPDX_C + "#include <keel/console.h>\n",
    "hypervisor/vmm/exit.h": SPDX_C + '#include "lib/range.h"\n',
    "hypervisor/vmm/stats.h": SPDX_C + '#include "dev/uart.h"\n',
    "hypervisor/vmx/vmx.h": SPDX_C + '#include "vmm/exit.h"\n#include "mm/frame.h"\n',
    "hypervisor/svm/svm.h": SPDX_C + '#include "vmm/exit.h"\n',
    "hypervisor/boot/main.c": SPDX_C + '#include "vmm/stats.h"\nint level = CONFIG_LEVEL;\n',
    "tests/guest/payload.c": SPDX_C + '#include <keel/abi.h>\n#include "lib/print.h"\n',
    "tests/guest/lib/print.h": SPDX_C + "#ifdef __x86_64__\n#endif\n",
    "tests/unit/test_x.c": SPDX_C + '#include "lib/range.h"\n',
    "scripts/tool": "#!/bin/sh\n" + SPDX + "echo $CONFIG_NAME\n",
    "Makefile": SPDX + "all:\n",
}

# Check, file, text to add (or a pair: text to replace and by what), line named, what is said.
FAULTS = {
    "layers": [
        ("hypervisor/lib/range.c", '#include "cpu/cpuid.h"\n', 4, "not seen from lib"),
        ("hypervisor/lib/range.c", '#  include "mode/mode.h"\n', 4, "not seen from lib"),
        ("hypervisor/lib/range.c", "#include <keel/console.h>\n", 4, "not seen from lib"),
        ("hypervisor/lib/range.c", "#include <generated/autoconf.h>\n", 4, "not seen from lib"),
        ("hypervisor/lib/range.c", "#include <string.h>\n", 4, "freestanding"),
        ("hypervisor/lib/range.c", "#include <keel/nothing.h>\n", 4, "does not exist"),
        ("hypervisor/lib/range.c", '#include "nothing.h"\n', 4, "does not exist"),
        ("hypervisor/lib/range.c", '#include "../cpu/cpuid.h"\n', 4, "room/file.h"),
        ("hypervisor/mode/mode.h", '#include "cpu/cpuid.h"\n', 6, "not seen from mode"),
        ("hypervisor/cpu/cpuid.h", '#include "mm/frame.h"\n', 4, "not seen from cpu"),
        ("hypervisor/mm/frame.h", '#include "dev/uart.h"\n', 3, "not seen from mm"),
        ("hypervisor/dev/uart.h", '#include "vmm/exit.h"\n', 3, "not seen from dev"),
        ("hypervisor/vmm/stats.h", '#include "svm/svm.h"\n', 3, "not seen from vmm"),
        ("hypervisor/vmx/vmx.h", '#include "svm/svm.h"\n', 4, "not seen from vmx"),
        ("hypervisor/svm/svm.h", '#include "vmx/vmx.h"\n', 3, "not seen from svm"),
        ("hypervisor/svm/svm.h", '#include "vmm/stats.h"\n', 3, "not seen from svm"),
        ("hypervisor/svm/svm.h", '#include "dev/uart.h"\n', 3, "not seen from svm"),
        ("hypervisor/boot/main.c", '#include "vmx/vmx.h"\n', 4, "not seen from boot"),
        ("hypervisor/include/keel/types.h", '#include "lib/range.h"\n', 4, "from include"),
        ("hypervisor/include/keel/abi.h", "#include <keel/types.h>\n", 3, "stand alone"),
        ("hypervisor/new/file.c", "int x;\n", 1, "room new"),
        ("tests/guest/payload.c", "#include <keel/types.h>\n", 4, "from outside"),
        ("tests/guest/payload.c", '#include "mm/frame.h"\n', 4, "from outside"),
        ("tests/guest/payload.c", '#include "../../hypervisor/mm/frame.h"\n', 4, "from outside"),
        ("keelctl/keelctl.c", "#include <keel/console.h>\n", 1, "from outside"),
    ],
    "kconfig": [
        ("hypervisor/Kconfig", ("\n\t  Two.\n\n", "\n"), 2, "LEVEL: 1 lines of help"),
        ("hypervisor/Kconfig", ("\thelp\n\t  One.\n\t  Two.\n", ""), 11, "NAME: 0 lines"),
        ("hypervisor/Kconfig", ("\trange 0 4\n", ""), 2, "int without a range"),
        ("hypervisor/Kconfig", ("int", "hex"), None, ""),
        ("hypervisor/Kconfig", "config X\n\thelp\n\t  One.\n\t  Two.\n", 17, "has no type"),
        ("hypervisor/boot/main.c", "int y = CONFIG_LEVELS;\n", 4, "CONFIG_LEVELS"),
        ("hypervisor/Makefile", "objs-$(CONFIG_NOTHING) += x.o\n", 1, "CONFIG_NOTHING"),
        ("scripts/tool", "echo $CONFIG_OTHER\n", 4, "CONFIG_OTHER"),
        ("Makefile", "\t@echo $(CONFIG_LEVEL) $(CONFIG_LEVE)\n", 3, "CONFIG_LEVE "),
        ("configs/amd64_defconfig", "CONFIG_LEVEL=3\nCONFIG_LEVLE=3\n", 2, "CONFIG_LEVLE"),
    ],
    "style": [
        ("hypervisor/lib/range.c", (SPDX_C, ""), 1, "SPDX"),
        ("hypervisor/lib/range.h", ("BSD-2-Clause", "MIT"), 1, "SPDX"),
        ("scripts/tool", (SPDX, ""), 1, "SPDX"),
        ("scripts/other", "#!/bin/sh\necho\n", 1, "SPDX"),
        ("hypervisor/Kconfig", (SPDX, ""), 1, "SPDX"),
        ("Makefile", (SPDX, ""), 1, "SPDX"),
        ("image/make.py", "import os\n", 1, "SPDX"),
        ("hypervisor/lib/range.c", "#ifdef __x86_64__\n#endif\n", 4, "__x86_64__"),
        ("hypervisor/vmx/run.S", SPDX_C + "#ifndef __i386__\n#endif\n", 2, "__i386__"),
        ("hypervisor/cpu/cpuid.h", "#if defined(CONFIG_SUBARCH_AMD64)\n#endif\n", 4, "SUBARCH"),
        ("hypervisor/lib/range.h", "u64 f(void);\n", 4, "does not compile by itself"),
        ("hypervisor/vmm/exit.h", "struct a { enum none b; };\n", 3, "does not compile by itself"),
        ("hypervisor/mm/frame.h", ('#include "cpu/cpuid.h"\n', "int x = TWO;\n"), 2, "by itself"),
    ],
}


def write(tree, name, text):
    path = os.path.join(tree, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def run(check, files):
    """Exit status and output of the check on a tree of these files."""
    with tempfile.TemporaryDirectory() as tree:
        for name, text in files.items():
            write(tree, name, text)
        done = subprocess.run(
            [sys.executable, "-B", os.path.join(SCRIPTS, "check-" + check), tree],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout


def plant(name, fault):
    files = dict(GOOD)
    if isinstance(fault, tuple):
        assert fault[0] in files[name], f"{name} has no {fault[0]!r} to replace"
        files[name] = files[name].replace(fault[0], fault[1], 1)
    else:
        files[name] = files.get(name, "") + fault
    return files


def main():
    check = sys.argv[1]
    failures = 0

    def fail(text, output):
        nonlocal failures
        failures += 1
        print(f"{text}; the check said:\n{output or '(nothing)'}")

    status, output = run(check, GOOD)
    if status or output:
        fail("a tree without fault does not pass", output)
    for name, fault, line, text in FAULTS[check]:
        status, output = run(check, plant(name, fault))
        if line is None:
            if status or output:
                fail(f"{fault!r} in {name} is no fault", output)
        elif status != 1 or f"{name}:{line}: " not in output or text not in output:
            fail(f"{fault!r} in {name} was not found at line {line}", output)
        elif len(output.splitlines()) > 4:
            fail(f"{fault!r} in {name} says too much", output)
    print(f"{len(FAULTS[check])} faults planted, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
