/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM entry and exit. The stack pointer is the address of struct percpu (VMCS host RSP), whose first
 * member takes the guest's general registers; it does not move while they are in flight. Keel keeps
 * nothing of its own from one exit to the next, so no host register is saved.
 *
 * A kick's sender sets kick_coming, next to nmi_pending: both are tested at once.
 *
 * NMIs: the handler sets nmi_pending, which is tested before each entry. An NMI that arrives after
 * the test, up to the entering instruction, finds RIP in the window below and is sent to
 * vmx_entry_restart (with RSP as here). The window begins right behind the look: when an NMI hits
 * the jump, the flags are out of date.
 */
#include <generated/autoconf.h>
#include <keel/percpu.h>

#include "vmx/access.h"
#include "vmx/fast.h"
#include "vmx/vmcs.h"

	.text

	.globl vmx_enter
	.type vmx_enter, @function
vmx_enter:
	use_cpu_stack
	jmp .Lenter

	.balign 16
	.globl vmx_exit_entry
	.type vmx_exit_entry, @function
vmx_exit_entry:
	mov rAX, REG_RAX(rSP)
	mov rCX, REG_RCX(rSP)
	mov rDX, REG_RDX(rSP)
	/* What fails here fails again in the next VMREAD, in C. */
	read_field VMCS_EXIT_REASON, rDX
#ifdef CONFIG_CPUID_FAST
	cmp $FAST_REASON_CPUID, %edx
	je vmx_fast_cpuid
	cmp $FAST_REASON_WRMSR, %edx
	je vmx_fast_wrmsr
#endif
	/* From fast_path.S too, with the reason in EDX. */
	.globl vmx_exit_slow
vmx_exit_slow:
	save_guest_regs_but_rax_rcx_rdx
	call_with_cpu_and_edx vmx_exit
.Lenter:
	.globl vmx_entry_window_start
	jump_if_pending vmx_entry_window_start, vmx_entry_restart
	load_guest_regs_but_rax
	mov REG_RAX(rSP), rAX
	vmresume
	/* Reached if that failed: the first time because the VMCS has not been launched. */
	vmlaunch
	.globl vmx_entry_window_end
vmx_entry_window_end:
	.globl vmx_entry_failed
vmx_entry_failed:
	call_with_cpu vmx_entry_refused

	.globl vmx_entry_restart
vmx_entry_restart:
	call_with_cpu vmx_before_entry
	jmp .Lenter

	.section .note.GNU-stack, "", @progbits
