/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens when an exception or an NMI hits Keel itself. */
#include <keel/panic.h>
#include <keel/percpu.h>

#include "cpu/exception.h"
#include "cpu/regs.h"

struct extable_entry {
	s32 insn;
	s32 fixup;
};

extern const struct extable_entry extable_start[], extable_end[];

static nmi_window_fn nmi_window;

void exception_set_nmi_window(nmi_window_fn fn)
{
	nmi_window = fn;
}

/* Goes on at the fix-up of a faulting instruction that has one. */
static bool fix_up(struct isr_frame *frame)
{
	for (const struct extable_entry *e = extable_start; e < extable_end; e++) {
		if ((unsigned long)&e->insn + (long)e->insn != frame->rip)
			continue;
		frame->rip = (unsigned long)&e->fixup + (long)e->fixup;
		return true;
	}
	return false;
}

static void handle_nmi(struct isr_frame *frame)
{
	this_cpu()->nmi_pending++;
	if (nmi_window)
		frame->rip = nmi_window(frame->rip);
}

void isr_handle(struct isr_frame *frame)
{
	if (frame->vector == VECTOR_NMI)
		handle_nmi(frame);
	else if (!fix_up(frame))
		panic_exception(frame);
}
