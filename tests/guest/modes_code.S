/* SPDX-License-Identifier: BSD-2-Clause */
/* The probe in every mode of the CPU, and the ways there from flat 32-bit mode and back. */
#include "modes.h"

	/* The same source for 16, 32 and 64 bits; stores by absolute address. */
	.macro	PROBE
	xorl	%eax, %eax
	xorl	%ecx, %ecx
	cpuid
	movl	%eax, LOW_RESULT
	movl	%ebx, LOW_RESULT + 4
	movl	%ecx, LOW_RESULT + 8
	movl	%edx, LOW_RESULT + 12
	movl	$0xc0000080, %ecx
	rdmsr
	movl	%eax, LOW_RESULT + 16
	cmpl	$0, LOW_CALL
	je	9f
	xorl	%ecx, %ecx
	movl	$0x4b45454c, %eax
	cmpl	$1, LOW_CALL
	je	8f
	.byte	0x0f, 0x01, 0xd9
	jmp	7f
8:	.byte	0x0f, 0x01, 0xc1
7:	movl	%eax, LOW_RESULT + 20
9:
	.endm

	.text
#ifdef __x86_64__
	.globl	mode_probe64
mode_probe64:
	pushq	%rbx
	PROBE
	movl	$0x500, LOW_RESULT + 24
	popq	%rbx
	ret
#else
#define LOW(label) (label - low_start + LOW_CODE)

	.globl	mode_probe32
mode_probe32:
	pushl	%ebx
	PROBE
	popl	%ebx
	ret

	.globl	mode_protected16
mode_protected16:
	pushal
	ljmp	$0x28, $LOW(low_protected16)

	.globl	mode_real
mode_real:
	pushal
	movl	%esp, saved_esp
	sidt	saved_idt
	ljmp	$0x28, $LOW(low_real)
back_from_real:
	lidt	saved_idt
	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	saved_esp, %esp
back_from_protected16:
	popal
	ret

	/* Copied to LOW_CODE. */
	.globl	low_start, low_end, low_bad_rdmsr
	.code16
low_start:
low_protected16:
	PROBE
	ljmpl	$0x10, $back_from_protected16

low_real:
	movw	$0x30, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	%ax, %fs
	movw	%ax, %gs
	movl	%cr0, %eax
	andl	$~1, %eax
	movl	%eax, %cr0
	ljmp	$0, $LOW(1f)
1:	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	%ax, %fs
	movw	%ax, %gs
	movw	$0x7c00, %sp
	lidtl	LOW(real_idt)
	PROBE
	movl	LOW_BAD_MSR, %ecx
	testl	%ecx, %ecx
	jz	4f
	movl	13 * 4, %esi
	movl	$LOW(real_gp), 13 * 4
	movw	%sp, %di
low_bad_rdmsr:
	rdmsr
	jmp	3f
real_gp:
	movw	%sp, %bp
	movw	(%bp), %ax
	movw	%ax, LOW_FAULT + 2
	movw	%di, %ax
	subw	%sp, %ax
	movw	%ax, LOW_FAULT
	movw	%di, %sp
3:	movl	%esi, 13 * 4
4:
	int	$0x12
	cli
	movw	%ax, LOW_BIOS
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$0x10, $LOW(2f)
	.code32
2:	movl	$0x18, %eax
	movl	%eax, %ds
	movl	$back_from_real, %eax
	jmp	*%eax
real_idt:
	.word	0x3ff
	.long	0
low_end:

	/* Long mode on and off, from flat 32-bit code. */
	.macro	LONG_ON
	movl	%cr4, %eax
	orl	$0x20, %eax
	movl	%eax, %cr4
	movl	$pml4_table, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	rdmsr
	orl	$0x100, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000000, %eax
	movl	%eax, %cr0
	.endm

	.macro	LONG_OFF
	movl	%cr0, %eax
	andl	$0x7fffffff, %eax
	movl	%eax, %cr0
	movl	$0xc0000080, %ecx
	rdmsr
	andl	$~0x100, %eax
	wrmsr
	movl	%cr4, %eax
	andl	$~0x20, %eax
	movl	%eax, %cr4
	.endm

	.globl	mode_compat
mode_compat:
	pushal
	LONG_ON
	PROBE
	movl	$0x500, LOW_RESULT + 24
	LONG_OFF
	popal
	ret

	.globl	mode_long
mode_long:
	pushal
	LONG_ON
	ljmp	$0x20, $1f
	.code64
1:	.set	seed, 0x1122334455667701
	.irp	reg, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	movabsq	$seed, %\reg
	.set	seed, seed + 0x0101010101010101
	.endr
	PROBE
	movl	$0x500, LOW_RESULT + 24
	movl	$1, LOW_KEPT
	.set	seed, 0x1122334455667701
	.irp	reg, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	movabsq	$seed, %rax
	cmpq	%rax, %\reg
	je	2f
	movl	$0, LOW_KEPT
2:
	.set	seed, seed + 0x0101010101010101
	.endr
	ljmp	*to_compat(%rip)
	.code32
from_long:
	LONG_OFF
	popal
	ret

	.data
to_compat:
	.long	from_long
	.word	0x10
saved_esp:
	.long	0
saved_idt:
	.fill	6
#endif

	.section .note.GNU-stack, "", @progbits
