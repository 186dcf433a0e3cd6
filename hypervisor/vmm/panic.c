/* SPDX-License-Identifier: BSD-2-Clause */
/* Keel's last words. */
#include <keel/panic.h>

#include <keel/console.h>

#include "cpu/regs.h"
#include "dev/console.h"
#include "mode/image.h"
#include "mode/isr.h"
#include "vmm/backend.h"
#include "vmm/exit.h"
#include "vmm/kick.h"
#include "vmm/panic_dump.h"
#include "vmm/stats.h"
#include "vmm/trace.h"

#define BACKTRACE_MAX 16

struct frame {
	const struct frame *up;
	unsigned long return_address;
};

static bool in_stack(const struct frame *f)
{
	unsigned long base = align_down((unsigned long)__builtin_frame_address(0), CPU_AREA_SIZE);

	return (unsigned long)f >= base && (unsigned long)(f + 1) <= base + CPU_AREA_SIZE;
}

static void print_backtrace(const struct frame *f)
{
	for (u32 i = 0; i < BACKTRACE_MAX && in_stack(f); i++) {
		if (f->return_address < (unsigned long)image_start ||
		    f->return_address >= (unsigned long)image_text_end)
			break;
		log_line(LOG_PANIC, "  called from 0x%lx", image_link_address(f->return_address));
		f = f->up;
	}
}

static void print_guest(struct percpu *cpu)
{
	struct guest_state s;

	backend->get_state(cpu, &s);
	log_line(LOG_PANIC, "last exit: %s, raw 0x%x, qualification 0x%llx",
		 cpu->last.reason < EXIT_REASONS ? exit_reason_names[cpu->last.reason] : "?",
		 cpu->last.raw, (unsigned long long)cpu->last.qualification);
	log_line(LOG_PANIC, "guest RIP %04x:%016llx RSP %016llx RFLAGS %08llx CPL %u",
		 s.cs_selector, (unsigned long long)s.rip, (unsigned long long)s.rsp,
		 (unsigned long long)s.rflags, s.cpl);
	log_line(LOG_PANIC, "guest CR0 %08llx CR2 %016llx CR3 %016llx CR4 %08llx EFER %04llx",
		 (unsigned long long)s.cr0, (unsigned long long)s.cr2, (unsigned long long)s.cr3,
		 (unsigned long long)s.cr4, (unsigned long long)s.efer);
	for (u32 i = 0; i < GUEST_REGS_COUNT; i += 4)
		log_line(LOG_PANIC, "guest r%02u-%02u %016lx %016lx %016lx %016lx", i, i + 3,
			 cpu->regs.by_number[i], cpu->regs.by_number[i + 1],
			 cpu->regs.by_number[i + 2], cpu->regs.by_number[i + 3]);
	trace_dump(cpu);
}

void panic_dump_stopped(struct percpu *cpu)
{
	log_line(LOG_PANIC, "CPU %u: stopped after %llu exits", cpu->index,
		 (unsigned long long)stats_exits(cpu->index, EXIT_REASONS));
	print_guest(cpu);
}

void panic_dump_silent(const struct percpu *cpu)
{
	log_line(LOG_PANIC, "CPU %u: does not answer; it was last seen in %s, exit number %u (%s)",
		 cpu->index, cpu->passage & 1 ? "Keel" : "the guest", (cpu->passage + 1) / 2,
		 cpu->last.reason < EXIT_REASONS ? exit_reason_names[cpu->last.reason] : "?");
}

/* The dump itself may fail: then what is on the console has to do. */
static _Noreturn void give_up(struct percpu *cpu, const struct frame *f)
{
	bool dump = backend && cpu->guest_started && !cpu->dumping;

	cpu->dumping = 1;
	print_backtrace(f);
	if (dump) {
		print_guest(cpu);
		stats_print("panic");
		kick_stop_for_panic(cpu);
	}
	log_line(LOG_PANIC, "halted");
	cpu_halt();
}

_Noreturn void panic(const char *fmt, ...)
{
	struct percpu *cpu = this_cpu();
	va_list ap;

	kick_begin_panic(cpu);
	console_take_back();
	log_line(LOG_PANIC, "PANIC on CPU %u", cpu->index);
	va_start(ap, fmt);
	log_vline(LOG_PANIC, fmt, ap);
	va_end(ap);
	give_up(cpu, __builtin_frame_address(0));
}

_Noreturn void panic_exception(const struct isr_frame *frame)
{
	struct percpu *cpu = this_cpu();

	kick_begin_panic(cpu);
	console_take_back();
	log_line(LOG_PANIC, "PANIC on CPU %u: exception %lu in Keel, error code 0x%lx", cpu->index,
		 frame->vector, frame->error);
	isr_dump(frame, read_cr2());
	give_up(cpu, (const struct frame *)frame->rbp);
}

_Noreturn void refuse(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(LOG_PANIC, fmt, ap);
	va_end(ap);
	log_line(LOG_PANIC, "halted");
	cpu_halt();
}
