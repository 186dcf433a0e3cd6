/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's state in the VMCB. */
#include <keel/account.h>
#include <keel/errno.h>

#include "cpu/msr.h"
#include "cpu/regs.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "svm/decode.h"
#include "svm/svm.h"
#include "vmm/guest_memory.h"

#define MAX_INSN 15

int svm_vcpu_alloc(struct percpu *cpu)
{
	struct svm_cpu *svm = (struct svm_cpu *)cpu->vendor;

	svm->vmcb = frame_alloc();
	svm->vmcb_hpa = (u64)(unsigned long)svm->vmcb;
	return svm->vmcb ? 0 : -ENOMEM;
}

void svm_get_state(struct percpu *cpu, struct guest_state *state)
{
	const struct vmcb_save *s = &vmcb_of(cpu)->save;

	*state = (struct guest_state){
		.rip = s->rip,
		.rsp = s->rsp,
		.rflags = s->rflags,
		.cr0 = s->cr0,
		.cr2 = s->cr2,
		.cr3 = s->cr3,
		.cr4 = s->cr4,
		.efer = s->efer & ~EFER_SVME,
		.cs_base = s->cs.base,
		.cs_selector = s->cs.selector,
		.cpl = s->cpl,
		.cs_long = s->cs.attributes & SEG_L,
		.cs_big = s->cs.attributes & SEG_DB,
	};
}

static u64 after(const struct vmcb_save *s, u8 length)
{
	bool long_mode = s->cs.attributes & SEG_L && s->efer & EFER_LMA;
	u64 next = s->rip + length;

	return long_mode ? next : (u32)next;
}

/*
 * Without NRIPS the length is read off the instruction; the guest may have put prefixes before it.
 */
static u64 next_rip(struct percpu *cpu)
{
	struct vmcb *vmcb = vmcb_of(cpu);
	struct guest_state state;
	u8 code[MAX_INSN];
	u8 length;
	bool long_mode;

	if (vmcb->control.exitcode == VMEXIT_IOIO)
		return vmcb->control.exitinfo2; /* APM volume 2, 15.10.2 */
	if (svm_shared.has_nrips)
		return vmcb->control.nrip;
	svm_get_state(cpu, &state);
	long_mode = state.cs_long && state.efer & EFER_LMA;
	length = svm_insn_length(
		code,
		guest_read(&state, state.rip + (long_mode ? 0 : state.cs_base), code, sizeof(code)),
		long_mode);
	/*
	 * Code that cannot be read back, or was changed since: without prefixes it has 2 or 3
	 * bytes.
	 */
	if (!length)
		length = vmcb->control.exitcode == VMEXIT_VMMCALL ? 3 : 2;
	return after(&vmcb->save, length);
}

static void go_on_at(struct percpu *cpu, u64 rip)
{
	struct vmcb *vmcb = vmcb_of(cpu);

	vmcb->save.rip = rip;
	vmcb->control.interrupt_shadow &= ~INTERRUPT_SHADOW;
	/* A completed instruction ends the suppression of breakpoints on it, and its own step. */
	if (!(vmcb->save.rflags & (RFLAGS_TF | RFLAGS_RF)))
		return;
	vmcb->save.rflags &= ~RFLAGS_RF;
	/*
	 * With BTF only branches trap; DEBUGCTL is the guest's own even now (no LBR
	 * virtualization).
	 */
	if (vmcb->save.rflags & RFLAGS_TF && !(rdmsr(IA32_DEBUGCTL) & DEBUGCTL_BTF)) {
		vmcb->save.dr6 |= DR6_BS;
		svm_changed(cpu, CLEAN_DR);
		svm_inject(cpu, VECTOR_DB, 0);
	}
}

void svm_skip(struct percpu *cpu)
{
	go_on_at(cpu, next_rip(cpu));
}

void svm_skip_bytes(struct percpu *cpu, u8 length)
{
	go_on_at(cpu, after(&vmcb_of(cpu)->save, length));
}

void svm_set_rflags(struct percpu *cpu, u64 rflags)
{
	vmcb_of(cpu)->save.rflags = rflags;
}

/* Exceptions with an error code (APM volume 2, 8.2): #DF, #TS, #NP, #SS, #GP, #PF, #AC. */
#define ERROR_CODE_VECTORS (BIT(8) | BIT(10) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(17))

void svm_inject(struct percpu *cpu, u8 vector, u32 error)
{
	struct vmcb *vmcb = vmcb_of(cpu);
	u64 event = EVENT_VALID | EVENT_TYPE_EXCEPTION | vector;

	if (svm_cpu(cpu)->stepping)
		svm_nmi_cancel_step(cpu);
	if (BIT(vector) & ERROR_CODE_VECTORS && vmcb->save.cr0 & CR0_PE)
		event |= EVENT_ERROR_VALID | (u64)error << EVENT_ERROR_SHIFT;
	account_event(cpu, KEEL_EVENT_INJECTED);
	vmcb->control.eventinj = event;
	/* A fault's frame has RF set; the single-step #DB is a trap. */
	if (vector != VECTOR_DB)
		vmcb->save.rflags |= RFLAGS_RF;
}

void svm_flush(struct percpu *cpu)
{
	account_event(cpu, KEEL_EVENT_FLUSH);
	vmcb_of(cpu)->control.tlb_control = TLB_CONTROL_FLUSH_ALL;
}
