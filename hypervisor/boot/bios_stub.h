/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page of real-mode code that stays in the guest's memory: it starts a boot sector, and from
 * then on answers INT 15h's questions about memory. Its first byte is where the guest begins.
 */
#ifndef KEEL_BOOT_BIOS_STUB_H
#define KEEL_BOOT_BIOS_STUB_H

/* Known to assembly too; checked below. */
#define STUB_OLD_VECTOR	     0
#define STUB_DRIVE	     4
#define STUB_READ	     5
#define STUB_INTEL	     6
#define STUB_ENTRY_SIZE	     8
#define STUB_KIB_FROM_1M     10
#define STUB_BLOCKS_FROM_16M 12
#define STUB_KIB_EXTENDED    14
#define STUB_E820_COUNT	     16
#define STUB_E820	     20

#define E820_SIZE_OLD	     20
#define E820_SIZE_NEW	     24

#ifndef __ASSEMBLER__

#include <keel/types.h>

#include "lib/bios.h"

/* Lies at bios_stub_data in the copy. */
struct bios_stub {
	u32 old_vector; /* the firmware's INT 15h, segment and offset */
	u8 drive;	/* for DL */
	u8 read;	/* read the boot sector from the disk, else it is in place */
	u8 intel;	/* a call of Keel is VMCALL, else VMMCALL */
	u8 unused;
	u16 entry_size; /* of the firmware's own E820 entries; the stub finds it out */
	struct bios_sizes most;
	u32 e820_count;
	struct bios_e820 e820[];
};

_Static_assert(offsetof(struct bios_stub, drive) == STUB_DRIVE, "bios_stub.S knows it");
_Static_assert(offsetof(struct bios_stub, read) == STUB_READ, "bios_stub.S knows it");
_Static_assert(offsetof(struct bios_stub, intel) == STUB_INTEL, "bios_stub.S knows it");
_Static_assert(offsetof(struct bios_stub, entry_size) == STUB_ENTRY_SIZE, "bios_stub.S knows it");
_Static_assert(offsetof(struct bios_stub, most.kib_from_1m) == STUB_KIB_FROM_1M &&
		       offsetof(struct bios_stub, most.blocks_from_16m) == STUB_BLOCKS_FROM_16M &&
		       offsetof(struct bios_stub, most.kib_extended) == STUB_KIB_EXTENDED,
	       "bios_stub.S knows it");
_Static_assert(offsetof(struct bios_stub, e820_count) == STUB_E820_COUNT, "bios_stub.S knows it");
_Static_assert(offsetof(struct bios_stub, e820) == STUB_E820, "bios_stub.S knows it");
_Static_assert(sizeof(struct bios_e820) == E820_SIZE_NEW, "ACPI 6.4, 15.1");

/* Position-independent, for a page below 640 KiB. */
extern const u8 bios_stub_start[], bios_stub_int15[], bios_stub_data[];

#endif
#endif
