/* SPDX-License-Identifier: BSD-2-Clause */
/* Extended page tables and what the TLB remembers of them (SDM 29.3 and 29.4). */
#include <keel/account.h>

#include "vmx/vmcs.h"
#include "vmx/vmx.h"

#define EPT_READ	      BIT64(0)
#define EPT_EXECUTE	      BIT64(2)
#define EPT_RWX		      (EPT_READ | EPT_WRITE | EPT_EXECUTE)
#define EPT_MEMORY_TYPE_SHIFT 3
#define EPT_LARGE	      BIT64(7)
#define EPT_ADDRESS	      0x000ffffffffff000ull

#define EPTP_WALK_4	      (3u << 3)

#define SINGLE_CONTEXT	      1
#define ALL_CONTEXTS	      2

/* Operands of INVEPT and INVVPID. */
struct invept_descriptor {
	u64 eptp, reserved;
};

struct invvpid_descriptor {
	u64 vpid; /* bits 63:16 are reserved */
	u64 linear_address;
};

_Static_assert(sizeof(struct invept_descriptor) == 16, "SDM 31.3, INVEPT");
_Static_assert(sizeof(struct invvpid_descriptor) == 16, "SDM 31.3, INVVPID");

/* init() clears the leaf flag of the sizes that this processor lacks. */
struct pt_format vmx_ept_format = {
	.levels = 4,
	.entry_bytes = 8,
	.present = EPT_RWX,
	.large = EPT_LARGE,
	.addr_mask = EPT_ADDRESS,
	.level =
		{
			{.shift = 12, .index_bits = 9, .leaf = true},
			{.shift = 21,
			 .index_bits = 9,
			 .leaf = true,
			 .leaf_attrs = EPT_LARGE,
			 .table_attrs = EPT_RWX},
			{.shift = 30,
			 .index_bits = 9,
			 .leaf = true,
			 .leaf_attrs = EPT_LARGE,
			 .table_attrs = EPT_RWX},
			{.shift = 39, .index_bits = 9, .table_attrs = EPT_RWX},
		},
};

u64 vmx_ept_attrs(enum mem_type type)
{
	/* The guest's PAT combines with it as it does with the MTRRs (29.3.7.2). */
	return EPT_RWX | (u64)type << EPT_MEMORY_TYPE_SHIFT;
}

u64 vmx_eptp(hpa_t root)
{
	return root | EPTP_WALK_4 | MEM_WB;
}

void vmx_flush(struct percpu *cpu)
{
	struct invept_descriptor descriptor = {.eptp = vmx_cpu(cpu)->eptp};
	unsigned long type = vmx_caps.invept_single ? SINGLE_CONTEXT : ALL_CONTEXTS;

	account_event(cpu, KEEL_EVENT_FLUSH);
	__asm__ volatile("invept %0, %1" : : "m"(descriptor), "r"(type) : "cc", "memory");
}

void vmx_flush_linear(void)
{
	struct invvpid_descriptor descriptor = {.vpid = VMX_VPID};
	unsigned long type = vmx_caps.invvpid_single ? SINGLE_CONTEXT : ALL_CONTEXTS;

	/* Without a VPID every entry flushes by itself. */
	if (vmx_caps.secondary & SECONDARY_ENABLE_VPID)
		__asm__ volatile("invvpid %0, %1" : : "m"(descriptor), "r"(type) : "cc", "memory");
}
