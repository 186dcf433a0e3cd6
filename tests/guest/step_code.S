/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that exit, in the forms in which Keel has to skip them. Each step_X runs under
 * RFLAGS.TF; step_X_at is what follows. Each sti_X has the instruction in the shadow of STI.
 */
#ifdef __x86_64__
#define PUSHF pushfq
#define POPF popfq
#define SP %rsp
#else
#define PUSHF pushfl
#define POPF popfl
#define SP %esp
#endif

	.text
	.macro	SNIPPET name, insn:vararg
	.globl	step_\name, step_\name\()_at, sti_\name, sti_\name\()_at
step_\name:
	PUSHF
	orl	$0x100, (SP)
	POPF
	\insn
step_\name\()_at:
	nop
	ret
sti_\name:
	sti
	\insn
sti_\name\()_at:
	nop
	nop
	cli
	ret
	.endm

	SNIPPET	nop, nop
	SNIPPET	cpuid, cpuid
	SNIPPET	cpuid_segment, .byte 0x2e, 0x0f, 0xa2
	SNIPPET	cpuid_address, .byte 0x67, 0x0f, 0xa2
	SNIPPET	cpuid_operand, .byte 0x66, 0x0f, 0xa2
	SNIPPET	rdmsr, rdmsr
	SNIPPET	rdmsr_segment, .byte 0x2e, 0x0f, 0x32
	SNIPPET	rdmsr_operand, .byte 0x66, 0x0f, 0x32
	SNIPPET	rdmsr_address, .byte 0x67, 0x0f, 0x32
	SNIPPET	rdmsr_many, .byte 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0x66, 0x67, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x0f, 0x32
	SNIPPET	wrmsr, wrmsr
	SNIPPET	wrmsr_segment, .byte 0x3e, 0x0f, 0x30
	SNIPPET	wrmsr_operand, .byte 0x66, 0x0f, 0x30
	SNIPPET	vmcall, .byte 0x0f, 0x01, 0xc1
	SNIPPET	vmcall_segment, .byte 0x2e, 0x0f, 0x01, 0xc1
	SNIPPET	vmmcall, .byte 0x0f, 0x01, 0xd9
	SNIPPET	vmmcall_segment, .byte 0x2e, 0x0f, 0x01, 0xd9
	SNIPPET	xsetbv, xsetbv
	SNIPPET	invd, invd
	SNIPPET	wbinvd, wbinvd
#ifdef __x86_64__
	SNIPPET	cpuid_rex, .byte 0x48, 0x0f, 0xa2
	SNIPPET	rdmsr_rex, .byte 0x48, 0x0f, 0x32
	SNIPPET	wrmsr_rex, .byte 0x2e, 0x4f, 0x0f, 0x30
	SNIPPET	vmcall_rex, .byte 0x48, 0x0f, 0x01, 0xc1
	SNIPPET	vmmcall_rex, .byte 0x48, 0x0f, 0x01, 0xd9
#endif

	/* After MOV SS there is no trap: the one that comes is for the instruction behind. */
	.globl	step_mov_ss, step_mov_ss_at
step_mov_ss:
	movl	%ss, %esi
	PUSHF
	orl	$0x100, (SP)
	POPF
	movl	%esi, %ss
	cpuid
step_mov_ss_at:
	nop
	ret

	.section .note.GNU-stack, "", @progbits
