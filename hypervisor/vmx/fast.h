/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits that are handled in assembly (fast_path.S), before the guest's registers are spilled: CPUID, and writes
 * of MSRs that go to the hardware as they are. What is unusual goes the long way, through exit.c.
 */
#ifndef KEEL_VMX_FAST_H
#define KEEL_VMX_FAST_H

/* Known to assembly too; checked in fast.c. */
#define FAST_REASON_CPUID     10
#define FAST_REASON_WRMSR     32
#define FAST_EXIT_CPUID	      0
#define FAST_EXIT_WRMSR	      2

/* struct vmx_fast, from the beginning of struct vmx_cpu. */
#define FAST_LEAVES	      0
#define FAST_MSR	      LONG_BYTES
#define FAST_MSR_UNLESS	      (LONG_BYTES + 4)
#define FAST_OWN_MSRS	      (LONG_BYTES + 8)
#define VMX_CPU_KICK_PATIENCE (2 * LONG_BYTES + 8)

/* struct fast_leaf */
#define LEAF_EAX	      0
#define LEAF_EBX	      4
#define LEAF_ECX	      8
#define LEAF_EDX	      12
#define LEAF_KIND	      16
#define LEAF_CR4	      20
#define LEAF_MIRROR	      24
#define LEAF_SHIFT	      5

/* What becomes of a leaf. */
#define LEAF_PLAIN	      0 /* as the hardware says */
#define LEAF_MASKED	      1 /* with ECX = 0: without some bits, and with one of CR4's */
#define LEAF_SLOW	      2 /* by exit_cpuid() */

/*
 * Leaves n and 0x80000000 + n lie side by side: the number, rotated left by 1, is the index. All others are
 * slow.
 */
#define FAST_LEAVES_COUNT     64

/* MSRs that have a bit in one half of the bitmap: below this. */
#define FAST_MSRS	      0x2000

#ifndef __ASSEMBLER__

#include <keel/percpu.h>
#include <keel/types.h>

#include "cpu/cpuid.h"

struct fast_leaf {
	struct cpuid keep; /* bits that stay */
	u32 kind;
	u32 cr4, mirror; /* if the guest has this bit of CR4, ECX has that one */
	u32 reserved;
};

/* For fast_path.S, which reaches it by the stack pointer. */
struct vmx_fast {
	const struct fast_leaf *leaves;
	/* A write of this MSR goes to the hardware, unless its low half has one of these bits. */
	u32 msr, unless;
	/* Of the MSRs below FAST_MSRS, the bits of those whose writes do not. */
	const u8 *own_msrs;
};

/* As in struct backend. */
void vmx_pass_wrmsr(u32 msr, u32 unless);

/* This CPU's part is made ready, on the boot CPU all that they share. Before its guest runs. */
void vmx_fast_init(struct percpu *cpu);

/*
 * A store to the local APIC's page, by fast.c; false, and nothing is done, if it has to go the long way. At an
 * exit by EPT violation.
 */
bool vmx_fast_store(struct percpu *cpu);

/* fast_path.S: an NMI that arrives at an address in [start, end) has to go on at restart. */
extern const u8 vmx_fast_window_start[], vmx_fast_window_end[], vmx_fast_restart[];


#endif
#endif
