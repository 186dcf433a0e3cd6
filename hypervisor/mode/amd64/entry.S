/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the loader's 32-bit protected mode (Multiboot2 3.3) to C in long mode, wherever the image
 * was loaded: addresses are taken relative to "here" in %ebp until paging is on and the image is
 * relocated.
 */
#include <keel/percpu.h>

#define CR0_PE_PG 0x80000001
#define CR0_WP 0x00010000
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME_NXE 0x900
#define CPUID_EXT_LM_NX 0x20100000 /* 0x80000001 EDX */
#define PTE_P_RW 0x3
#define PTE_P_RW_PS 0x83

	.section .head.text, "ax"
	.code32
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
	mov %eax, %edi
	lea (boot_area - here + CPU_AREA_SIZE - PERCPU_SIZE)(%ebp), %esp

	mov $0x80000001, %eax
	push %ebx
	cpuid
	pop %ebx
	and $CPUID_EXT_LM_NX, %edx
	cmp $CPUID_EXT_LM_NX, %edx
	jne no_long_mode

	/*
	 * Identity map of the first 4 GiB: one PML4, one PDPT, four page directories of 2 MiB
	 * pages.
	 */
	lea (boot_tables - here)(%ebp), %esi
	lea 0x1000 + PTE_P_RW(%esi), %eax
	mov %eax, (%esi)
	xor %ecx, %ecx
2:	lea 0x2000 + PTE_P_RW(%esi), %eax
	mov %ecx, %edx
	shl $12, %edx
	add %edx, %eax
	mov %eax, 0x1000(%esi, %ecx, 8)
	inc %ecx
	cmp $4, %ecx
	jb 2b
	xor %ecx, %ecx
3:	mov %ecx, %eax
	shl $21, %eax
	or $PTE_P_RW_PS, %eax
	mov %eax, 0x2000(%esi, %ecx, 8)
	inc %ecx
	cmp $2048, %ecx
	jb 3b

	mov %cr4, %eax
	or $CR4_PAE, %eax
	mov %eax, %cr4
	mov %esi, %cr3
	mov $MSR_EFER, %ecx
	rdmsr
	or $EFER_LME_NXE, %eax
	wrmsr
	mov %cr0, %eax
	or $(CR0_PE_PG | CR0_WP), %eax
	mov %eax, %cr0

	lea (boot_gdt - here)(%ebp), %eax
	mov %eax, (boot_gdt_ptr + 2 - here)(%ebp)
	lgdt (boot_gdt_ptr - here)(%ebp)
	/* A far return: a far jump would need the absolute address in the instruction. */
	push $SEL_CODE
	lea (long_mode - here)(%ebp), %eax
	push %eax
	lret

no_long_mode:
	lea (no_long_mode_text - here)(%ebp), %esi
	jmp head_refuse

	.code64
long_mode:
	load_flat_segments
	mov %edi, %r12d
	mov %ebx, %r13d
	lea boot_area + CPU_AREA_SIZE - PERCPU_SIZE(%rip), %rsp
	call image_apply_relocations
	mov %r12d, %edi
	mov %r13d, %esi
	xor %ebp, %ebp
	call boot_main
	ud2

/* _Noreturn void boot_jump(unsigned long target, unsigned long stack): calls @target on @stack. */
	.globl boot_jump
boot_jump:
	mov %rsi, %rsp
	xor %ebp, %ebp
	call *%rdi
	ud2

	.section .rodata
no_long_mode_text:
	.ascii "keel: this CPU has no 64-bit mode with NX, which Keel amd64 needs: "
	.asciz "use a 64-bit CPU\r\nkeel: halted\r\n"

	.data
	.balign 8
boot_gdt:
	early_gdt
boot_gdt_ptr:
	.short . - boot_gdt - 1
	.long 0

	.section .bss.aligned, "aw", @nobits
	.balign CPU_AREA_SIZE
	.globl boot_area
boot_area:
	.skip CPU_AREA_SIZE
	.balign 4096
boot_tables:
	.skip 6 * 4096
