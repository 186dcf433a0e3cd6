/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEEL_VMM_BOOT_FAILED_H
#define KEEL_VMM_BOOT_FAILED_H

#include <keel/types.h>

/* Refuses the disk with BIOS number @drive, before or after the guest has started; @why: KEEL_BOOT_*. */
_Noreturn void boot_failed(u8 drive, u32 why);

#endif
