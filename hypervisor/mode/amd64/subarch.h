/* SPDX-License-Identifier: BSD-2-Clause */
/* amd64: 64-bit Keel with 4-level paging. */
#ifndef KEEL_MODE_AMD64_SUBARCH_H
#define KEEL_MODE_AMD64_SUBARCH_H

#define SUBARCH_NAME	"amd64"

/* Keel's GDT (mode/amd64/desc.c). */
#define SEL_CODE32	0x08 /* entry from the loader, before long mode */
#define SEL_DATA	0x10
#define SEL_CODE	0x18
#define SEL_TSS		0x20

#define LONG_BYTES	8

/* Bytes of struct guest_regs. */
#define GUEST_REGS_SIZE 128

/* Offsets in struct guest_regs: the encoding order of the registers. RSP's slot is unused. */
#define REG_RAX		0
#define REG_RCX		8
#define REG_RDX		16
#define REG_RBX		24
#define REG_RSP		32
#define REG_RBP		40
#define REG_RSI		48
#define REG_RDI		56
#define REG_R8		64
#define REG_R9		72
#define REG_R10		80
#define REG_R11		88
#define REG_R12		96
#define REG_R13		104
#define REG_R14		112
#define REG_R15		120

#ifdef __ASSEMBLER__

/* clang-format off */
/* The APM's names for registers of the mode's width. */
#define rAX %rax
#define rCX %rcx
#define rDX %rdx
#define rSI %rsi
#define rDI %rdi
#define rSP %rsp

/* The GDT on the way to C, before Keel's own is there; and the data segments in it. */
.macro early_gdt
	.quad 0
	.quad 0x00cf9a000000ffff /* SEL_CODE32 */
	.quad 0x00cf92000000ffff /* SEL_DATA */
	.quad 0x00af9a000000ffff /* SEL_CODE */
.endm

.macro load_flat_segments
	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
.endm

/*
 * Spill and load the guest's general registers at the stack pointer, which does not move: an NMI in
 * between pushes its frame below them.
 */
.macro save_guest_regs_but_rax
	mov %rcx, REG_RCX(%rsp)
	mov %rdx, REG_RDX(%rsp)
	save_guest_regs_but_rax_rcx_rdx
.endm

.macro save_guest_regs_but_rax_rcx_rdx
	mov %rbx, REG_RBX(%rsp)
	mov %rbp, REG_RBP(%rsp)
	mov %rsi, REG_RSI(%rsp)
	mov %rdi, REG_RDI(%rsp)
	mov %r8, REG_R8(%rsp)
	mov %r9, REG_R9(%rsp)
	mov %r10, REG_R10(%rsp)
	mov %r11, REG_R11(%rsp)
	mov %r12, REG_R12(%rsp)
	mov %r13, REG_R13(%rsp)
	mov %r14, REG_R14(%rsp)
	mov %r15, REG_R15(%rsp)
.endm

.macro load_guest_regs_but_rax
	mov REG_RCX(%rsp), %rcx
	mov REG_RDX(%rsp), %rdx
	mov REG_RBX(%rsp), %rbx
	mov REG_RBP(%rsp), %rbp
	mov REG_RSI(%rsp), %rsi
	mov REG_RDI(%rsp), %rdi
	mov REG_R8(%rsp), %r8
	mov REG_R9(%rsp), %r9
	mov REG_R10(%rsp), %r10
	mov REG_R11(%rsp), %r11
	mov REG_R12(%rsp), %r12
	mov REG_R13(%rsp), %r13
	mov REG_R14(%rsp), %r14
	mov REG_R15(%rsp), %r15
.endm

/* The first argument is a struct percpu: its address becomes the stack pointer. */
.macro use_cpu_stack
	mov %rdi, %rsp
.endm

/* Calls @function with the struct percpu at the stack pointer; backtraces end here. */
.macro call_with_cpu function
	mov %rsp, %rdi
	xor %ebp, %ebp
	call \function
.endm

/* The same with EDX as the second argument. */
.macro call_with_cpu_and_edx function
	mov %edx, %esi
	call_with_cpu \function
.endm

/* Adds 1 to the struct keel_live at @at, an address without an index. */
.macro count_live at
	incq \at
	decq 8+\at
.endm

/*
 * Goes to @to if percpu.nmi_pending or percpu.kick_coming is set. An NMI that arrives from @window on
 * may have come too late to be seen.
 */
.macro jump_if_pending window, to
	cmpq $0, PERCPU_NMI_PENDING(%rsp)
\window:
	jne \to
.endm

/* IRET to the next instruction: unblocks NMIs. Clobbers rAX and rCX. */
.macro iret_in_place
	mov %rsp, %rax
	mov %ss, %ecx
	push %rcx
	push %rax
	pushfq
	mov %cs, %ecx
	push %rcx
	lea 1f(%rip), %rax
	push %rax
	iretq
1:
.endm
/* clang-format on */

#else

#include <keel/types.h>

#define GUEST_REGS_COUNT 16

/* The guest's general registers, by name or by the number an instruction encodes. */
struct guest_regs {
	union {
		struct {
			/* rsp is kept by the backend (VMCS, VMCB), not here. */
			unsigned long rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
			unsigned long r8, r9, r10, r11, r12, r13, r14, r15;
		};
		unsigned long by_number[GUEST_REGS_COUNT];
	};
};

/* What isr.S pushes when an exception or NMI hits Keel. */
struct isr_frame {
	unsigned long r15, r14, r13, r12, r11, r10, r9, r8;
	unsigned long rdi, rsi, rbp, rbx, rdx, rcx, rax;
	unsigned long vector;
	unsigned long error; /* 0 where the CPU pushes none */
	unsigned long rip, cs, rflags, rsp, ss;
};

/* Host-address-space-size and IA-32e guests go together (SDM volume 3, 27.3.1.1). */
#define GUEST_LONG_MODE	 1

#define HOST_PTE_NX	 PTE_NX
/* Linear addresses beside the identity map of the first 4 GiB, for mm/host_map.c. */
#define HOST_WINDOWS	 0x100000000ull
#define HOST_WINDOW_SIZE 0x200000ull

#endif
#endif
