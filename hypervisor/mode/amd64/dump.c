/* SPDX-License-Identifier: BSD-2-Clause */
#include "mode/isr.h"

#include <keel/console.h>

#include "mode/image.h"

void isr_dump(const struct isr_frame *frame, unsigned long cr2)
{
	log_line(LOG_PANIC, "RIP %016lx (link address 0x%lx) RSP %016lx RFLAGS %08lx CR2 %016lx",
		 frame->rip, image_link_address(frame->rip), frame->rsp, frame->rflags, cr2);
	log_line(LOG_PANIC, "rax %016lx rbx %016lx rcx %016lx rdx %016lx", frame->rax, frame->rbx,
		 frame->rcx, frame->rdx);
	log_line(LOG_PANIC, "rsi %016lx rdi %016lx rbp %016lx r8  %016lx", frame->rsi, frame->rdi,
		 frame->rbp, frame->r8);
	log_line(LOG_PANIC, "r9  %016lx r10 %016lx r11 %016lx r12 %016lx", frame->r9, frame->r10,
		 frame->r11, frame->r12);
	log_line(LOG_PANIC, "r13 %016lx r14 %016lx r15 %016lx", frame->r13, frame->r14, frame->r15);
}
