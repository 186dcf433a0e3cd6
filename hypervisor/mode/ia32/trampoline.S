/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a CPU begins after Keel's SIPI: real mode, CS = this page, IP = 0. Copied to a page below
 * 1 MiB; goes to protected mode on Keel's page tables (SDM volume 3, 10.9.1) and on to the entry with
 * the stack that mode/trampoline.h's struct trampoline names.
 */
#include "mode/mode.h"

#define CR0_AP 0x00000031 /* NE, ET, PE; CD and NW off */

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
	lea trampoline_protected - trampoline_start(%ebx), %eax
	mov %eax, trampoline_far - trampoline_start

	lgdtl trampoline_gdt_ptr - trampoline_start
	mov $CR0_AP, %eax
	mov %eax, %cr0
	ljmpl *trampoline_far - trampoline_start

	.code32
trampoline_protected:
	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	mov trampoline_data - trampoline_start(%ebx), %eax
	enable_paging
	mov trampoline_data + 8 - trampoline_start(%ebx), %esp
	mov %esp, %eax
	xor %ebp, %ebp
	call *trampoline_data + 16 - trampoline_start(%ebx)
	ud2

	.balign 8
trampoline_gdt:
	.quad 0
	.quad 0x00cf92000000ffff /* SEL_DATA */
	.quad 0x00cf9a000000ffff /* SEL_CODE */
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

	.section .note.GNU-stack, "", @progbits
