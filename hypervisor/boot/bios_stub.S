/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real-mode code in the guest's conventional memory, the same for each width of Keel's. All its data
 * is addressed by CS, which is the page's segment.
 */
#include <keel/abi.h>

#include "boot/bios_stub.h"

#define BOOT_SECTOR 0x7c00
#define SIGNATURE_AT 0x7dfe
#define SIGNATURE 0xaa55
#define READ_TRIES 3
#define SMAP 0x534d4150
#define AH_UNSUPPORTED 0x86
#define FLAG_CF 0x001
#define FLAGS_CF_TF 0x101

#define DATA(offset) %cs:(bios_stub_data - bios_stub_start + (offset))

	.section .rodata
	.balign 16
	.globl bios_stub_start
	.code16
/* As after a SIPI: CS is this page's segment, IP = 0, interrupts are off. */
bios_stub_start:
	cld
	xor %eax, %eax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $BOOT_SECTOR, %esp

	/* Does the firmware give 24 bytes where there is room for them? What it gives is not used. */
	push %cs
	pop %es
	mov $(probe_buffer - bios_stub_start), %di
	mov $0xe820, %eax
	xor %ebx, %ebx
	mov $E820_SIZE_NEW, %ecx
	mov $SMAP, %edx
	pushf
	lcall *DATA(STUB_OLD_VECTOR)
	jc 1f
	cmp $E820_SIZE_NEW, %ecx
	jne 1f
	movw $E820_SIZE_NEW, DATA(STUB_ENTRY_SIZE)
1:
	xor %eax, %eax
	mov %ax, %ds
	mov %ax, %es
	cmpb $0, DATA(STUB_READ)
	je start_sector

	mov $READ_TRIES, %si
2:	mov $0x0201, %ax
	mov $BOOT_SECTOR, %bx
	mov $0x0001, %cx
	movzbw DATA(STUB_DRIVE), %dx
	int $0x13
	jnc 3f
	xor %ax, %ax
	movzbw DATA(STUB_DRIVE), %dx
	int $0x13
	dec %si
	jnz 2b
	mov $(KEEL_BOOT_UNREADABLE << 8), %edx
	jmp failed
3:	cmpw $SIGNATURE, SIGNATURE_AT
	je start_sector
	mov $(KEEL_BOOT_NO_SIGNATURE << 8), %edx

failed:	mov DATA(STUB_DRIVE), %dl
	mov $KEEL_HC_SIGNATURE, %eax
	mov $KEEL_HC_BOOT_FAILED, %ecx
	cmpb $0, DATA(STUB_INTEL)
	je 4f
	vmcall
4:	vmmcall

start_sector:
	xor %eax, %eax
	xor %ebx, %ebx
	xor %ecx, %ecx
	xor %esi, %esi
	xor %edi, %edi
	xor %ebp, %ebp
	mov %ax, %ds
	mov %ax, %es
	movzbl DATA(STUB_DRIVE), %edx
	sti
	ljmp $0, $BOOT_SECTOR

/* The guest's INT 15h. Above it are the caller's IP, CS and flags. */
	.globl bios_stub_int15
bios_stub_int15:
	cmp $0xe820, %ax
	je e820
	cmp $0xe801, %ax
	je e801
	cmp $0x88, %ah
	je ext88
	/* What few firmwares have, and Keel is not hidden from: E801h's and 88h's successors. */
	cmp $0xe881, %ax
	je unsupported
	cmp $0xda88, %ax
	je unsupported
	cmp $0x8a, %ah
	je unsupported
	cmp $0xc7, %ah
	je unsupported
	ljmp *DATA(STUB_OLD_VECTOR)

/*
 * EBX is an index. What is wrong is not left to the firmware, which may not look so closely and
 * would show its own map.
 */
e820:
	cmp $SMAP, %edx
	jne unsupported
	cmp $E820_SIZE_OLD, %ecx
	jb unsupported
	cmp DATA(STUB_E820_COUNT), %ebx
	jae unsupported
	push %ds
	push %si
	push %di
	push %cs
	pop %ds
	imul $E820_SIZE_NEW, %bx, %si
	add $(bios_stub_data - bios_stub_start + STUB_E820), %si
	movzwl DATA(STUB_ENTRY_SIZE), %eax
	cmp %eax, %ecx
	jae 1f
	mov $E820_SIZE_OLD, %eax
1:	mov %eax, %ecx
	cld
	rep movsb
	mov %eax, %ecx
	pop %di
	pop %si
	pop %ds
	inc %ebx
	cmp DATA(STUB_E820_COUNT), %ebx
	jb 2f
	xor %ebx, %ebx
2:	mov %edx, %eax
	jmp return_success

/* The firmware answers; no number may lead into what is hidden. */
e801:
	call firmware
	jc return_failure
	cmp DATA(STUB_KIB_FROM_1M), %ax
	jbe 1f
	mov DATA(STUB_KIB_FROM_1M), %ax
1:	cmp DATA(STUB_KIB_FROM_1M), %cx
	jbe 2f
	mov DATA(STUB_KIB_FROM_1M), %cx
2:	cmp DATA(STUB_BLOCKS_FROM_16M), %bx
	jbe 3f
	mov DATA(STUB_BLOCKS_FROM_16M), %bx
3:	cmp DATA(STUB_BLOCKS_FROM_16M), %dx
	jbe return_success
	mov DATA(STUB_BLOCKS_FROM_16M), %dx
	jmp return_success

ext88:
	call firmware
	jc return_failure
	cmp DATA(STUB_KIB_EXTENDED), %ax
	jbe return_success
	mov DATA(STUB_KIB_EXTENDED), %ax

return_success:
	push %bp
	mov %sp, %bp
	andw $~FLAG_CF, 6(%bp)
	pop %bp
	iret

unsupported:
	mov $AH_UNSUPPORTED, %ah
return_failure:
	push %bp
	mov %sp, %bp
	orw $FLAG_CF, 6(%bp)
	pop %bp
	iret

/*
 * Asks the firmware's INT 15h with the caller's registers and flags. CF is clear before: a BIOS that
 * does not touch it for AH=88h has succeeded. Above are our return address and the caller's frame.
 */
firmware:
	push %bp
	mov %sp, %bp
	push 8(%bp)
	andw $~FLAGS_CF_TF, -2(%bp)
	mov (%bp), %bp
	lcall *DATA(STUB_OLD_VECTOR)
	pop %bp
	ret

probe_buffer:
	.fill E820_SIZE_NEW, 1, 0
	.balign 4
	.globl bios_stub_data
bios_stub_data: /* struct bios_stub */

	.section .note.GNU-stack, "", @progbits
