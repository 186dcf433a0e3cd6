/* SPDX-License-Identifier: BSD-2-Clause */
/* The header of the Linux boot protocol and the 32-bit entry point. */
#include "limits.h"

#define LOAD_ADDRESS 0x1000000

	.section .setup, "a"
	.org	0x1f1
	.byte	1			/* setup_sects */
	.word	0			/* root_flags */
	.long	image_paragraphs	/* syssize */
	.word	0, 0xffff, 0		/* ram_size, vid_mode, root_dev */
	.word	0xaa55			/* boot_flag */
	.byte	0xeb, header_end - 0x202
	.ascii	"HdrS"
	.word	0x020c			/* version */
	.long	0			/* realmode_swtch */
	.word	0, 0			/* start_sys_seg, kernel_version */
	.byte	0, 1			/* type_of_loader, loadflags: LOADED_HIGH */
	.word	0			/* setup_move_size */
	.long	0x100000		/* code32_start: loaders add how far they moved it */
	.long	0, 0, 0			/* ramdisk_image, ramdisk_size, bootsect_kludge */
	.word	0			/* heap_end_ptr */
	.byte	0, 0			/* ext_loader_ver, ext_loader_type */
	.long	0			/* cmd_line_ptr */
	.long	0x7fffffff		/* initrd_addr_max */
	.long	0x200000		/* kernel_alignment */
	.byte	1, 21			/* relocatable_kernel, min_alignment */
#ifdef __x86_64__
	.word	1			/* xloadflags: KERNEL_64 */
#else
	.word	0
#endif
	.long	2047			/* cmdline_size */
	.long	0			/* hardware_subarch */
	.quad	0			/* hardware_subarch_data */
	.long	0, 0			/* payload_offset, payload_length */
	.quad	0			/* setup_data */
	.quad	LOAD_ADDRESS		/* pref_address */
	.long	image_memory		/* init_size */
	.long	0			/* handover_offset */
header_end:
	.org	0x400

	.section .start, "ax"
	.code32
	.globl	start32
start32:
	/* Move to pref_address, if a loader found no room there; the scratch field of
	 * boot_params is the only stack until then. */
	movl	%esp, %eax
	leal	0x1e8(%esi), %esp
	call	1f
1:	popl	%edx
	movl	%eax, %esp
	subl	$1b - start32, %edx
	cmpl	$LOAD_ADDRESS, %edx
	je	2f
	movl	%esi, %eax
	movl	%edx, %esi
	movl	$LOAD_ADDRESS, %edi
	movl	$image_paragraphs, %ecx
	shll	$4, %ecx
	rep movsb
	movl	%eax, %esi
	xorl	%edi, %edi
2:	movl	$3f, %eax
	jmp	*%eax
3:
	/* The state at entry goes on a stack in the data section: .bss is cleared below. */
	movl	%esp, entry_esp
	movl	$entry_state_end, %esp
	pushfl
	cli
	cld
	pushl	%cs
	pushl	%ds
	pushl	%es
	pushl	%ss
	pushl	%ebx
	pushl	%ebp
	pushl	%edi
	movl	%cr0, %eax
	pushl	%eax
	movl	%cr4, %eax
	pushl	%eax

	lgdt	gdt_pointer
	ljmp	$0x10, $1f
1:	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movl	$stack_top, %esp

	movl	$bss_start, %edi
	movl	$bss_end, %ecx
	subl	%edi, %ecx
	rep stosb
	movl	%esi, boot_params

	/* Page tables: 2 MiB pages, present and writable. */
	movl	$pd_table, %edi
	movl	$0x83, %eax
1:	movl	%eax, (%edi)
	addl	$8, %edi
	addl	$0x200000, %eax
	jnc	1b
	movl	$pd_table, %eax
	xorl	%ecx, %ecx
1:	leal	1(%eax), %edx
	movl	%edx, pdpt_pae(,%ecx,8)
	leal	7(%eax), %edx
	movl	%edx, pdpt_long(,%ecx,8)
	addl	$0x1000, %eax
	incl	%ecx
	cmpl	$4, %ecx
	jne	1b
	movl	$pdpt_long + 7, pml4_table

#ifdef __x86_64__
	movl	$0x20, %eax		/* CR4.PAE */
	movl	%eax, %cr4
	movl	$pml4_table, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	rdmsr
	movl	%eax, entry_efer
	orl	$0x100, %eax		/* EFER.LME */
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000000, %eax
	movl	%eax, %cr0
	ljmp	$0x20, $1f
	.code64
1:	movl	$stack_top, %esp
#endif
	call	guest_main
1:	hlt
	jmp	1b

	.data
	.balign	4
	.globl	entry_state, entry_esp, entry_efer
entry_state:
	.fill	10, 4, 0
entry_state_end:
entry_esp:
	.long	0
entry_efer:
	.long	0

	.balign	8
	.globl	gdt
gdt:
	.quad	0
	.quad	0
	.quad	0x00cf9b000000ffff	/* 0x10: 32-bit code */
	.quad	0x00cf93000000ffff	/* 0x18: data */
	.quad	0x00af9b000000ffff	/* 0x20: 64-bit code */
	.quad	0x00009b000000ffff	/* 0x28: 16-bit code at 0 */
	.quad	0x000093000000ffff	/* 0x30: 16-bit data at 0 */
#ifdef __x86_64__
	.quad	0x00affb000000ffff	/* 0x38: user code */
#else
	.quad	0x00cffb000000ffff
#endif
	.quad	0x00cff3000000ffff	/* 0x40: user data */
	.fill	2 * MAX_CPUS, 8, 0	/* 0x48: a TSS for each CPU */
gdt_end:
	.globl	smp_gdt_size
	.set	smp_gdt_size, gdt_end - gdt
gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt, 0

	.bss
	.balign	4096
	.globl	pd_table, pdpt_pae, pml4_table
pd_table:
	.fill	4 * 4096
pdpt_long:
	.fill	4096
pml4_table:
	.fill	4096
pdpt_pae:
	.fill	32
	.balign	16
	.fill	16384
stack_top:

	.section .note.GNU-stack, "", @progbits
