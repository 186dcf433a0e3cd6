/* SPDX-License-Identifier: BSD-2-Clause */
/* Which fields of the VMCS a CPU's Keel reads and writes, and how often (CONFIG_COUNT_VMCS). */
#ifndef KEEL_VMX_COUNT_H
#define KEEL_VMX_COUNT_H

#include "vmx/fast.h"

/* In struct vmx_cpu: where the counts are. Numbers of reads, then ACCESSES numbers of writes. */
#define VMX_CPU_ACCESSES    (VMX_CPU_KICK_PATIENCE+8)
#define ACCESSES	    512

/*
 * A field's own number: width, type and the lower bits of its index (SDM volume 3, appendix B); Keel uses none
 * with an index above 31. Both halves of a 64-bit field have the same. No spaces: an argument in assembly.
 */
#define ACCESS_INDEX(field) (((field)>>13&3)<<7|((field)>>10&3)<<5|((field)>>1&31))

#ifndef __ASSEMBLER__

#include <generated/autoconf.h>
#include <keel/types.h>

struct percpu;

#ifdef CONFIG_COUNT_VMCS

/* Takes memory for @cpu's counts. 0 or -ENOMEM. */
int vmx_count_init(struct percpu *cpu);

/* One more of this CPU's accesses to @field. */
void vmx_count_access(u32 field, bool write);

#else

static inline int vmx_count_init(struct percpu *cpu)
{
	(void)cpu;
	return 0;
}

static inline void vmx_count_access(u32 field, bool write)
{
	(void)field;
	(void)write;
}

#endif
#endif
#endif
