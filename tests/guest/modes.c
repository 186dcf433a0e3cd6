/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry as the boot protocol says, then every mode of the CPU, with a forced exit in each. */
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/paging.h"
#include "lib/trap.h"
#include "modes.h"

const char payload_name[] = "modes";

extern const u32 entry_state[10], entry_esp, entry_efer;

static void check_entry(void)
{
	enum { CR4, CR0, EDI, EBP, EBX, SS, ES, DS, CS, FLAGS };

	check_eq(entry_state[CS], SEL_CODE32, "CS at entry");
	check_eq(entry_state[DS], SEL_DATA, "DS at entry");
	check_eq(entry_state[ES], SEL_DATA, "ES at entry");
	check_eq(entry_state[SS], SEL_DATA, "SS at entry");
	check_eq(entry_state[FLAGS] & FLAGS_IF, 0, "IF at entry");
	check_eq(entry_state[CR0] & (CR0_PG | CR0_PE), CR0_PE, "PG and PE at entry");
	check_eq(entry_state[CR4], 0, "CR4 at entry");
	check_eq(entry_state[EBX] | entry_state[EBP] | entry_state[EDI], 0, "EBX, EBP, EDI at entry");
	if (sizeof(long) == 4)
		check_eq(rdmsr(MSR_EFER), 0, "EFER at entry");
	else
		check_eq(entry_efer, 0, "EFER at entry");
	same(entry_state[CR0], "cr0 at entry");
	same(rdmsr(MSR_PAT), "pat at entry");
}

/* Every mode must see the same CPUID leaf and, under Keel, get the same answer. */
static void check_result(const char *mode)
{
	struct cpuid want = cpuid(0, 0);

	check_eq(mode_result.cpuid[0], want.eax, "CPUID's EAX in %s", mode);
	check_eq(mode_result.cpuid[1], want.ebx, "CPUID's EBX in %s", mode);
	check_eq(mode_result.cpuid[2], want.ecx, "CPUID's ECX in %s", mode);
	check_eq(mode_result.cpuid[3], want.edx, "CPUID's EDX in %s", mode);
	check_eq(mode_result.efer, mode_result.efer_want, "EFER in %s", mode);
	if (under_keel)
		check_eq(mode_result.answer, KEEL_HC_ANSWER, "hypercall in %s", mode);
	memset(&mode_result, 0, sizeof(mode_result));
}

#ifndef __x86_64__
static void flat(void)
{
	mode_probe32();
	check_result("32-bit flat mode");
}

static void legacy_paging(void)
{
	pse_on();
	mode_probe32();
	pse_off();
	check_result("32-bit paging");
}

static void pae_paging(void)
{
	pae_on();
	mode_probe32();
	pae_off();
	check_result("PAE paging");
}

/* What two frames of 2 MiB begin with, and where the third PDPTE shows one of them. */
static const u32 frames[2] = { 0x5000000, 0x5200000 }, marks[2] = { 0x600dd00d, 0x5eed1e55 };

static void mark_frames(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(frames); i++)
		*(volatile u32 *)frames[i] = marks[i];
}

static void load_cr3(void)
{
	write_cr3((u32)pdpt_pae);
}

static void toggle_pg(void)
{
	write_cr0(read_cr0() & ~CR0_PG);
	write_cr0(read_cr0() | CR0_PG);
}

/* Under Keel this one exits on VMX, where NE is always set. */
static void toggle_pg_with_ne(void)
{
	write_cr0(read_cr0() & ~CR0_PG);
	write_cr0((read_cr0() ^ CR0_NE) | CR0_PG);
}

static void toggle_pge(void)
{
	write_cr4(read_cr4() ^ CR4_PGE);
}

/* The moves to control registers that load PDPTEs, with PAE paging before and after (SDM volume 3, 4.4.1). */
static void pae_reload(void)
{
	static const struct {
		const char *name;
		void (*load)(void);
	} loads[] = {
		{ "CR3 is loaded", load_cr3 },
		{ "CR0.PG is set", toggle_pg },
		{ "CR4.PGE is toggled", toggle_pge },
		{ "CR0.PG is set, NE toggled", toggle_pg_with_ne },
	};
	static u64 pds[2][512] __attribute__((aligned(4096)));
	static volatile u32 *const probe = (u32 *)0x80000000;
	u64 old = pdpt_pae[2];

	mark_frames();
	pds[0][0] = frames[0] | 0x83;
	pds[1][0] = frames[1] | 0x83;
	pae_on();
	for (u32 round = 0; round < 2 * ARRAY_SIZE(loads); round++) {
		u32 which = round & 1;

		pdpt_pae[2] = (u32)pds[which] | 1;
		loads[round % ARRAY_SIZE(loads)].load();
		cpuid(0, 0);
		check_eq(*probe, marks[which], "a new PDPTE is used after %s",
			 loads[round % ARRAY_SIZE(loads)].name);
	}
	pdpt_pae[2] = old;
	pae_off();
}

/* Sets CR4.PAE while paging is on. The walk by two levels has set bit A, which is reserved in a PDPTE. */
static void pae_from_legacy(volatile u32 *pdpte)
{
	asm volatile("andl $~0x20, %0; mov %1, %%cr4" : "+m"(*pdpte) : "r"((u32)(read_cr4() | CR4_PAE)) : "memory");
}

/*
 * The third PDPTE is also what 2-level paging takes for the entry of the 4 MiB from 16 MiB on, where this
 * program is; the first half of what it points at maps it, the second half has a PAE entry for the probe.
 */
static void pae_toggle(void)
{
	static volatile u32 top[1024] __attribute__((aligned(4096)));
	static u32 tables[2][1024] __attribute__((aligned(4096)));
	static volatile u32 *const probe = (u32 *)0xa0000000;
	u32 got[2];

	if (!check_eq((u32)tables >> 21, 0x1000000 >> 21, "the program is below 18 MiB"))
		return;
	mark_frames();
	for (u32 t = 0; t < 2; t++) {
		for (u32 i = 0; i < 512; i++)
			tables[t][i] = 0x1000003 + i * 4096;
		tables[t][512] = frames[t] | 0x83;
	}
	top[0] = (u32)pd_table | 1;
	top[4] = (u32)tables[0] | 1;
	write_cr3((u32)top);
	write_cr0((read_cr0() & ~CR0_WP) | CR0_PG);
	for (u32 round = 0; round < 10; round++) {
		top[4] = (u32)tables[round & 1] | 1;
		pae_from_legacy(&top[4]);
		got[0] = *probe;
		cpuid(0, 0);
		got[1] = *probe;
		write_cr4(read_cr4() & ~CR4_PAE);
		check_eq(got[0], marks[round & 1], "a new PDPTE is used after CR4.PAE is set");
		check_eq(got[1], got[0], "and after an exit");
	}
	write_cr0(read_cr0() & ~CR0_PG);
}

/* Of those below, the first that need no long mode. */
#define LEGACY_MODES 2u

static void other_modes(void)
{
	static const struct {
		const char *name;
		void (*enter)(void);
	} modes[] = {
		{ "16-bit protected mode", mode_protected16 },
		{ "real mode", mode_real },
		{ "64-bit mode", mode_long },
		{ "compatibility mode", mode_compat },
	};
	u32 count = no_long_mode ? LEGACY_MODES : ARRAY_SIZE(modes);

	for (u32 round = 0; round < 5; round++) {
		for (u32 i = 0; i < count; i++) {
			modes[i].enter();
			check_result(modes[i].name);
		}
	}
	if (mode_bad_msr) {
		check_eq(mode_fault[0], 6, "bytes that #GP pushes in real mode");
		check_eq(mode_fault[1], low_bad_rdmsr - low_start + LOW_CODE, "IP of #GP in real mode");
	}
	check_eq(mode_bios_memory, *(volatile u16 *)0x413, "INT 12h in real mode");
	check(no_long_mode || mode_high_kept, "R8 to R15 and the upper halves survive an exit");
}
#endif

void payload(void)
{
	check_entry();
	memset(&mode_result, 0, sizeof(mode_result));
	mode_call = !under_keel ? 0 : is_intel ? 1 : 2;
#ifdef __x86_64__
	mode_probe64();
	check_result("64-bit mode");
#else
	/* QEMU's software CPU has no MSR whose read is #GP. */
	mode_bad_msr = is_intel ? 0x12345678 : under_keel ? MSR_SVM_KEY : 0;
	memset(mode_fault, 0, 4);
	memcpy((void *)LOW_CODE, low_start, low_end - low_start);
	flat();
	legacy_paging();
	pae_paging();
	pae_reload();
	pae_toggle();
	other_modes();
	flat();
#endif
}
