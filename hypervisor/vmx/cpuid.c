/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID in a VMX guest: what the guest cannot have is not shown. */
#include "cpu/regs.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"

/* Leaf 1: debug store (BTS, PEBS) and what goes with it */
#define CPUID_1_ECX_DS		(BIT(2) | BIT(4)) /* DTES64, DS_CPL */
#define CPUID_1_EDX_DS		BIT(21)
/* Leaf 6: hardware feedback interface, Thread Director */
#define CPUID_POWER		6
#define CPUID_6_EAX_HFI		(BIT(19) | BIT(23))
/* Leaf 7, subleaf 0 */
#define CPUID_7_EBX_INVPCID	BIT(10)
#define CPUID_7_EBX_PT		BIT(25)
#define CPUID_7_ECX_WAITPKG	BIT(5)
#define CPUID_7_ECX_RDPID	BIT(22)
#define CPUID_7_EDX_PCONFIG	BIT(18)
#define CPUID_PROCESSOR_TRACE	0x14
/* Leaf 0xD, subleaf 1 */
#define CPUID_D1_EAX_XSAVES	BIT(3)
/* Leaf 0x80000001 */
#define CPUID_EXT_1_EDX_SYSCALL BIT(11)
#define CPUID_EXT_1_EDX_RDTSCP	BIT(27)

/* Bits of ECX that show a bit of CR4, in subleaf 0. */
static const struct {
	u32 leaf, cr4, ecx;
} mirrors[] = {
	{CPUID_FEATURES, CR4_OSXSAVE, CPUID_1_ECX_OSXSAVE},
	{CPUID_EXT_FEATURES, CR4_PKE, CPUID_7_ECX_OSPKE},
};

void vmx_cpuid_mirror(u32 leaf, u32 *cr4, u32 *ecx)
{
	*cr4 = *ecx = 0;
	for (u32 i = 0; i < ARRAY_SIZE(mirrors); i++) {
		if (mirrors[i].leaf == leaf) {
			*cr4 = mirrors[i].cr4;
			*ecx = mirrors[i].ecx;
		}
	}
}

bool vmx_cpuid_follows_mode(u32 leaf)
{
	return leaf == CPUID_EXT_INFO;
}

static void show_cr4(u32 leaf, struct cpuid *out)
{
	u32 cr4, ecx;

	vmx_cpuid_mirror(leaf, &cr4, &ecx);
	cpuid_mirror(&out->ecx, ecx, vmcs_read(VMCS_GUEST_CR4) & cr4);
}

static bool enabled(u32 secondary)
{
	return vmx_caps.secondary & secondary;
}

static void fix_ext_features(struct cpuid *out)
{
	show_cr4(CPUID_EXT_FEATURES, out);
	/* An instruction whose control is off is #UD in the guest (SDM 26.3). */
	if (!enabled(SECONDARY_ENABLE_INVPCID))
		out->ebx &= ~CPUID_7_EBX_INVPCID;
	if (!enabled(SECONDARY_ENABLE_RDTSCP))
		out->ecx &= ~CPUID_7_ECX_RDPID;
	if (!enabled(SECONDARY_ENABLE_USER_WAIT))
		out->ecx &= ~CPUID_7_ECX_WAITPKG;
	/* Its keys encrypt by physical address, Keel's memory too. */
	out->edx &= ~CPUID_7_EDX_PCONFIG;
	out->ebx &= ~CPUID_7_EBX_PT;
}

void vmx_fix_cpuid(struct percpu *cpu, u32 leaf, u32 subleaf, struct cpuid *out)
{
	(void)cpu;
	switch (leaf) {
	case CPUID_FEATURES:
		out->ecx &= ~(CPUID_1_ECX_VMX | CPUID_1_ECX_SMX | CPUID_1_ECX_DS);
		out->edx &= ~CPUID_1_EDX_DS;
		show_cr4(leaf, out);
		break;
	case CPUID_POWER:
		out->eax &= ~CPUID_6_EAX_HFI;
		break;
	case CPUID_PROCESSOR_TRACE:
		*out = (struct cpuid){0};
		break;
	case CPUID_ADDRESS_SIZES:
		/* Four levels of EPT translate 48 bits. */
		if ((out->eax & CPUID_PHYS_BITS) > EPT_ADDRESS_BITS)
			out->eax = (out->eax & ~CPUID_PHYS_BITS) | EPT_ADDRESS_BITS;
		break;
	case CPUID_EXT_FEATURES:
		if (subleaf == 0)
			fix_ext_features(out);
		break;
	case CPUID_XSAVE:
		if (subleaf == 1 && !enabled(SECONDARY_ENABLE_XSAVES))
			out->eax &= ~CPUID_D1_EAX_XSAVES;
		break;
	case CPUID_EXT_INFO:
		/* Set in 64-bit mode only (SDM volume 2, CPUID), in which Keel executed it. */
		if (!vmx_guest_in_64bit_code())
			out->edx &= ~CPUID_EXT_1_EDX_SYSCALL;
		if (!enabled(SECONDARY_ENABLE_RDTSCP))
			out->edx &= ~CPUID_EXT_1_EDX_RDTSCP;
		break;
	}
}
