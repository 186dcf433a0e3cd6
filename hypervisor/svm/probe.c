/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does this CPU walk a nested table of Keel's format? Those of 32-bit hosts are little used, and QEMU
 * 7.2 to 10.0 takes guest-physical addresses for host-physical ones when such a host has two levels:
 * every guest would be out of Keel, and nothing would show it.
 */
#include "lib/string.h"
#include "mm/frame.h"
#include "svm/svm.h"

#define INSN_HLT 0xf4

/* The guest has one instruction, which is not mapped: it must not be executed. */
bool svm_walks_nested_table(struct percpu *cpu)
{
	struct vmcb *vmcb = vmcb_of(cpu);
	unsigned long vmcb_hpa = (unsigned long)vmcb;
	u8 *code = frame_alloc();
	void *empty_table = frame_alloc();
	bool walks;

	if (!code || !empty_table)
		return false;
	code[0] = INSN_HLT;
	svm_reset_state(cpu, (unsigned long)empty_table);
	vmcb->control.intercept3 |= INTERCEPT_HLT;
	vmcb->save.cs.base = (unsigned long)code;
	vmcb->save.rip = 0;
	__asm__ volatile("vmrun %0" : "+a"(vmcb_hpa) : : "cc", "memory");
	walks = vmcb->control.exitcode == VMEXIT_NPF;
	frame_free(code);
	frame_free(empty_table);
	return walks;
}
