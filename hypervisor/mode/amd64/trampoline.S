/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a CPU begins after Keel's SIPI: real mode, CS = this page, IP = 0. Copied to a page below
 * 1 MiB; goes straight to long mode on Keel's page tables (SDM volume 3, 10.8.5) and on to
 * trampoline_entry with the stack that mode/mode.h's struct trampoline names.
 */
#include "mode/amd64/subarch.h"

#define CR0_AP 0x80010031 /* PG, WP, NE, ET, PE; CD and NW off */
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME_NXE 0x900

	.section .rodata
	.balign 16
	.globl trampoline_start
trampoline_start:
	.code16
	cli
	cld
	mov %cs, %ax
	mov %ax, %ds
	xor %ebx, %ebx
	mov %ax, %bx
	shl $4, %ebx /* linear address of this page */

	/* The two addresses that are not known before. */
	lea trampoline_gdt - trampoline_start(%ebx), %eax
	mov %eax, trampoline_gdt_ptr + 2 - trampoline_start
	lea trampoline_long - trampoline_start(%ebx), %eax
	mov %eax, trampoline_far - trampoline_start

	mov $CR4_PAE, %eax
	mov %eax, %cr4
	mov trampoline_data - trampoline_start, %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	rdmsr
	or $EFER_LME_NXE, %eax
	wrmsr
	lgdtl trampoline_gdt_ptr - trampoline_start
	mov $CR0_AP, %eax
	mov %eax, %cr0
	ljmpl *trampoline_far - trampoline_start

	.code64
trampoline_long:
	load_flat_segments
	mov trampoline_data + 8 - trampoline_start(%rbx), %rsp
	mov trampoline_data + 16 - trampoline_start(%rbx), %rax
	mov %rsp, %rdi
	xor %ebp, %ebp
	call *%rax
	ud2

	.balign 8
trampoline_gdt:
	early_gdt
trampoline_gdt_ptr:
	.short . - trampoline_gdt - 1
	.long 0
trampoline_far:
	.long 0
	.short SEL_CODE
	.balign 8
	.globl trampoline_data
trampoline_data:
	.quad 0, 0, 0 /* struct trampoline */
	.globl trampoline_end
trampoline_end:
