/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/mtrr_read.h"

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "lib/string.h"

static const u32 fixed_msrs[MTRR_FIXED_MSRS] = {
	IA32_MTRR_FIX64K_00000,	   IA32_MTRR_FIX16K_80000,    IA32_MTRR_FIX16K_A0000,
	IA32_MTRR_FIX4K_C0000,	   IA32_MTRR_FIX4K_C0000 + 1, IA32_MTRR_FIX4K_C0000 + 2,
	IA32_MTRR_FIX4K_C0000 + 3, IA32_MTRR_FIX4K_C0000 + 4, IA32_MTRR_FIX4K_C0000 + 5,
	IA32_MTRR_FIX4K_C0000 + 6, IA32_MTRR_FIX4K_F8000,
};

void mtrr_read(struct mtrr_state *out)
{
	u32 count;

	memset(out, 0, sizeof(*out));
	out->phys_bits = cpu_phys_bits();
	if (!(cpuid(CPUID_FEATURES).edx & CPUID_1_EDX_MTRR))
		return;
	out->cap = rdmsr(IA32_MTRRCAP);
	out->def_type = rdmsr(IA32_MTRR_DEF_TYPE);
	if (out->cap & MTRRCAP_FIX) {
		for (u32 i = 0; i < MTRR_FIXED_MSRS; i++)
			out->fixed[i] = rdmsr(fixed_msrs[i]);
	}
	count = out->cap & MTRRCAP_VCNT;
	for (u32 i = 0; i < count && i < MTRR_VARIABLE_MAX; i++) {
		out->variable[i].base = rdmsr(IA32_MTRR_PHYSBASE0 + 2 * i);
		out->variable[i].mask = rdmsr(IA32_MTRR_PHYSMASK0 + 2 * i);
	}
}
