/* SPDX-License-Identifier: BSD-2-Clause */
#include "mode/isr.h"

#include <keel/console.h>

#include "mode/image.h"

void isr_dump(const struct isr_frame *frame, unsigned long cr2)
{
	/* An exception in ring 0 does not push ESP: it pointed behind the frame (SDM 6.12.1). */
	log_line(LOG_PANIC, "EIP %08lx (link address 0x%lx) ESP %08lx EFLAGS %08lx CR2 %08lx",
		 frame->rip, image_link_address(frame->rip), (unsigned long)(frame + 1),
		 frame->rflags, cr2);
	log_line(LOG_PANIC, "eax %08lx ebx %08lx ecx %08lx edx %08lx", frame->rax, frame->rbx,
		 frame->rcx, frame->rdx);
	log_line(LOG_PANIC, "esi %08lx edi %08lx ebp %08lx", frame->rsi, frame->rdi, frame->rbp);
}
