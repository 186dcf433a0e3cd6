/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exit loop: one VMRUN and no other SVM instruction. GIF stays 0 in Keel, which leaves FS, GS,
 * TR and the syscall MSRs as the guest has them, so nothing needs VMLOAD and VMSAVE but INIT.
 */
#include <generated/autoconf.h>
#include <keel/percpu.h>

	.text
	.globl svm_run
svm_run:
	use_cpu_stack
	/* A CPU may begin parked: svm_wait() returns when it has something to execute. */
	call_with_cpu svm_wait
enter:
	load_guest_regs_but_rax
	mov PERCPU_VENDOR(rSP), rAX
#ifndef CONFIG_VMRUN_ONLY
	/* For study: what a hypervisor does that uses these registers itself. They are the guest's. */
	vmsave rAX
	vmload rAX
#endif
	vmrun rAX
	/* RSP is what it was; RAX too, the guest's is in the VMCB. */
	save_guest_regs_but_rax
	call_with_cpu svm_exit
	jmp enter

	/*
	 * GIF = 1 for a moment. The NMI handler leaves by a jump, which keeps NMIs blocked; here
	 * the guest's own NMIs are blocked by Keel alone, so that IRET may unblock the hardware's.
	 */
	.globl svm_take_nmi
svm_take_nmi:
	stgi
	nop
	clgi
unblock_nmis:
	iret_in_place
	ret

	.globl svm_drop_interrupts
svm_drop_interrupts:
	stgi
	sti
	nop
	nop
	cli
	clgi
	jmp unblock_nmis

	.globl svm_halt_until_nmi
svm_halt_until_nmi:
	stgi
	.globl svm_halt_start
svm_halt_start:
	hlt
	.globl svm_halt_end
svm_halt_end:
	clgi
	jmp unblock_nmis

	.section .note.GNU-stack, "", @progbits
