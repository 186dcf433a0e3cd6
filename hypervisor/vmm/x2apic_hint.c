/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/x2apic_hint.h"

#include <generated/autoconf.h>

#include "lib/kvm_pv.h"
#include "lib/string.h"
#include "vmm/below.h"
#include "vmm/cpu_start.h"
#include "vmm/cpus.h"
#include "vmm/exit.h"

#define CPUID_1_ECX_X2APIC BIT(21)

#ifdef CONFIG_X2APIC_HINT
static const bool wanted = true;
#else
static const bool wanted = false;
#endif

/* Is it of use on this machine? */
static bool useful;
static bool active;

static void show(struct percpu *cpu, bool on)
{
	active = on;
	if (backend->trap_cpuid)
		backend->trap_cpuid(cpu, on);
}

void x2apic_hint_begin(struct percpu *boot)
{
	useful = wanted && cpu_start_trapped() && !below_is_kvm() &&
		 cpuid(CPUID_FEATURES).ecx & CPUID_1_ECX_X2APIC;
	if (useful)
		show(boot, true);
}

void x2apic_hint_end(struct percpu *cpu)
{
	/* Where CPUID always exits there is nothing to gain. */
	if (active && is_boot_cpu(cpu) && backend->trap_cpuid)
		show(cpu, false);
}

/* Perhaps a kernel by kexec, which would leave x2APIC mode if it did not see the signature as well. */
void exit_efer_written(struct percpu *cpu)
{
	if (useful && !active && is_boot_cpu(cpu))
		show(cpu, true);
}

void x2apic_hint_cpuid(const struct percpu *cpu, u32 leaf, struct cpuid *out)
{
	if (!active || !is_boot_cpu(cpu))
		return;
	if (leaf == CPUID_FEATURES) {
		out->ecx |= CPUID_1_ECX_HYPERVISOR;
	} else if (leaf == CPUID_HYPERVISOR) {
		out->eax = KVM_LEAF_FEATURES;
		memcpy(&out->ebx, KVM_SIGNATURE, 4);
		memcpy(&out->ecx, &KVM_SIGNATURE[4], 4);
		memcpy(&out->edx, &KVM_SIGNATURE[8], 4);
	} else if (leaf == KVM_LEAF_FEATURES) {
		*out = (struct cpuid){0};
	}
}
