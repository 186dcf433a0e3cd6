/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmx/count.h"

#include <keel/errno.h>
#include <keel/percpu.h>

#include "mm/frame.h"
#include "vmx/vmx.h"

_Static_assert(offsetof(struct vmx_cpu, accesses) == VMX_CPU_ACCESSES, "access.h counts there");
_Static_assert(2 * ACCESSES * sizeof(u32) <= PAGE_SIZE, "one page");

int vmx_count_init(struct percpu *cpu)
{
	vmx_cpu(cpu)->accesses = frame_alloc();
	return vmx_cpu(cpu)->accesses ? 0 : -ENOMEM;
}

void vmx_count_access(u32 field, bool write)
{
	u32 *accesses = vmx_cpu(this_cpu())->accesses;

	if (accesses)
		accesses[(write ? ACCESSES : 0) + ACCESS_INDEX(field)]++;
}

u32 vmx_accesses(struct percpu *cpu, u32 field, bool write)
{
	return vmx_cpu(cpu)->accesses[(write ? ACCESSES : 0) + ACCESS_INDEX(field)];
}
