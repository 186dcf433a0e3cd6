/* SPDX-License-Identifier: BSD-2-Clause */
/* One stub per vector, all to trap_handler(struct frame *); and the way to CPL 3 and back. */

#define NR_VECTORS 0x50

	.text
#ifdef __x86_64__
#define PTR .quad
trap_common:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rbx
	pushq	%rbp
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	cld
	movq	%rsp, %rdi
	movq	%rsp, %rbp
	andq	$-16, %rsp
	call	trap_handler
	movq	%rbp, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp
	iretq

	/* void user_enter(unsigned long ip) */
	.globl	user_enter, user_leave
user_enter:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, user_return_sp
	pushq	$0x43
	pushq	$0
	pushq	$2
	pushq	$0x3b
	pushq	%rdi
	iretq
user_leave:
	movq	user_return_sp, %rsp
	movl	$0x18, %eax
	movl	%eax, %ss
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
#else
#define PTR .long
trap_common:
	pushal
	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	cld
	pushl	%esp
	call	trap_handler
	addl	$4, %esp
	popal
	addl	$8, %esp
	iretl

	/* void user_enter(unsigned long ip) */
	.globl	user_enter, user_leave
user_enter:
	movl	4(%esp), %eax
	pushl	%ebx
	pushl	%ebp
	pushl	%esi
	pushl	%edi
	movl	%esp, user_return_sp
	pushl	$0x43
	pushl	$0
	pushl	$2
	pushl	$0x3b
	pushl	%eax
	iretl
user_leave:
	movl	user_return_sp, %esp
	popl	%edi
	popl	%esi
	popl	%ebp
	popl	%ebx
	ret
#endif

	.section .rodata
	.balign	8
	.globl	trap_stubs
trap_stubs:
	.text
	.set	vector, 0
	.rept	NR_VECTORS
9:
	/* 8, 10 to 14, 17 and 21 push an error code. */
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
	push	$0
	.endif
	push	$vector
	jmp	trap_common
	.section .rodata
	PTR	9b
	.text
	.set	vector, vector + 1
	.endr

	.bss
	.balign	8
	.globl	user_return_sp
user_return_sp:
	.fill	8

	.section .note.GNU-stack, "", @progbits
