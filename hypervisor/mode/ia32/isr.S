/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions and NMIs that hit Keel. The way out is a jump, never IRET: IRET would unblock NMIs
 * while the guest may be in its own NMI handler (SDM volume 3, 6.7.1).
 */
#include "mode/mode.h"

/* Vectors for which the CPU pushes an error code: 8, 10-14, 17, 21, 29, 30. */
#define ERROR_CODE_VECTORS 0x60227d00

/* Offsets in struct isr_frame. */
#define FRAME_VECTOR 28
#define FRAME_RIP 36
#define FRAME_CS 40
#define FRAME_RFLAGS 44

	.text
	.altmacro

.macro isr_stub n
	.balign 16
	.if !((ERROR_CODE_VECTORS >> \n) & 1)
	push $0
	.endif
	push $\n
	jmp isr_common
.endm

	.globl isr_stubs
	.balign 16
isr_stubs:
	n = 0
	.rept 32
	isr_stub %n
	n = n + 1
	.endr

	/*
	 * External interrupts, which Keel takes only to lose them (backend->drop_interrupts()), at
	 * an INIT: which unblocks NMIs too.
	 */
	.globl isr_interrupt
isr_interrupt:
	iret

isr_common:
	push %eax
	push %ecx
	push %edx
	push %ebx
	push %ebp
	push %esi
	push %edi
	cld
	mov %esp, %eax
	call isr_handle /* may change EIP and registers in the frame */

	/* EFLAGS and EIP go right below the interrupted stack pointer: the frame's end. */
	mov FRAME_RFLAGS(%esp), %ecx
	mov FRAME_RIP(%esp), %eax
	mov %ecx, FRAME_CS(%esp)
	mov %eax, FRAME_RFLAGS(%esp)
	pop %edi
	pop %esi
	pop %ebp
	pop %ebx
	pop %edx
	pop %ecx
	pop %eax
	lea FRAME_CS - FRAME_VECTOR(%esp), %esp
	popf
	ret

	.section .note.GNU-stack, "", @progbits
