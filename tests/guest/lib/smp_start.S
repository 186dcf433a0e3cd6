/* SPDX-License-Identifier: BSD-2-Clause */
/* From a start-up interrupt to C. The first part is copied to the page that the vector names. */
#include "smp_start.h"

#define CR0_PE 1
#define CR0_CD_NW 0x60000000
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101

	.macro	KEEP from, word
	movl	\from, %eax
	movl	%eax, %cs:START_WORD(\word)
	.endm

	.macro	KEEP_MSR msr, word
	movl	$\msr, %ecx
	rdmsr
	movl	%eax, %cs:START_WORD(\word)
	.endm

	.macro	KEEP_TABLE insn, word
	movl	$0, %cs:START_WORD(\word)
	\insn	%cs:START_WORD(\word) + 2
	movw	%cs:START_WORD(\word) + 2, %ax
	movw	%ax, %cs:START_WORD(\word)
	movw	$0, %cs:START_WORD(\word) + 2
	.endm

	.text
	.code16
	.globl	smp_start_code, smp_start_end
smp_start_code:
	/* The lock is 1 when free. Nothing here may change a flag or lose a register: who gets the
	 * lock leaves ECX in it. */
1:	xchgl	%ecx, %cs:START_LOCK
	jecxz	1b
	movl	%eax, %cs:START_WORD(START_EAX)
	movl	%cs:START_LOCK, %eax
	movl	%eax, %cs:START_WORD(START_ECX)
	movl	$0, %cs:START_LOCK
	movl	%ebx, %cs:START_WORD(START_EBX)
	movl	%edx, %cs:START_WORD(START_EDX)
	movl	%esi, %cs:START_WORD(START_ESI)
	movl	%edi, %cs:START_WORD(START_EDI)
	movl	%ebp, %cs:START_WORD(START_EBP)
	movl	%esp, %cs:START_WORD(START_ESP)
	KEEP	%ds, START_DS
	KEEP	%es, START_ES
	KEEP	%fs, START_FS
	KEEP	%gs, START_GS
	KEEP	%ss, START_SS
	KEEP	%cs, START_CS
	movw	%ax, %ss
	movl	$0x1000, %esp
	pushfl
	popl	%cs:START_WORD(START_FLAGS)
	cld
	KEEP	%cr0, START_CR0
	KEEP	%cr2, START_CR2
	KEEP	%cr3, START_CR3
	KEEP	%cr4, START_CR4
	KEEP	%dr0, START_DR0
	KEEP	%dr1, START_DR1
	KEEP	%dr2, START_DR2
	KEEP	%dr3, START_DR3
	KEEP	%dr6, START_DR6
	KEEP	%dr7, START_DR7
	KEEP_TABLE sgdtl, START_GDT_LIMIT
	KEEP_TABLE sidtl, START_IDT_LIMIT
	KEEP_MSR MSR_EFER, START_EFER
	KEEP_MSR MSR_FS_BASE, START_FS_BASE
	KEEP_MSR MSR_GS_BASE, START_GS_BASE
	xorl	%ebp, %ebp
	movw	%cs, %bp
	shll	$4, %ebp
	lgdtl	%cs:smp_start_gdt - smp_start_code
	movl	%cr0, %eax
	orl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	$0x10, $protected
smp_start_gdt:
	.word	smp_gdt_size - 1
	.long	gdt
smp_start_end:

	.code32
protected:
	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	sldt	%eax
	movl	%eax, START_WORD(START_LDTR)(%ebp)
	str	%eax
	movl	%eax, START_WORD(START_TR)(%ebp)
	movl	%cr0, %eax
	andl	$~CR0_CD_NW, %eax
	movl	%eax, %cr0
	movl	$0, START_WORD(START_HIGH)(%ebp)
#ifdef __x86_64__
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$pml4_table, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000000, %eax
	movl	%eax, %cr0
	ljmp	$0x20, $1f
	.code64
1:	.irp	reg, r9, r10, r11, r12, r13, r14, r15
	orq	%\reg, %r8
	.endr
	movq	%r8, %rax
	shrq	$32, %rax
	orl	%r8d, %eax
	movl	%eax, START_WORD(START_HIGH)(%rbp)
	movl	$smp_shared_stack_end, %esp
	movl	%ebp, %edi
	call	smp_arrive
	movq	%rax, %rsp
#else
	movl	$smp_shared_stack_end, %esp
	pushl	%ebp
	call	smp_arrive
	movl	%eax, %esp
#endif
	call	smp_main
1:	hlt
	jmp	1b

	.bss
	.balign	16
	.fill	2048
smp_shared_stack_end:

	.section .note.GNU-stack, "", @progbits
