/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions and NMIs that hit Keel. The way out is a jump, never IRET: IRET would unblock NMIs
 * while the guest may be in its own NMI handler (SDM volume 3, 6.7.1).
 */
#include "mode/amd64/subarch.h"

	.text
	.altmacro

/* Vectors for which the CPU pushes an error code: 8, 10-14, 17, 21, 29, 30. */
#define ERROR_CODE_VECTORS 0x60227d00

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
	iretq

isr_common:
	push %rax
	push %rcx
	push %rdx
	push %rbx
	push %rbp
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	cld
	mov %rsp, %rbx
	mov %rsp, %rdi
	and $-16, %rsp
	call isr_handle /* may change rip, rsp and registers in the frame */
	mov %rbx, %rsp

	/* RIP and RFLAGS go right below the interrupted stack pointer; there is no red zone. */
	mov 19 * 8(%rsp), %rcx /* rflags */
	mov 17 * 8(%rsp), %rax /* rip */
	mov 20 * 8(%rsp), %rdx /* rsp */
	sub $16, %rdx
	mov %rcx, (%rdx)
	mov %rax, 8(%rdx)
	mov %rdx, 16 * 8(%rsp) /* over the error code */
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rbp
	pop %rbx
	pop %rdx
	pop %rcx
	pop %rax
	add $8, %rsp
	pop %rsp
	popfq
	ret
