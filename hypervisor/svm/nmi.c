/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NMIs under SVM. They are intercepted at all times, as the kick is one. Keel takes each from the
 * hardware at once, and injects the guest's; from then until the guest's IRET it holds further ones
 * back itself, so that the hardware's own block never keeps a kick out (APM volume 2, 15.13.3,
 * 15.20, 15.21.9).
 */
#include "cpu/regs.h"
#include "svm/svm.h"

#define ALL_EXCEPTIONS 0xffffffffu

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
}

/* IRET is done, or has faulted: the exception that came instead is the guest's. */
static void end_step(struct percpu *cpu)
{
	struct svm_cpu *svm = svm_cpu(cpu);
	struct vmcb *vmcb = svm->vmcb;
	u8 vector = (u8)(vmcb->control.exitcode - VMEXIT_EXCEPTION);

	svm->stepping = false;
	vmcb->control.intercept_exceptions = 0;
	if (vector == VECTOR_DB) {
		if (!svm->step_tf)
			vmcb->save.dr6 = svm->step_dr6;
		else
			svm_inject(cpu, VECTOR_DB, 0);
		return;
	}
	vmcb->save.rflags = (vmcb->save.rflags & ~RFLAGS_TF) | svm->step_tf;
	if (vector == VECTOR_PF)
		vmcb->save.cr2 = vmcb->control.exitinfo2;
	svm_inject(cpu, vector, (u32)vmcb->control.exitinfo1);
}

void svm_nmi_exit(struct percpu *cpu)
{
	struct svm_cpu *svm = svm_cpu(cpu);
	struct vmcb_control *control = &svm->vmcb->control;

	if (control->exitcode == VMEXIT_NMI) {
		svm_take_nmi();
	} else if (control->exitcode == VMEXIT_IRET) {
		svm->nmi_blocked = false;
		control->intercept3 &= ~INTERCEPT_IRET;
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
	control->eventinj = EVENT_VALID | EVENT_TYPE_NMI | VECTOR_NMI;
	control->intercept3 |= INTERCEPT_IRET;
	svm->nmi_blocked = true;
	cpu->nmi_pending = cpu->nmi_pending > 1;
}
