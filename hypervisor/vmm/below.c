/* SPDX-License-Identifier: BSD-2-Clause */
/* What the table of KVM's features (lib/kvm_pv.c) says, done: MSRs, CPUID, INIT, the boot line. */
#include "vmm/below.h"

#include <keel/abi.h>

#include "cpu/msr.h"
#include "lib/format.h"
#include "lib/kvm_pv.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "vmm/backend.h"

#define SIGNATURE_LENGTH 12

/* The largest thing that KVM keeps in the guest's memory, and the bits of its address that are none. */
#define KVM_AREA_SIZE	 64
#define KVM_AREA_FLAGS	 3u

/* Where KVM's leaves begin if it shows another's, Hyper-V's, at the first place. */
#define LEAVES_STEP	 0x100
#define LEAVES_END	 0x40010000

/* Hyper-V's MSRs (Hypervisor Top Level Functional Specification, appendix "Hypervisor synthetic MSRs"). */
#define HYPERV_SIGNATURE "Microsoft Hv"
#define HYPERV_MSR_FIRST 0x40000000
#define HYPERV_MSR_LAST	 0x400001ff

static char signature[SIGNATURE_LENGTH + 1];
static bool is_kvm;
static u32 features_leaf;
static u32 features; /* EAX there */

static enum kvm_pv_decision decision(const struct kvm_pv *pv)
{
	return backend->abi_id == KEEL_BACKEND_VMX ? pv->vmx : pv->svm;
}

static void read_signature(u32 leaf, char out[SIGNATURE_LENGTH + 1])
{
	struct cpuid c = cpuid(leaf);

	memcpy(out, &c.ebx, 4);
	memcpy(out + 4, &c.ecx, 4);
	memcpy(out + 8, &c.edx, 4);
	out[SIGNATURE_LENGTH] = '\0';
}

static void find_kvm(void)
{
	char found[SIGNATURE_LENGTH + 1];

	for (u32 leaf = CPUID_HYPERVISOR; leaf < LEAVES_END && !is_kvm; leaf += LEAVES_STEP) {
		read_signature(leaf, found);
		is_kvm = !memcmp(found, KVM_SIGNATURE, SIGNATURE_LENGTH);
		features_leaf = leaf + KVM_LEAF_FEATURES - CPUID_HYPERVISOR;
	}
	if (is_kvm)
		features = cpuid(features_leaf).eax;
}

const char *below_init(void)
{
	if (!(cpuid(CPUID_FEATURES).ecx & CPUID_1_ECX_HYPERVISOR))
		return NULL;
	read_signature(CPUID_HYPERVISOR, signature);
	find_kvm();
	return signature;
}

bool below_is_kvm(void)
{
	return is_kvm;
}

enum shown { HANDED_ON, NOT_HANDED_ON, MISSING, NOT_MISSED };

static enum shown shown_as(const struct kvm_pv *pv)
{
	bool goes_on = kvm_pv_goes_on(decision(pv));

	if (!(features & BIT(pv->bit)))
		return goes_on ? MISSING : NOT_MISSED;
	return goes_on ? HANDED_ON : NOT_HANDED_ON;
}

const char *below_describe(char *line, size_t size)
{
	static const char *const heads[] = {
		[HANDED_ON] = "its guest gets",
		[NOT_HANDED_ON] = "; not",
		[MISSING] = "; KVM has no",
	};
	size_t used = 0;
	u32 count;
	const struct kvm_pv *table = kvm_pv_table(&count);

	if (!is_kvm)
		return NULL;
	line[0] = '\0';
	for (u32 what = HANDED_ON; what <= MISSING && used < size; what++) {
		used += (size_t)keel_snprintf(line + used, size - used, "%s", heads[what]);
		for (u32 i = 0; i < count && used < size; i++) {
			if (shown_as(&table[i]) == what)
				used += (size_t)keel_snprintf(line + used, size - used, " %s",
							      table[i].name);
		}
	}
	return line;
}

void below_cpuid(u32 leaf, struct cpuid *out)
{
	if (is_kvm && leaf == features_leaf)
		out->eax &= ~kvm_pv_hidden(backend->abi_id == KEEL_BACKEND_VMX);
}

bool below_may_write(u64 address, u64 size)
{
	return address >= keel_region.end || address + size <= keel_region.start;
}

static bool write_kvm_msr(struct percpu *cpu, u32 msr, u64 value)
{
	const struct kvm_pv *pv = kvm_pv_of_msr(msr);

	(void)cpu;
	/* There are KVMs with more MSRs than Linux', and some of these name memory. */
	if (!pv)
		return false;
	if (!kvm_pv_goes_on(decision(pv)))
		return features & BIT(pv->bit);
	/* KVM writes past the nested table: what it is given must not be Keel's. */
	if (pv->has & KVM_PV_PAGE && !below_may_write(value & ~(u64)KVM_AREA_FLAGS, KVM_AREA_SIZE))
		return false;
	return wrmsr_safe(msr, value);
}

/* By Hyper-V's MSRs and calls it is told addresses to write to, of which Keel checks none. */
static const struct msr_rule rules[] = {
	{HYPERV_MSR_FIRST, HYPERV_MSR_LAST, MSR_WRITE, NULL, msr_no_write},
	{KVM_MSR_OLD_FIRST, KVM_MSR_OLD_LAST, MSR_WRITE, NULL, write_kvm_msr},
	{KVM_MSR_FIRST, KVM_MSR_LAST, MSR_WRITE, NULL, write_kvm_msr},
};

const struct msr_rule *below_msr_rules(u32 *count)
{
	bool is_hyperv = !memcmp(signature, HYPERV_SIGNATURE, SIGNATURE_LENGTH);

	/* Hyper-V's is the first. */
	*count = is_kvm ? ARRAY_SIZE(rules) : is_hyperv;
	return rules;
}

void below_reset_cpu(void)
{
	u32 count;
	const struct kvm_pv *table = kvm_pv_table(&count);

	for (u32 i = 0; i < count && is_kvm; i++) {
		if (features & BIT(table[i].bit) && table[i].has & KVM_PV_RESET &&
		    kvm_pv_goes_on(decision(&table[i])))
			wrmsr_safe(table[i].msrs[0], 0);
	}
}
