/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/below.h"

#include <keel/abi.h>

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "vmm/backend.h"

#define SIGNATURE_LENGTH       12

/* KVM's paravirtual MSRs (Linux Documentation/virt/kvm/msr.rst). */
#define KVM_MSR_OLD_CLOCK      0x11
#define KVM_MSR_OLD_CLOCK_LAST 0x12
#define KVM_MSR_FIRST	       0x4b564d00
#define KVM_MSR_LAST	       0x4b564dff
#define KVM_MSR_ASYNC_PF_EN    0x4b564d02

static char signature[SIGNATURE_LENGTH + 1];
static bool is_kvm;

const char *below_init(void)
{
	struct cpuid c;

	if (!(cpuid(CPUID_FEATURES).ecx & CPUID_1_ECX_HYPERVISOR))
		return NULL;
	c = cpuid(CPUID_HYPERVISOR);
	memcpy(signature, &c.ebx, 4);
	memcpy(signature + 4, &c.ecx, 4);
	memcpy(signature + 8, &c.edx, 4);
	is_kvm = !memcmp(signature, KVM_SIGNATURE, SIGNATURE_LENGTH);
	return signature;
}

bool below_is_kvm(void)
{
	return is_kvm;
}

/*
 * KVM writes to the page that such an MSR names, past the nested table: it must not be Keel's.
 * Async page faults would arrive as exits of Keel's instead of the guest's, so KVM never hears of
 * them.
 */
static bool write_kvm_msr(struct percpu *cpu, u32 msr, u64 value)
{
	u64 page = align_down(value, PAGE_SIZE);

	(void)cpu;
	if (msr == KVM_MSR_ASYNC_PF_EN)
		return true;
	if (keel_region.start <= page && page < keel_region.end)
		return false;
	return wrmsr_safe(msr, value);
}

static const struct msr_rule kvm_rules[] = {
	{KVM_MSR_OLD_CLOCK, KVM_MSR_OLD_CLOCK_LAST, MSR_WRITE, NULL, write_kvm_msr},
	{KVM_MSR_FIRST, KVM_MSR_LAST, MSR_WRITE, NULL, write_kvm_msr},
};

const struct msr_rule *below_msr_rules(u32 *count)
{
	*count = is_kvm ? ARRAY_SIZE(kvm_rules) : 0;
	return kvm_rules;
}

/*
 * KVM's convention: number and result in RAX, arguments in RBX, RCX, RDX, RSI, all of full width.
 */
bool below_hypercall(struct percpu *cpu)
{
	struct guest_regs *r = &cpu->regs;

	if (!is_kvm)
		return false;
	if (backend->abi_id == KEEL_BACKEND_VMX)
		__asm__ volatile("vmcall"
				 : "+a"(r->rax)
				 : "b"(r->rbx), "c"(r->rcx), "d"(r->rdx), "S"(r->rsi)
				 : "memory");
	else
		__asm__ volatile("vmmcall"
				 : "+a"(r->rax)
				 : "b"(r->rbx), "c"(r->rcx), "d"(r->rdx), "S"(r->rsi)
				 : "memory");
	return true;
}
