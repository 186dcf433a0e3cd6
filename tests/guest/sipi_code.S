/* SPDX-License-Identifier: BSD-2-Clause */
/* What a CPU does for ever until INIT comes: with every register full, the stack pointer too. */

#ifdef __x86_64__
	.macro	FILL
	.set	seed, 0x1122334455667701
	.irp	reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15
	movabsq	$seed, %\reg
	.set	seed, seed + 0x0101010101010101
	.endr
	.endm
#else
	.macro	FILL
	.set	seed, 0x11223301
	.irp	reg, eax, ebx, ecx, edx, esi, edi, ebp, esp
	movl	$seed, %\reg
	.set	seed, seed + 0x01010101
	.endr
	.endm
#endif

	.text
	.globl	dirty_spin, dirty_pause, dirty_cpuid, dirty_rdmsr, dirty_hlt
dirty_spin:
	FILL
	stc
1:	jmp	1b

dirty_pause:
	FILL
	std
1:	pause
	jmp	1b

dirty_cpuid:
	FILL
1:	xorl	%eax, %eax
	cpuid
	jmp	1b

dirty_rdmsr:
	FILL
1:	movl	dirty_msr, %ecx
	rdmsr
	jmp	1b

dirty_hlt:
	FILL
1:	hlt
	jmp	1b

	.bss
	.balign	4
	.globl	dirty_msr
dirty_msr:
	.fill	4

	.section .note.GNU-stack, "", @progbits
