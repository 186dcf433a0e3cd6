/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's paravirtual features (Linux Documentation/virt/kvm/x86/{cpuid,msr,hypercalls}.rst), and what
 * Keel does with each when it lies on KVM: one table. docs/nested-kvm.md has the same with reasons.
 */
#ifndef KEEL_LIB_KVM_PV_H
#define KEEL_LIB_KVM_PV_H

#include <keel/types.h>

enum kvm_pv_decision {
	KVM_PV_PASS,	/* nothing of it reaches Keel, or all may go through unseen */
	KVM_PV_FORWARD, /* its MSRs and hypercall reach Keel, which hands them on if they are harmless */
	KVM_PV_SWALLOW, /* the guest may use it, but KVM never hears of it: nothing comes of it */
	KVM_PV_MASK,	/* as swallowed, and its hypercall gets KVM's "not implemented" */
};

/* Bits of kvm_pv.has. */
#define KVM_PV_PAGE  1 /* an MSR's value names memory that KVM writes to */
#define KVM_PV_RESET 2 /* an INIT switches it off, by 0 in its first MSR */

#define KVM_PV_NO_CALL 0

struct kvm_pv {
	const char *name;
	u8 bit;	     /* of EAX in leaf KVM_LEAF_FEATURES */
	u8 vmx, svm; /* enum kvm_pv_decision, by the backend */
	u8 has;
	u8 call;     /* hypercall number, or KVM_PV_NO_CALL */
	u32 msrs[3]; /* 0: none */
};

#define KVM_LEAF_FEATURES      0x40000001

/* All MSRs of KVM's: those before it had a range of its own, and the range. */
#define KVM_MSR_OLD_FIRST      0x11
#define KVM_MSR_OLD_LAST       0x12
#define KVM_MSR_FIRST	       0x4b564d00
#define KVM_MSR_LAST	       0x4b564dff

/* Hypercalls that Keel looks into. */
#define KVM_CALL_CLOCK_PAIRING 9 /* KVM writes to the address in RBX */
#define KVM_CLOCK_PAIRING_SIZE 64
#define KVM_CALL_SEND_IPI      10 /* RBX, RCX: bits; RDX: the first one's APIC ID; RSI: an ICR */
/* Their answers. */
#define KVM_ANSWER_ENOSYS      (-1000)
#define KVM_ANSWER_EFAULT      (-14)
#define KVM_ANSWER_EINVAL      (-22)

/* The table; *@count is its length. */
const struct kvm_pv *kvm_pv_table(u32 *count);

/* The feature that an MSR or a hypercall belongs to, or NULL. */
const struct kvm_pv *kvm_pv_of_msr(u32 msr);
const struct kvm_pv *kvm_pv_of_call(u64 number);

/* May KVM hear of it? */
static inline bool kvm_pv_goes_on(enum kvm_pv_decision decision)
{
	return decision == KVM_PV_PASS || decision == KVM_PV_FORWARD;
}

/* The bits of leaf KVM_LEAF_FEATURES that a guest should not see, where CPUID exits; @vmx: on Intel. */
u32 kvm_pv_hidden(bool vmx);

#endif
