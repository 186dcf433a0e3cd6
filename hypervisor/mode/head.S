/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of the way from the loader that is the same for all subarchs. */
#include <keel/percpu.h>

#define TEXT_SCREEN 0xb8000
#define COM1_DATA 0x3f8
#define COM1_LINE_STATUS 0x3fd
#define LINE_STATUS_THRE 0x20
#define THRE_LOOKS 0x10000

	.section .multiboot2, "a"
	.balign 8
multiboot2_header: /* Multiboot2 3.1.1 */
	.long 0xe85250d6
	.long 0 /* i386 protected mode */
	.long multiboot2_header_end - multiboot2_header
	.long -(0xe85250d6 + multiboot2_header_end - multiboot2_header)
	/*
	 * Relocatable (3.1.11): anywhere below 4 GiB, preferably low; Keel moves itself afterwards.
	 */
	.balign 8
	.short 10, 0
	.long 24
	.long 0x100000
	.long 0xfffff000
	.long CPU_AREA_SIZE
	.long 1
	/* Modules on page borders (3.1.9). */
	.balign 8
	.short 6, 0
	.long 8
	.balign 8
	.short 0, 0
	.long 8
multiboot2_header_end:

	/*
	 * Says the text at %esi and halts. No console yet: the first serial port as the firmware
	 * left it, and the screen's first line.
	 */
	.text
	.code32
	.globl head_refuse
head_refuse:
	mov $TEXT_SCREEN, %edi
1:	lodsb
	test %al, %al
	jz 3f
	mov %al, (%edi)
	add $2, %edi
	mov %al, %ah
	mov $COM1_LINE_STATUS, %edx
	mov $THRE_LOOKS, %ecx
2:	in %dx, %al
	test $LINE_STATUS_THRE, %al
	loopz 2b
	mov %ah, %al
	mov $COM1_DATA, %edx
	out %al, %dx
	jmp 1b
3:	hlt
	jmp 3b
