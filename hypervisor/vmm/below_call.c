/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls that are not Keel's own go to the KVM below: all of the guest's view is checked before. */
#include <keel/abi.h>

#include "cpu/regs.h"
#include "lib/icr.h"
#include "lib/kvm_pv.h"
#include "vmm/below.h"
#include "vmm/cpus.h"
#include "vmm/kick.h"

/* Of RBX, then of RCX: one for each CPU. As KVM has it, by Keel's own mode. */
#define IPI_BITS (8 * sizeof(long))

struct kvm_call {
	u64 number, arg[4];
};

/* KVM takes the registers for 64-bit ones if Keel is 64-bit code, whatever its guest is. */
static struct kvm_call call_of(const struct percpu *cpu, bool long_mode)
{
	const struct guest_regs *r = &cpu->regs;
	u64 mask = long_mode ? ~0ull : ~0u;

	return (struct kvm_call){
		.number = r->rax & mask,
		.arg = {r->rbx & mask, r->rcx & mask, r->rdx & mask, r->rsi & mask},
	};
}

static long do_call(const struct kvm_call *call)
{
	long result = (long)call->number;
	unsigned long b = (unsigned long)call->arg[0], c = (unsigned long)call->arg[1];
	unsigned long d = (unsigned long)call->arg[2], s = (unsigned long)call->arg[3];

	if (backend->abi_id == KEEL_BACKEND_VMX)
		__asm__ volatile("vmcall" : "+a"(result) : "b"(b), "c"(c), "d"(d), "S"(s) : "memory");
	else
		__asm__ volatile("vmmcall" : "+a"(result) : "b"(b), "c"(c), "d"(d), "S"(s) : "memory");
	return result;
}

/* A 32-bit guest's second word begins at bit 32: KVM would take it for CPUs from 64 on. */
static void join_words(struct kvm_call *call, bool long_mode)
{
	if (long_mode || sizeof(long) == sizeof(u32))
		return;
	call->arg[0] |= call->arg[1] << 32;
	call->arg[1] = 0;
}

/* Does the call name the CPU with this APIC ID? */
static bool names(const struct kvm_call *call, u32 apic_id)
{
	u64 index = (u64)apic_id - (u32)call->arg[2];

	if (index >= 2 * IPI_BITS)
		return false;
	return index < IPI_BITS ? call->arg[0] >> index & 1 : call->arg[1] >> (index - IPI_BITS) & 1;
}

/*
 * An interrupt to several CPUs at once. Of its kinds INIT and SIPI would be taken past Keel; an NMI is
 * Keel's own to deliver where NMIs exit.
 */
static long send_ipi(const struct kvm_call *call)
{
	u8 mode = call->arg[3] >> ICR_MODE_SHIFT & 7;
	long hit = 0;

	if (mode != ICR_FIXED && mode != ICR_NMI)
		return KVM_ANSWER_EINVAL;
	if (mode == ICR_FIXED || backend->kick_mode != ICR_NMI)
		return do_call(call);
	for (u32 i = 0; i < cpu_count; i++) {
		if (!names(call, cpus[i]->apic_id))
			continue;
		kick_request(cpus[i], REQUEST_NMI);
		hit++;
	}
	return hit;
}

/* What the table does not have may name memory: KVM does not hear of it. */
static long answer(struct kvm_call *call, bool long_mode)
{
	const struct kvm_pv *pv = kvm_pv_of_call(call->number);
	bool vmx = backend->abi_id == KEEL_BACKEND_VMX;

	if (call->number == KVM_CALL_CLOCK_PAIRING)
		return below_may_write(call->arg[0], KVM_CLOCK_PAIRING_SIZE) ? do_call(call)
									   : KVM_ANSWER_EFAULT;
	if (!pv || !kvm_pv_goes_on(vmx ? pv->vmx : pv->svm))
		return KVM_ANSWER_ENOSYS;
	if (call->number != KVM_CALL_SEND_IPI)
		return do_call(call);
	join_words(call, long_mode);
	return send_ipi(call);
}

bool below_hypercall(struct percpu *cpu, const struct guest_state *state)
{
	bool long_mode = state->cs_long && state->efer & EFER_LMA;
	struct kvm_call call = call_of(cpu, long_mode);
	long result;

	if (!below_is_kvm())
		return false;
	result = answer(&call, long_mode);
	cpu->regs.rax = long_mode ? (unsigned long)result : (u32)result;
	return true;
}
