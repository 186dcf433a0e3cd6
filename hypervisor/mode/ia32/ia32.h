/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What both subarchs of 32-bit code share. Registers go by the names that neutral code has for them,
 * their 64-bit ones.
 */
#ifndef KEEL_MODE_IA32_IA32_H
#define KEEL_MODE_IA32_IA32_H

/* Keel's GDT (mode/ia32/desc.c). */
#define SEL_DATA	0x08
#define SEL_CODE	0x10
#define SEL_TSS		0x18

#define LONG_BYTES	4

/* Bytes of struct guest_regs. */
#define GUEST_REGS_SIZE 32

/* Offsets in struct guest_regs: the encoding order of the registers. ESP's slot is unused. */
#define REG_RAX		0
#define REG_RCX		4
#define REG_RDX		8
#define REG_RBX		12
#define REG_RSP		16
#define REG_RBP		20
#define REG_RSI		24
#define REG_RDI		28

#ifdef __ASSEMBLER__

#define CR0_PG_WP   0x80010000
#define CR4_PSE_PAE 0x30
#define MSR_EFER    0xc0000080
#define EFER_LME    0x100

/* clang-format off */
/* The APM's names for registers of the mode's width. */
#define rAX %eax
#define rCX %ecx
#define rDX %edx
#define rSI %esi
#define rDI %edi
#define rSP %esp

/* Turns this subarch's paging on, from none, with the tables at EAX. Clobbers ECX and EDX too. */
.macro enable_paging
	mov %eax, %cr3
	mov %cr4, %eax
	and $~CR4_PSE_PAE, %eax
	or $HOST_CR4, %eax
	mov %eax, %cr4
	mov $MSR_EFER, %ecx
	rdmsr
	and $~EFER_LME, %eax
	or $HOST_EFER, %eax
	wrmsr
	mov %cr0, %eax
	or $CR0_PG_WP, %eax
	mov %eax, %cr0
.endm

/*
 * Spill and load the guest's general registers at the stack pointer, which does not move: an NMI in
 * between pushes its frame below them.
 */
.macro save_guest_regs_but_rax
	mov %ecx, REG_RCX(%esp)
	mov %edx, REG_RDX(%esp)
	save_guest_regs_but_rax_rcx_rdx
.endm

.macro save_guest_regs_but_rax_rcx_rdx
	mov %ebx, REG_RBX(%esp)
	mov %ebp, REG_RBP(%esp)
	mov %esi, REG_RSI(%esp)
	mov %edi, REG_RDI(%esp)
.endm

.macro load_guest_regs_but_rax
	mov REG_RCX(%esp), %ecx
	mov REG_RDX(%esp), %edx
	mov REG_RBX(%esp), %ebx
	mov REG_RBP(%esp), %ebp
	mov REG_RSI(%esp), %esi
	mov REG_RDI(%esp), %edi
.endm

/* The first argument (-mregparm=3) is a struct percpu: its address becomes the stack pointer. */
.macro use_cpu_stack
	mov %eax, %esp
.endm

/* Calls @function with the struct percpu at the stack pointer; backtraces end here. */
.macro call_with_cpu function
	mov %esp, %eax
	xor %ebp, %ebp
	call \function
.endm

/* The same with EDX as the second argument, where it is already. */
.macro call_with_cpu_and_edx function
	call_with_cpu \function
.endm

/* Adds 1 to the struct keel_live at @at, an address without an index. */
.macro count_live at
	addl $1, \at
	adcl $0, 4+\at
	subl $1, 8+\at
	sbbl $0, 12+\at
.endm

/*
 * Goes to @to if percpu.nmi_pending or percpu.kick_coming is set. An NMI that arrives from @window on
 * may have come too late to be seen.
 */
.macro jump_if_pending window, to
	cmpl $0, PERCPU_NMI_PENDING(%esp)
\window:
	jne \to
	cmpl $0, PERCPU_NMI_PENDING + 4(%esp)
	jne \to
.endm

/* IRET to the next instruction: unblocks NMIs. */
.macro iret_in_place
	pushf
	push %cs
	call 1f
	jmp 2f
1:	iret
2:
.endm
/* clang-format on */

#else

#include <keel/types.h>

#define GUEST_REGS_COUNT 8

/* The guest's general registers, by name or by the number an instruction encodes. */
struct guest_regs {
	union {
		struct {
			/* rsp is kept by the backend (VMCS, VMCB), not here. */
			unsigned long rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
		};
		unsigned long by_number[GUEST_REGS_COUNT];
	};
};

/* What isr.S pushes when an exception or NMI hits Keel. */
struct isr_frame {
	unsigned long rdi, rsi, rbp, rbx, rdx, rcx, rax;
	unsigned long vector;
	unsigned long error; /* 0 where the CPU pushes none */
	unsigned long rip, cs, rflags;
};

/* Host-address-space-size and IA-32e guests go together (SDM volume 3, 27.3.1.1). */
#define GUEST_LONG_MODE	 0

/*
 * Linear addresses that are taken from the identity map, for mm/host_map.c: of the firmware's flash
 * memory, of which Keel reads nothing but through these very windows.
 */
#define HOST_WINDOWS	 0xff000000ull
#define HOST_WINDOW_SIZE 0x1000ull

#endif
#endif
