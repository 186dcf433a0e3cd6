/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypercall.h"

#include "trap.h"

u32 hypercall_raw(struct hypercall *r)
{
	if (is_intel)
		return TRY(".byte 0x0f, 0x01, 0xc1", /* vmcall */
			   : "+a"(r->eax), "+b"(r->ebx), "+c"(r->ecx), "+d"(r->edx) : : "memory");
	return TRY(".byte 0x0f, 0x01, 0xd9", /* vmmcall */
		   : "+a"(r->eax), "+b"(r->ebx), "+c"(r->ecx), "+d"(r->edx) : : "memory");
}

u32 hypercall_sig(u32 signature, u32 function, u32 arg, struct hypercall *out)
{
	*out = (struct hypercall){ signature, 0, function, arg };
	return hypercall_raw(out);
}

u32 hypercall(u32 function, u32 arg, struct hypercall *out)
{
	return hypercall_sig(KEEL_HC_SIGNATURE, function, arg, out);
}

bool keel_answers(void)
{
	struct hypercall r;

	return hypercall(KEEL_HC_PING, 0, &r) == NO_TRAP && r.eax == KEEL_HC_ANSWER;
}

u32 keel_region(u64 *start)
{
	struct hypercall r;

	hypercall(KEEL_HC_REGION, 0, &r);
	*start = (u64)r.ebx << 32 | r.eax;
	return r.ecx;
}

u64 keel_exits(u32 reason)
{
	struct hypercall r;

	hypercall(KEEL_HC_EXITS, reason, &r);
	return (u64)r.ebx << 32 | r.eax;
}

u64 keel_exits_on(u32 keel_cpu, u32 reason)
{
	struct hypercall r = { KEEL_HC_SIGNATURE, keel_cpu + 1, KEEL_HC_EXITS, reason };

	hypercall_raw(&r);
	return (u64)r.ebx << 32 | r.eax;
}

u32 keel_policy(void)
{
	struct hypercall r;

	hypercall(KEEL_HC_CPUS, 0, &r);
	return r.ecx;
}
