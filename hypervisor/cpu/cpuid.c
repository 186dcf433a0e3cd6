/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/cpuid.h"

#include "lib/string.h"

/* Without leaf 0x80000008 the manual says 36 bits (SDM volume 3, 4.1.4). */
#define DEFAULT_PHYS_BITS 36

bool cpuid_has_extended(u32 leaf)
{
	return cpuid(CPUID_EXT_MAX).eax >= leaf;
}

u8 cpu_phys_bits(void)
{
	if (!cpuid_has_extended(CPUID_ADDRESS_SIZES))
		return DEFAULT_PHYS_BITS;
	return cpuid(CPUID_ADDRESS_SIZES).eax & CPUID_PHYS_BITS;
}

void cpu_vendor(char out[13])
{
	struct cpuid c = cpuid(CPUID_VENDOR);

	memcpy(out, &c.ebx, 4);
	memcpy(out + 4, &c.edx, 4);
	memcpy(out + 8, &c.ecx, 4);
	out[12] = '\0';
}

u32 cpu_apic_id(void)
{
	struct cpuid topology;

	if (cpuid(CPUID_VENDOR).eax >= CPUID_TOPOLOGY) {
		topology = cpuid(CPUID_TOPOLOGY);
		if (topology.ebx) /* else the leaf is there but empty */
			return topology.edx;
	}
	return cpuid(CPUID_FEATURES).ebx >> CPUID_1_EBX_APIC_ID_SHIFT;
}
