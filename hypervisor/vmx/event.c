/* SPDX-License-Identifier: BSD-2-Clause */
/* What the next VM entry delivers to the guest, and where the guest goes on (SDM 27.6). */
#include "vmx/event.h"

#include <keel/account.h>
#include <keel/atomic.h>

#include "cpu/msr.h"
#include "cpu/regs.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"

/* TF traps after every instruction, unless BTF has it trap branches only (SDM 18.4). */
static void single_step(void)
{
	if (vmcs_read64(VMCS_GUEST_IA32_DEBUGCTL) & DEBUGCTL_BTF)
		return;
	vmcs_write(VMCS_GUEST_PENDING_DEBUG,
		   vmcs_read(VMCS_GUEST_PENDING_DEBUG) | PENDING_DEBUG_BS);
}

void vmx_skip(struct percpu *cpu)
{
	vmx_skip_bytes(cpu, vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH));
}

void vmx_skip_bytes(struct percpu *cpu, u8 length)
{
	u64 rip = vmcs_read(VMCS_GUEST_RIP);
	u64 next = rip + length;
	unsigned long rflags = vmcs_read(VMCS_GUEST_RFLAGS);
	u32 blocking = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);

	(void)cpu;
	/* Outside 64-bit code EIP wraps. Asked only at that border: the mode costs reads. */
	if (rip <= UINT32_MAX && next > UINT32_MAX && !vmx_guest_in_64bit_code())
		next = (u32)next;
	vmcs_write(VMCS_GUEST_RIP, next);
	/* A completed instruction ends the suppression of breakpoints on it, and its own step. */
	if (rflags & (RFLAGS_TF | RFLAGS_RF)) {
		vmcs_write(VMCS_GUEST_RFLAGS, rflags & ~(unsigned long)RFLAGS_RF);
		if (rflags & RFLAGS_TF)
			single_step();
	}
	if (blocking & (BLOCKING_BY_STI | BLOCKING_BY_MOV_SS))
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   blocking & ~(BLOCKING_BY_STI | BLOCKING_BY_MOV_SS));
}

void vmx_queue(const struct vmx_event *event)
{
	vmcs_write(VMCS_ENTRY_INTERRUPTION_INFO, event->info);
	if (event->info & EVENT_ERROR_CODE)
		vmcs_write(VMCS_ENTRY_EXCEPTION_ERROR_CODE, event->error);
	if (vmx_event_has_length(event->info))
		vmcs_write(VMCS_ENTRY_INSTRUCTION_LENGTH, event->instruction_length);
}

void vmx_inject(struct percpu *cpu, u8 vector, u32 error)
{
	bool protected_mode = vmcs_read(VMCS_GUEST_CR0) & CR0_PE;
	struct vmx_event event = vmx_exception(vector, error, protected_mode);

	account_event(cpu, KEEL_EVENT_INJECTED);
	vmx_queue(&event);
	/* A fault's frame has RF set; VM entry pushes RFLAGS as it finds it. */
	vmcs_write(VMCS_GUEST_RFLAGS, vmcs_read(VMCS_GUEST_RFLAGS) | RFLAGS_RF);
}

/*
 * Normally NMIs do not exit and their blocking is the processor's own. An NMI that arrived in Keel
 * but cannot be injected at once (the guest is in its NMI handler or in the shadow of STI or MOV
 * SS, or another event comes first) waits for an NMI-window exit, which exists only together with
 * NMI exiting and virtual NMIs. With these controls the bit for blocking by NMI changes from the
 * physical to the virtual kind and back, at the VM entry, so nothing is lost. While they are on,
 * another physical NMI exits and merges with the one that waits, as two merge in the processor's
 * own latch.
 */
static void wait_for_nmi_window(struct percpu *cpu, bool wait)
{
	if (vmx_cpu(cpu)->nmi_waits == wait)
		return;
	vmx_cpu(cpu)->nmi_waits = wait;
	vmx_set_pin_controls(cpu);
	vmcs_write(VMCS_PRIMARY_CONTROLS,
		   vmx_caps.primary | (wait ? PRIMARY_NMI_WINDOW_EXITING : 0));
}

/* An NMI of the guest's arrived in Keel: delivers it, now or when it can be. */
static void deliver_nmi(struct percpu *cpu)
{
	u32 blocking = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	struct vmx_event nmi = {.info = EVENT_VALID | EVENT_TYPE_NMI | VECTOR_NMI};

	cpu->nmi_pending = 0;
	if (vmx_cpu(cpu)->phase != PHASE_RUNS)
		return; /* a CPU that waits to be started takes none */
	/*
	 * A window that opens while STI still blocks means that this processor takes NMIs there
	 * (SDM 26.2): waiting on would exit again and again. VM entry wants the bit clear.
	 */
	if (vmx_cpu(cpu)->nmi_waits && blocking == BLOCKING_BY_STI) {
		blocking = 0;
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
	}
	if (blocking || (vmcs_read(VMCS_ENTRY_INTERRUPTION_INFO) & EVENT_VALID)) {
		wait_for_nmi_window(cpu, true);
		return;
	}
	wait_for_nmi_window(cpu, false);
	account_event(cpu, KEEL_EVENT_NMI);
	vmx_queue(&nmi);
}

/*
 * An INIT that arrives in Keel stays pending and exits at the next entry (SDM 26.2), before anything
 * else. Bochs 3.0 drops it, and its sender would wait for ever. So the first entry after a kick was
 * announced starts the preemption timer. If that expires, in the guest, where nothing can hold an
 * INIT up, and the INIT had left its sender, it was dropped: then that exit is the kick.
 */
#define KICK_PATIENCE BIT(15) /* TSC ticks: some microseconds */

static void set_patience(struct percpu *cpu, u32 ticks)
{
	vmx_cpu(cpu)->kick_patience = ticks;
	vmx_set_pin_controls(cpu);
	if (ticks)
		vmcs_write(VMCS_PREEMPTION_TIMER, ticks >> vmx_caps.timer_shift);
}

bool vmx_kick_is_lost(const struct percpu *cpu)
{
	return atomic_load(&cpu->kick_in_flight) & KICK_SENT;
}

void vmx_expect_kick(struct percpu *cpu)
{
	u32 left = vmx_cpu(cpu)->kick_patience;

	if (!atomic_load(&cpu->kick_in_flight))
		set_patience(cpu, 0);
	/* The timer starts anew at each entry: less time for a guest that exits again and again. */
	else if (left > 1)
		set_patience(cpu, left / 2);
}

static void look_for_kick(struct percpu *cpu)
{
	/* In this order: a sender sets kick_in_flight first. */
	atomic_store(&cpu->kick_coming, 0);
	if (vmx_caps.timer && atomic_load(&cpu->kick_in_flight))
		set_patience(cpu, KICK_PATIENCE);
}

void vmx_before_entry(struct percpu *cpu)
{
	if (cpu->nmi_pending)
		deliver_nmi(cpu);
	if (cpu->kick_coming)
		look_for_kick(cpu);
}

void vmx_redeliver(const struct vmx_exit_fields *fields)
{
	struct vmx_event event = vmx_interrupted_event(fields);
	u32 blocking;

	if (event.info) {
		blocking = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
		account_event(this_cpu(), KEEL_EVENT_REDELIVERED);
		vmx_queue(&event);
		/* An NMI blocks NMIs when its delivery begins: it must not block itself. */
		if ((event.info & EVENT_TYPE) == EVENT_TYPE_NMI && (blocking & BLOCKING_BY_NMI))
			vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, blocking & ~BLOCKING_BY_NMI);
		return;
	}
	/* IRET unblocks NMIs before it faults; it will be executed again (SDM 28.2.3). */
	if ((u16)fields->reason == REASON_EPT_VIOLATION &&
	    (fields->qualification & EPT_QUALIFICATION_NMI_UNBLOCKING))
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) | BLOCKING_BY_NMI);
}
