/* SPDX-License-Identifier: BSD-2-Clause */
/* AMD SVM: what the CPU must have, turning it on, and the exit's first C function. */
#include "svm/decode.h"
#include "svm/svm.h"

#include <keel/abi.h>
#include <keel/account.h>
#include <keel/errno.h>
#include <keel/panic.h>

#include "cpu/cpuid.h"
#include "cpu/exception.h"
#include "cpu/msr.h"
#include "cpu/regs.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mode/paging.h"
#include "mode/pte.h"

#define IOPM_PAGES   3
#define ASIDS_NEEDED 2

static bool svm_present(void)
{
	return cpuid_has_extended(CPUID_SVM) && cpuid(CPUID_EXT_INFO).ecx & CPUID_EXT_1_ECX_SVM;
}

/* SVMDIS can be cleared unless the firmware locked it (APM volume 2, 15.30.1). */
static bool switch_on(void)
{
	u64 vm_cr;

	if (!rdmsr_safe(AMD_VM_CR, &vm_cr) || !(vm_cr & VM_CR_SVMDIS))
		return true;
	return !(vm_cr & VM_CR_LOCK) && wrmsr_safe(AMD_VM_CR, vm_cr & ~VM_CR_SVMDIS);
}

static const char switched_off[] =
	"switched off by the firmware (VM_CR.SVMDIS): enable SVM in the firmware setup";

static int svm_init(const char **why)
{
	struct cpuid svm = cpuid(CPUID_SVM);

	if (!switch_on()) {
		*why = switched_off;
		return -ENODEV;
	}
	if (!(svm.edx & CPUID_SVM_EDX_NP)) {
		*why = "this CPU has no nested paging: Keel needs one that has it (under QEMU: "
		       "+npt)";
		return -ENODEV;
	}
	if (svm.ebx < ASIDS_NEEDED) {
		*why = "this CPU offers fewer than 2 address space identifiers: Keel needs one of "
		       "its own";
		return -ENODEV;
	}
	svm_shared.has_nrips = svm.edx & CPUID_SVM_EDX_NRIPS;
#ifdef CONFIG_VMCB_CLEAN
	if (svm.edx & CPUID_SVM_EDX_CLEAN)
		svm_shared.clean = CLEAN_ALL;
#endif
	svm_shared.iopm = frame_alloc_many(IOPM_PAGES, PAGE_SIZE);
	if (!svm_shared.iopm || !svm_msrpm_init()) {
		*why = "no memory for the permission maps";
		return -ENOMEM;
	}
	host_nested_format.level[NESTED_LEVEL_2M].leaf = NESTED_2M;
	if (host_nested_format.levels > NESTED_LEVEL_1G + 1)
		host_nested_format.level[NESTED_LEVEL_1G].leaf =
			NESTED_1G && cpuid(CPUID_EXT_INFO).edx & CPUID_EXT_1_EDX_PAGE1GB;
	svm_probe_efer();
	return 0;
}

static int svm_cpu_on(struct percpu *cpu, const char **why)
{
	void *host_save = frame_alloc();

	if (!host_save || svm_vcpu_alloc(cpu)) {
		*why = "no memory for the VMCB";
		return -ENOMEM;
	}
	if (!switch_on()) {
		*why = switched_off;
		return -ENODEV;
	}
	wrmsr(IA32_EFER, rdmsr(IA32_EFER) | EFER_SVME);
	wrmsr(AMD_VM_HSAVE_PA, (u64)(unsigned long)host_save);
	/* INIT leaves PAT as it is; from here on it is the guest's. */
	vmcb_of(cpu)->save.g_pat = rdmsr(IA32_PAT);
	/* From now on an NMI waits for the guest, or for svm_take_nmi(). */
	__asm__ volatile("clgi" : : : "memory");
	if (!GUEST_LONG_MODE && !svm_walks_nested_table(cpu)) {
		*why = "this CPU does not walk a nested page table of Keel " SUBARCH_NAME
		       "'s format: use Keel amd64 or PAE";
		return -ENODEV;
	}
	return 0;
}

/* U/S must be 1: nested walks are user accesses (APM volume 2, 15.25.5). */
static u64 svm_nested_attrs(enum mem_type type)
{
	(void)type;
	return PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D;
}

void svm_wait(struct percpu *cpu)
{
	static const struct exit_info woken = {.reason = EXIT_NMI, .raw = VMEXIT_NMI};

	while (svm_cpu(cpu)->parked) {
		svm_halt_until_nmi();
		exit_dispatch(cpu, &woken);
		/* What is not a kick finds nobody. */
		cpu->nmi_pending = 0;
	}
}

void svm_exit(struct percpu *cpu)
{
	struct vmcb *vmcb = vmcb_of(cpu);
	struct vmcb_control *control = &vmcb->control;
	struct exit_info info;

	if (control->exitcode == VMEXIT_INVALID)
		panic("VMRUN refused the VMCB (VMEXIT_INVALID)");
	cpu->regs.rax = vmcb->save.rax;
	control->tlb_control = TLB_CONTROL_AT_ENTRY;
	control->clean = svm_shared.clean;
	control->eventinj = svm_event_to_reinject(control->exitintinfo);
	if (control->eventinj)
		account_event(cpu, KEEL_EVENT_REDELIVERED);
	svm_decode(control, &info);
	if (info.reason == EXIT_NMI || info.reason == EXIT_NMI_WINDOW)
		svm_nmi_exit(cpu);
	exit_dispatch(cpu, &info);
	svm_wait(cpu);
	if (cpu->nmi_pending)
		svm_nmi_deliver(cpu);
	vmcb->save.rax = cpu->regs.rax;
}

static _Noreturn void run(struct percpu *cpu)
{
	exception_set_nmi_window(svm_nmi_window);
	svm_run(cpu);
}

const struct backend svm_backend = {
	.name = "SVM",
	.abi_id = KEEL_BACKEND_SVM,
	.nested_format = &host_nested_format,
	.nested_attrs = svm_nested_attrs,
	.nested_has_types = false,
	.nested_write = PTE_RW,
	.msr_rules = svm_msr_rules,
	.msr_rule_count = SVM_MSR_RULES,
	.present = svm_present,
	.init = svm_init,
	.trap_msr = svm_trap_msr,
	.trap_ports = svm_trap_ports,
	.cpu_on = svm_cpu_on,
	.reset_state = svm_reset_state,
	.start_flat = svm_start_flat,
	.start_sipi = svm_start_sipi,
	.park = svm_park,
	.run = run,
	.kick_mode = ICR_NMI,
	.idle = svm_halt_until_nmi,
	.drop_interrupts = svm_drop_interrupts,
	.trap_cpuid = svm_trap_cpuid,
	.fix_cpuid = svm_fix_cpuid,
	.skip = svm_skip,
	.skip_bytes = svm_skip_bytes,
	.set_rflags = svm_set_rflags,
	.inject = svm_inject,
	.get_state = svm_get_state,
	.flush = svm_flush,
};
