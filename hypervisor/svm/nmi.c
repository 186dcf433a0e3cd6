/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NMIs under SVM. They are intercepted at all times, as the kick is one. Keel takes each from the
 * hardware at once, and injects the guest's; from then until the guest's IRET it holds further ones
 * back itself, so that the hardware's own block never keeps a kick out (APM volume 2, 15.13.3,
 * 15.20, 15.21.9).
 */
#include <keel/account.h>
#include <keel/atomic.h>

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "cpu/port.h"
#include "cpu/regs.h"
#include "svm/svm.h"

/* Bit 2 has no defined effect (APM volume 2, 15.12.3). */
#define ALL_EXCEPTIONS	   0xfffffffbu

/* NMI status and control: SERR# and IOCHK# have asked for an NMI. */
#define NMI_STATUS_PORT	   0x61
#define NMI_STATUS_SOURCES (BIT(6) | BIT(7))

/* Performance counters of 48 bits (APM volume 2, 13.2). */
#define PERF_COUNTERS_OLD  4
#define PERF_COUNTERS_CORE 6
#define PERF_CTL_SENDS	   (BIT64(20) | BIT64(22)) /* interrupt, enable */
#define PERF_CTR_SIGN	   BIT64(47)

unsigned long svm_nmi_window(unsigned long ip)
{
	bool before_halt = ip >= (unsigned long)svm_halt_start && ip < (unsigned long)svm_halt_end;

	return before_halt ? (unsigned long)svm_halt_end : ip;
}

/*
 * The IRET that ends the handler is about to be executed. An NMI that waits may come only after it, or
 * it would find the handler's stack in use: so step over it. A fault of IRET's own must not see TF.
 */
static void begin_step(struct percpu *cpu)
{
	struct svm_cpu *svm = svm_cpu(cpu);
	struct vmcb *vmcb = svm->vmcb;

	svm->stepping = true;
	svm->step_tf = vmcb->save.rflags & RFLAGS_TF;
	svm->step_dr6 = vmcb->save.dr6;
	vmcb->save.rflags |= RFLAGS_TF;
	vmcb->control.intercept_exceptions = ALL_EXCEPTIONS;
	svm_changed(cpu, CLEAN_INTERCEPTS);
}

void svm_nmi_cancel_step(struct percpu *cpu)
{
	struct svm_cpu *svm = svm_cpu(cpu);
	struct vmcb *vmcb = svm->vmcb;

	svm->stepping = false;
	vmcb->control.intercept_exceptions = 0;
	svm_changed(cpu, CLEAN_INTERCEPTS);
	vmcb->save.rflags = (vmcb->save.rflags & ~RFLAGS_TF) | svm->step_tf;
}

/* IRET is done, or has faulted: the exception that came instead is the guest's. */
static void end_step(struct percpu *cpu)
{
	struct svm_cpu *svm = svm_cpu(cpu);
	struct vmcb *vmcb = svm->vmcb;
	u8 vector = (u8)(vmcb->control.exitcode - VMEXIT_EXCEPTION);

	if (vector == VECTOR_DB) {
		/* IRET has loaded the flags: TF in them is the guest's. */
		svm->stepping = false;
		vmcb->control.intercept_exceptions = 0;
		svm_changed(cpu, CLEAN_INTERCEPTS | CLEAN_DR);
		if (!svm->step_tf)
			vmcb->save.dr6 = svm->step_dr6;
		else
			svm_inject(cpu, VECTOR_DB, 0);
		return;
	}
	svm_nmi_cancel_step(cpu);
	/* It hit the delivery of another event, which is done again, and will fault again. */
	if (vmcb->control.eventinj & EVENT_VALID)
		return;
	if (vector == VECTOR_PF) {
		vmcb->save.cr2 = vmcb->control.exitinfo2;
		svm_changed(cpu, CLEAN_CR2);
	}
	svm_inject(cpu, vector, (u32)vmcb->control.exitinfo1);
}

/* Has a counter of the guest's overflowed that sends an interrupt then? It counts up from below 0. */
static bool counter_overflowed(void)
{
	bool extended = cpuid(CPUID_EXT_INFO).ecx & CPUID_EXT_1_ECX_PERFCTR_CORE;
	u32 count = extended ? PERF_COUNTERS_CORE : PERF_COUNTERS_OLD;
	u64 select, value;

	for (u32 i = 0; i < count; i++) {
		u32 select_msr = extended ? AMD_PERF_CTL0 + 2 * i : AMD_PERF_EVT_SEL0 + i;
		u32 value_msr = extended ? AMD_PERF_CTR0 + 2 * i : AMD_PERF_OLD_CTR0 + i;

		if (!rdmsr_safe(select_msr, &select) || !rdmsr_safe(value_msr, &value))
			return false;
		if ((select & PERF_CTL_SENDS) == PERF_CTL_SENDS && !(value & PERF_CTR_SIGN))
			return true;
	}
	return false;
}

/*
 * Two NMIs that arrive before one is taken are one. If the kick was one, was the other the guest's,
 * by its performance counters or, on the boot CPU, by the chipset (LINT1)? Those that it sends from
 * another CPU come by the kick itself, while the ICR is trapped.
 */
static bool kick_swallowed_nmi(const struct percpu *cpu)
{
	if (!atomic_load(&cpu->kick_in_flight))
		return false;
	return (cpu->index == 0 && inb(NMI_STATUS_PORT) & NMI_STATUS_SOURCES) ||
	       counter_overflowed();
}

void svm_nmi_exit(struct percpu *cpu)
{
	struct svm_cpu *svm = svm_cpu(cpu);
	struct vmcb_control *control = &svm->vmcb->control;

	if (control->exitcode == VMEXIT_NMI) {
		svm_take_nmi();
		if (kick_swallowed_nmi(cpu))
			cpu->nmi_pending++;
	} else if (control->exitcode == VMEXIT_IRET) {
		svm->nmi_blocked = false;
		control->intercept3 &= ~INTERCEPT_IRET;
		svm_changed(cpu, CLEAN_INTERCEPTS);
		if (cpu->nmi_pending)
			begin_step(cpu);
	} else {
		end_step(cpu);
	}
}

void svm_nmi_deliver(struct percpu *cpu)
{
	struct svm_cpu *svm = svm_cpu(cpu);
	struct vmcb_control *control = &svm->vmcb->control;

	/* More than one that waits are one, as in the hardware's latch. */
	if (svm->nmi_blocked || svm->stepping) {
		cpu->nmi_pending = 1;
		return;
	}
	/* Another event goes first: come back right after it. */
	if (control->eventinj & EVENT_VALID) {
		cpu->nmi_pending = 1;
		exit_again(cpu);
		return;
	}
	account_event(cpu, KEEL_EVENT_NMI);
	control->eventinj = EVENT_VALID | EVENT_TYPE_NMI | VECTOR_NMI;
	control->intercept3 |= INTERCEPT_IRET;
	svm_changed(cpu, CLEAN_INTERCEPTS);
	svm->nmi_blocked = true;
	cpu->nmi_pending = cpu->nmi_pending > 1;
}
