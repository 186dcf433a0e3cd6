/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEEL_VMM_BOOT_FAILED_H
#define KEEL_VMM_BOOT_FAILED_H

#include <keel/types.h>

/* The segment base of boot/bios_stub.S, who alone may say that it failed; 0 if it is not there. */
extern gpa_t boot_stub;

/* Refuses the disk with BIOS number @drive, before or after the guest has started; @why: KEEL_BOOT_*. */
_Noreturn void boot_failed(u8 drive, u32 why);

#endif
