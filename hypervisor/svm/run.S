/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exit loop: one VMRUN and no other SVM instruction. GIF stays 0 in Keel, which leaves FS, GS,
 * TR and the syscall MSRs as the guest has them, so nothing needs VMLOAD and VMSAVE.
 */
#include <keel/percpu.h>

	.text
	.globl svm_run
svm_run:
	mov %rdi, %rsp
	clgi
	/*
	 * Once: VMRUN does not load FS, GS, TR, LDTR and the syscall MSRs (APM volume 2, 15.5.1).
	 */
	mov PERCPU_VENDOR(%rsp), %rax
	vmload %rax
enter:
	load_guest_regs_but_rax
	mov PERCPU_VENDOR(%rsp), %rax
	vmrun %rax
	/* RSP is what it was; RAX too, the guest's is in the VMCB. */
	save_guest_regs_but_rax
	mov %rsp, %rdi
	xor %ebp, %ebp
	call svm_exit
	jmp enter
