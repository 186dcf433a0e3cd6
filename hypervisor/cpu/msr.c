/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/msr.h"

#include "cpu/extable.h"

/* Each begins with "false" and reaches "true" only if the instruction before it did not fault. */

bool rdmsr_safe(u32 msr, u64 *v)
{
	u32 lo = 0, hi = 0;
	u32 ok = 0;

	__asm__ volatile("1:\trdmsr\n\tmov $1, %2\n2:\n" EXTABLE_1_TO_2
			 : "+a"(lo), "+d"(hi), "+r"(ok)
			 : "c"(msr));
	*v = (u64)hi << 32 | lo;
	return ok;
}

bool wrmsr_safe(u32 msr, u64 v)
{
	u32 ok = 0;

	__asm__ volatile("1:\twrmsr\n\tmov $1, %0\n2:\n" EXTABLE_1_TO_2
			 : "+r"(ok)
			 : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32))
			 : "memory");
	return ok;
}

bool xsetbv_safe(u32 index, u64 v)
{
	u32 ok = 0;

	__asm__ volatile("1:\txsetbv\n\tmov $1, %0\n2:\n" EXTABLE_1_TO_2
			 : "+r"(ok)
			 : "c"(index), "a"((u32)v), "d"((u32)(v >> 32))
			 : "memory");
	return ok;
}

bool pat_legal(u64 v)
{
	for (u32 i = 0; i < 64; i += 8) {
		u32 type = v >> i & 0xff;

		/* UC, WC; WT, WP, WB, UC-. */
		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}
