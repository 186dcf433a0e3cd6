/* SPDX-License-Identifier: BSD-2-Clause */
/* Between run.S and vmm/exit.c: the C side of a VM exit and of a VM entry that failed. */
#include <keel/panic.h>

#include "vmm/exit.h"
#include "vmx/decode.h"
#include "vmx/event.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"

/* Called by run.S; @reason is that field. */
void vmx_exit(struct percpu *cpu, u32 reason);
_Noreturn void vmx_entry_refused(struct percpu *cpu);

static void read_fields(struct vmx_exit_fields *fields, u8 needs)
{
	if (needs & NEED_QUALIFICATION)
		fields->qualification = vmcs_read(VMCS_EXIT_QUALIFICATION);
	if (needs & NEED_GPA)
		fields->gpa = vmcs_read64(VMCS_GUEST_PHYSICAL_ADDRESS);
	if (needs & NEED_INTERRUPTION_INFO)
		fields->interruption_info = vmcs_read(VMCS_EXIT_INTERRUPTION_INFO);
	if (needs & NEED_GUEST_MODE) {
		fields->cr0 = vmx_guest_cr0();
		fields->in_64bit_code = vmx_guest_in_64bit_code();
		fields->rsp = vmcs_read(VMCS_GUEST_RSP);
	}
	if (needs & NEED_IDT_VECTORING) {
		fields->idt_vectoring_info = vmcs_read(VMCS_IDT_VECTORING_INFO);
		if (fields->idt_vectoring_info & EVENT_VALID) {
			fields->idt_vectoring_error = vmcs_read(VMCS_IDT_VECTORING_ERROR_CODE);
			fields->instruction_length = vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);
		}
	}
}

/* Did the exit interrupt the delivery of an event, or an IRET that has unblocked NMIs? */
static bool cut_short(const struct vmx_exit_fields *fields)
{
	return fields->idt_vectoring_info & EVENT_VALID ||
	       fields->qualification & EPT_QUALIFICATION_NMI_UNBLOCKING;
}

/* What is seldom needed. */
static void after_exit(struct percpu *cpu)
{
	if (vmx_cpu(cpu)->phase == PHASE_PARKED)
		vmx_stay_parked();
	if (vmx_cpu(cpu)->kick_patience)
		vmx_expect_kick(cpu);
}

__attribute__((noinline)) static void long_way(struct percpu *cpu, u32 reason)
{
	struct vmx_exit_fields fields; /* not cleared: the decoder looks at what it needs */
	struct exit_info info = {0};
	u8 needs;

	fields.reason = reason;
	fields.qualification = 0;
	needs = vmx_needs(fields.reason);
	if (__builtin_expect(fields.reason & REASON_ENTRY_FAILURE, 0))
		panic("VM entry failed: %s (reason 0x%x, qualification %lu)",
		      vmx_entry_failure(fields.reason & REASON_BASIC), fields.reason,
		      vmcs_read(VMCS_EXIT_QUALIFICATION));
	if (needs)
		read_fields(&fields, needs);
	if (needs & NEED_LOST_KICK && !vmx_kick_is_lost(cpu)) {
		after_exit(cpu);
		return;
	}
	if (needs & NEED_IDT_VECTORING && cut_short(&fields))
		vmx_redeliver(&fields);
	vmx_decode(&fields, cpu->regs.by_number, &info);
	/* Either way run.S has it delivered when the exit has been handled. */
	if (info.reason == EXIT_NMI || info.reason == EXIT_NMI_WINDOW)
		cpu->nmi_pending = 1;
	exit_dispatch(cpu, &info);
	if (__builtin_expect(vmx_cpu(cpu)->phase != PHASE_RUNS || vmx_cpu(cpu)->kick_patience, 0))
		after_exit(cpu);
}

void vmx_exit(struct percpu *cpu, u32 reason)
{
#ifdef CONFIG_CPUID_FAST
	if (reason == REASON_EPT_VIOLATION && vmx_fast_store(cpu))
		return;
#endif
	long_way(cpu, reason);
}

void vmx_entry_refused(struct percpu *cpu)
{
	unsigned long number = vmcs_read(VMCS_INSTRUCTION_ERROR);

	/* VMLAUNCH complains of a launched VMCS after VMRESUME has failed: ask that one again. */
	if (number == VMX_ERROR_NON_CLEAR) {
		__asm__ volatile("vmresume" : : : "cc", "memory");
		number = vmcs_read(VMCS_INSTRUCTION_ERROR);
	}
	(void)cpu;
	panic("the CPU refuses VM entry: error %lu, %s", number, vmx_instruction_error(number));
}
