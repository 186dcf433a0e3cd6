/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/kvm_pv.h"

#include <keel/bits.h>

#define PASS	KVM_PV_PASS
#define FORWARD KVM_PV_FORWARD
#define SWALLOW KVM_PV_SWALLOW
#define MASK	KVM_PV_MASK
#define PAGE	KVM_PV_PAGE
#define RESET	KVM_PV_RESET

/*
 * Why what is not passed is not:
 * - async page faults would come as exits of Keel's, not as the guest's page faults;
 * - steal time on Intel: KVM before 5.10.262 flushes the wrong VPID when the guest asks it by the flag
 *   in there, and a guest that has no flag sends an interrupt instead;
 * - a page map call (memory encryption) names memory, and Keel's is among it.
 */
static const struct kvm_pv table[] = {
	{"kvmclock-old", 0, FORWARD, FORWARD, PAGE | RESET, KVM_PV_NO_CALL, {0x12, 0x11}},
	{"nopiodelay", 1, PASS, PASS, 0, KVM_PV_NO_CALL, {0}},
	{"mmu-op", 2, MASK, MASK, 0, 2, {0}},
	{"kvmclock", 3, FORWARD, FORWARD, PAGE | RESET, KVM_PV_NO_CALL, {0x4b564d01, 0x4b564d00}},
	{"async-pf", 4, SWALLOW, SWALLOW, PAGE, KVM_PV_NO_CALL, {0x4b564d02}},
	{"steal-time", 5, SWALLOW, FORWARD, PAGE | RESET, KVM_PV_NO_CALL, {0x4b564d03}},
	{"pv-eoi", 6, FORWARD, FORWARD, PAGE | RESET, KVM_PV_NO_CALL, {0x4b564d04}},
	{"pv-unhalt", 7, FORWARD, FORWARD, 0, 5, {0}},
	{"pv-tlb-flush", 9, MASK, PASS, 0, KVM_PV_NO_CALL, {0}},
	{"async-pf-vmexit", 10, MASK, MASK, 0, KVM_PV_NO_CALL, {0}},
	{"pv-ipi", 11, FORWARD, FORWARD, 0, KVM_CALL_SEND_IPI, {0}},
	{"poll-control", 12, FORWARD, FORWARD, 0, KVM_PV_NO_CALL, {0x4b564d05}},
	{"pv-sched-yield", 13, FORWARD, FORWARD, 0, 11, {0}},
	{"async-pf-int", 14, SWALLOW, SWALLOW, 0, KVM_PV_NO_CALL, {0x4b564d06, 0x4b564d07}},
	{"msi-ext-dest-id", 15, PASS, PASS, 0, KVM_PV_NO_CALL, {0}},
	{"map-gpa-range", 16, MASK, MASK, 0, 12, {0}},
	{"migration-control", 17, MASK, MASK, 0, KVM_PV_NO_CALL, {0x4b564d08}},
	{"stable-clock", 24, PASS, PASS, 0, KVM_PV_NO_CALL, {0}},
};

const struct kvm_pv *kvm_pv_table(u32 *count)
{
	*count = ARRAY_SIZE(table);
	return table;
}

const struct kvm_pv *kvm_pv_of_msr(u32 msr)
{
	for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
		for (u32 m = 0; m < ARRAY_SIZE(table[i].msrs); m++) {
			if (table[i].msrs[m] && table[i].msrs[m] == msr)
				return &table[i];
		}
	}
	return NULL;
}

const struct kvm_pv *kvm_pv_of_call(u64 number)
{
	for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].call != KVM_PV_NO_CALL && table[i].call == number)
			return &table[i];
	}
	return NULL;
}

u32 kvm_pv_hidden(bool vmx)
{
	u32 shown = 0;

	for (u32 i = 0; i < ARRAY_SIZE(table); i++)
		shown |= kvm_pv_goes_on(vmx ? table[i].vmx : table[i].svm) ? BIT(table[i].bit) : 0;
	return ~shown;
}
