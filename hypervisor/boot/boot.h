/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of Keel's start, in boot/main.c's order. All run once, on the boot CPU. */
#ifndef KEEL_BOOT_BOOT_H
#define KEEL_BOOT_BOOT_H

#include <keel/bits.h>

#include "lib/multiboot2.h"
#include "vmm/backend.h"
#include "vmm/trace.h"

/*
 * What Keel takes from the guest: an amount for the machine, and for each CPU its stack, its VMCS or
 * VMCB and what the hardware wants beside it. A multiple of the alignment, which makes it one hole
 * between large pages.
 */
#define KEEL_REGION_ALIGN   MIB(2)
#define KEEL_REGION_MACHINE KIB(1536)
#define KEEL_REGION_PER_CPU (KIB(32) + align_up(TRACE_BYTES, PAGE_SIZE))

/* More than Keel can use: they are all parked. */
#define BOOT_CPUS_MAX	    512

/* The machine's CPUs. */
struct cpu_ids {
	u32 count;
	u32 id[BOOT_CPUS_MAX]; /* x2APIC IDs */
	/* There may be others: no MADT, or one with more. */
	bool incomplete;
};

/* Called by mode/<subarch>/entry.S where the loader put the image. */
_Noreturn void boot_main(u32 magic, unsigned long mbi);

/*
 * Copies the image to the highest free place below 4 GiB with room for @cpus CPUs, sets keel_region
 * in the copy and goes on at the copy of @next. Refuses if there is no place.
 */
_Noreturn void boot_relocate(const struct boot_info *info, u32 cpus, void (*next)(void));

/* The HPA of the ACPI RSDP in a BIOS machine's memory, 0 if there is none (ACPI 6.4, 5.2.5.1). */
u64 firmware_find_rsdp(void);

/* Lists the CPUs that the MADT shows as enabled, at least @boot_id. */
void firmware_list_cpus(u64 rsdp, u32 boot_id, struct cpu_ids *ids);

/* Hides from the guest's MADT all CPUs that are not under Keel. Returns how many are hidden. */
u32 firmware_hide_cpus(u64 rsdp, const struct cpu_ids *ids);

/* Has CONFIG_TEST_LOSE_CPU left this CPU outside Keel, in the guest's sight? */
bool smp_is_lost(const struct cpu_ids *ids, u32 apic_id);

/*
 * Starts all CPUs in @ids but @boot, which runs this: the first CONFIG_NR_CPUS wait for
 * smp_release(), the others are parked for good. Fills vmm/cpus.h. False if the machine has, or may
 * have, a CPU that is neither.
 */
bool smp_start(const struct boot_info *info, const struct cpu_ids *ids, struct percpu *boot);

/* The nested table and the policy are there: the other CPUs are halted guest CPUs on return. */
void smp_release(void);

/*
 * Puts the Linux kernel and initrd of @info's modules in place; @ram is the guest's memory map,
 * @first what to put before the kernel's arguments.
 */
void guest_load(const struct boot_info *info, const struct range_list *ram, u64 rsdp,
		const char *first, struct guest_start *start);

/* Is the guest a disk's boot sector, by a module or by boot= on Keel's command line? */
bool bootsector_wanted(const struct boot_info *info);

/*
 * Puts the boot sector of @info in place and hooks INT 15h, which shows @ram from then on; a piece
 * below 640 KiB becomes reserved in it. Returns that piece's page: the guest is to start there as
 * after a SIPI.
 */
u64 bootsector_load(const struct boot_info *info, struct range_list *ram);

/*
 * Some lines that say what Keel is and has. @hidden: bytes of RAM that the nested table cannot reach;
 * @below: signature of a hypervisor, or NULL.
 */
void banner_print(const struct range_list *ram, u64 hidden, const char *below);

#endif
