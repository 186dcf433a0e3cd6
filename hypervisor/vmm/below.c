/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/below.h"

#include <keel/abi.h>

#include "cpu/cpuid.h"
#include "lib/string.h"
#include "vmm/backend.h"

#define SIGNATURE_LENGTH 12
#define KVM_SIGNATURE "KVMKVMKVM\0\0"

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

/* KVM's convention: number and result in RAX, arguments in RBX, RCX, RDX, RSI, all of full width. */
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
