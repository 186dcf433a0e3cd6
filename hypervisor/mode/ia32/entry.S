/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the loader's 32-bit protected mode (Multiboot2 3.3) to C, wherever the image was loaded. There
 * is no paging until Keel's page tables are there.
 */
#include <keel/percpu.h>

	.section .head.text, "ax"
	.globl _start
_start:
	cld
	cli
	/*
	 * The only stack there is: the reserved word of the boot information, 4 bytes at %ebx + 4.
	 */
	lea 8(%ebx), %esp
	call here
here:	pop %ebp /* where "here" lies now */
	lea (boot_area - here + CPU_AREA_SIZE - PERCPU_SIZE)(%ebp), %esp
	mov %eax, %edi
	mov %ebx, %esi

	mov $NEEDED_CPUID_LEAF, %eax
	cpuid
	test $NEEDED_CPUID_EDX, %edx
	jz 1f
	call image_apply_relocations
	mov %edi, %eax
	mov %esi, %edx
	xor %ebp, %ebp
	call boot_main
	ud2
1:	lea (needed_text - here)(%ebp), %esi
	jmp head_refuse

	.text
/* _Noreturn void boot_jump(unsigned long target, unsigned long stack): calls @target on @stack. */
	.globl boot_jump
boot_jump:
	mov %edx, %esp
	xor %ebp, %ebp
	call *%eax
	ud2

/* void paging_load(unsigned long root) */
	.globl paging_load
paging_load:
	enable_paging
	ret

	.section .rodata
needed_text:
	.ascii "keel: "
	.ascii NEEDED_TEXT
	.asciz "\r\nkeel: halted\r\n"

	.section .bss.aligned, "aw", @nobits
	.balign CPU_AREA_SIZE
	.globl boot_area
boot_area:
	.skip CPU_AREA_SIZE

	.section .note.GNU-stack, "", @progbits
