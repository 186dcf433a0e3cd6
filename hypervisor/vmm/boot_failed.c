/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/boot_failed.h"

#include <keel/abi.h>
#include <keel/panic.h>

#include "dev/console.h"
#include "lib/bios.h"

gpa_t boot_stub;

_Noreturn void boot_failed(u8 drive, u32 why)
{
	u32 n = bios_disk(drive);

	console_take_back();
	if (why == KEEL_BOOT_UNREADABLE)
		refuse("hd%u: the firmware cannot read its first sector; choose another disk", n);
	if (why == KEEL_BOOT_NO_SIGNATURE)
		refuse("hd%u: its first sector has no signature (55 AA): install a boot loader on it, "
		       "or choose another disk",
		       n);
	refuse("hd%u: the boot sector is truncated: the GRUB entry needs \"module2 (hd%u)+1 "
	       "bootsector hd%u\"",
	       n, n, n);
}
