/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of Keel's start, in boot/main.c's order. All run once, on the boot CPU. */
#ifndef KEEL_BOOT_BOOT_H
#define KEEL_BOOT_BOOT_H

#include <keel/bits.h>

#include "lib/multiboot2.h"
#include "vmm/backend.h"

/*
 * What Keel takes from the guest, for one CPU. Aligned to itself, so that it is one hole in one
 * large page.
 */
#define KEEL_REGION_SIZE MIB(2)

/* Called by mode/<subarch>/entry.S where the loader put the image. */
_Noreturn void boot_main(u32 magic, unsigned long mbi);

/*
 * Copies the image to the highest free place below 4 GiB, sets keel_region in the copy and goes on
 * at the copy of @next. Refuses if there is no place.
 */
_Noreturn void boot_relocate(const struct boot_info *info, void (*next)(void));

/* The HPA of the ACPI RSDP in a BIOS machine's memory, 0 if there is none (ACPI 6.4, 5.2.5.1). */
u64 firmware_find_rsdp(void);

/*
 * Hides all CPUs but the one with @apic_id from the guest's MADT: Keel runs one for now. Returns
 * how many are hidden.
 */
u32 firmware_hide_cpus(u64 rsdp, u32 apic_id);

/*
 * Puts the Linux kernel and initrd of @info's modules in place; @ram is the guest's memory map,
 * @first what to put before the kernel's arguments.
 */
void guest_load(const struct boot_info *info, const struct range_list *ram, u64 rsdp,
		const char *first, struct guest_start *start);

/* Two or three lines that say what Keel is and has. @below: signature of a hypervisor, or NULL. */
void banner_print(const struct range_list *ram, const char *below, u32 hidden_cpus);

#endif
