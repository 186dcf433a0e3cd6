/* SPDX-License-Identifier: BSD-2-Clause */
/* A boot sector that loads the sectors behind it, and what real-mode C cannot do itself. */
#include "bios.h"

#define HERE 0x7c00

	.section .sector, "ax"
	.code16
	.globl sector_start
sector_start:
	/* What the firmware, or Keel, left. CS is taken for 0, which the payload then checks. */
	pushfw
	popw %cs:entry + ENTRY_FLAGS
	cli
	cld
	movw %cs, %cs:entry + ENTRY_CS
	movw %ds, %cs:entry + ENTRY_DS
	movw %es, %cs:entry + ENTRY_ES
	movw %ss, %cs:entry + ENTRY_SS
	movl %esp, %cs:entry + ENTRY_ESP
	movl %edx, %cs:entry + ENTRY_EDX
	movl %cr0, %eax
	movl %eax, %cs:entry + ENTRY_CR0

	xorl %eax, %eax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl $HERE, %esp
	ljmp $0, $1f
1:	sti
	movw $packet, %si
	movb $0x42, %ah
	int $0x13
	jc 2f
	calll bios_main
2:	movw $0x0e00 + '!', %ax
	int $0x10
	hlt
	jmp 2b

	.balign 4
packet:	.byte 16, 0
	.word payload_sectors
	.word HERE + 512, 0
	.quad 1

	.globl entry
	.balign 4
entry:	.fill ENTRY_SIZE

	/* Written by the host into a copy of this disk. */
	.org 0x1a0
	.globl words
words:	.fill 0x18

	.org 0x1fe
	.word 0xaa55

	.text
	.code16
/* void bios_call(u32 number, struct bios *r) */
	.globl bios_call
bios_call:
	pushal
	pushw %ds
	pushw %es
	movl 40(%esp), %eax
	movb %al, 1f + 1
	movl 44(%esp), %ebp
	movl %ebp, call_regs
	jmp 2f
2:	movl BIOS_EAX(%ebp), %eax
	movl BIOS_EBX(%ebp), %ebx
	movl BIOS_ECX(%ebp), %ecx
	movl BIOS_EDX(%ebp), %edx
	movl BIOS_ESI(%ebp), %esi
	movl BIOS_EDI(%ebp), %edi
	movw BIOS_ES(%ebp), %es
	pushw BIOS_FLAGS(%ebp)
	pushw BIOS_DS(%ebp)
	movl BIOS_EBP(%ebp), %ebp
	popw %ds
	popfw
1:	int $0
	pushfw
	pushw %ds
	pushl %ebp
	movl %cs:call_regs, %ebp
	popl BIOS_EBP(%ebp)
	popw BIOS_DS(%ebp)
	popw BIOS_FLAGS(%ebp)
	/* SS = 0, and EBP as a base goes with it. */
	movl %eax, BIOS_EAX(%ebp)
	movl %ebx, BIOS_EBX(%ebp)
	movl %ecx, BIOS_ECX(%ebp)
	movl %edx, BIOS_EDX(%ebp)
	movl %esi, BIOS_ESI(%ebp)
	movl %edi, BIOS_EDI(%ebp)
	movw %es, BIOS_ES(%ebp)
	cld
	popw %es
	popw %ds
	popal
	sti
	retl

/* Vector 6: notes it and goes on behind an instruction of three bytes. */
	.globl ud_handler
ud_handler:
	movb $1, %cs:ud_seen
	pushw %bp
	movw %sp, %bp
	addw $3, 2(%bp)
	popw %bp
	iretw

	.data
	.balign 4
call_regs:
	.long 0
	.globl ud_seen
ud_seen:
	.byte 0

	.section .note.GNU-stack, "", @progbits
