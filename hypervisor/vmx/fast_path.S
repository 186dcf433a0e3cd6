/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exits that a guest cannot but cause often, from run.S to the next entry without a spill (fast.h).
 * Each is counted, and the instruction skipped, as exit_dispatch() and vmx_skip() do. Whatever is unusual is
 * found before anything is changed and goes to vmx_exit_slow, with RAX, RCX and RDX as run.S saved them; the
 * other registers are the guest's throughout.
 */
#include <generated/autoconf.h>
#include <keel/account.h>
#include <keel/percpu.h>

#include "lib/tally.h"
#include "vmx/access.h"
#include "vmx/fast.h"
#include "vmx/vmcs.h"

/* No spaces, as these are macro arguments. */
#define FAST(member)	     PERCPU_VENDOR+(member)

/* The first slot for a number, and that slot's place in the block. */
#define HASH(number, bits)   ((((number)*TALLY_FACTOR)&0xffffffff)>>(32-(bits)))
#define SLOT(n)		     (COUNT_TALLY+((n)<<TALLY_SHIFT))
#define RAW_SLOT(reason)     SLOT((ACCOUNT_RAW_FIRST+HASH(reason,ACCOUNT_RAW_BITS)))
#define EXIT_COUNT(reason)   (COUNT_EXITS+16*(reason))

/* TF, RF; blocking by STI, MOV SS. */
#define UNUSUAL_FLAGS	     0x10100
#define UNUSUAL_INTERRUPTIBILITY 3

	.text

/*
 * Leaves for @slow if the exit is not the usual one: the next CPU is in Keel (vmm/watchdog.h), a kick is
 * awaited, skipping takes more than a new RIP. Else the next RIP is in rDX.
 */
.macro only_usual slow
	mov PERCPU_NEXT(rSP), rDX
	testb $1, PERCPU_PASSAGE(rDX)
	jne \slow
	cmpl $0, FAST(VMX_CPU_KICK_PATIENCE)(rSP)
	jne \slow
	read_field VMCS_GUEST_RFLAGS, rDX
	test $UNUSUAL_FLAGS, %edx
	jne \slow
	read_field VMCS_GUEST_INTERRUPTIBILITY, rDX
	test $UNUSUAL_INTERRUPTIBILITY, %dl
	jne \slow
	read_field VMCS_GUEST_RIP, rDX
	read_field VMCS_EXIT_INSTRUCTION_LENGTH, rAX
	/* Outside 64-bit code EIP wraps: seldom enough. */
	mov %edx, %ecx
	add %eax, %ecx
	jc \slow
	add rAX, rDX
.endm

/*
 * The slot of %eax, of 2^@bits from @first on, into rCX; @second if another key has its first slot.
 */
.macro find_slot first, bits, offset, other
	imul $TALLY_FACTOR, %eax, %ecx
	shr $32 - \bits, %ecx
	.if \offset
	add $\offset, %ecx
	and $(1 << \bits) - 1, %ecx
	.endif
	shl $TALLY_SHIFT, %ecx
	add PERCPU_COUNTS(rSP), rCX
	cmp %eax, SLOT(\first)(rCX)
	jne \other
.endm

/* Counts an exit of neutral reason @exit, raw @raw, whose key's slot is rCX, and skips. Clobbers rAX. */
.macro count_and_skip exit, raw, first, slow
	mov PERCPU_COUNTS(rSP), rAX
	cmpl $\raw, RAW_SLOT(\raw)(rAX)
	jne \slow
	count_live SLOT(\first)+TALLY_COUNT(rCX)
	count_live RAW_SLOT(\raw)+TALLY_COUNT(rAX)
	count_live EXIT_COUNT(\exit)(rAX)
	addl $2, PERCPU_PASSAGE(rSP)
	write_field VMCS_GUEST_RIP, rDX
.endm

.macro only_usual_cpuid slow
	only_usual \slow
	mov REG_RAX(rSP), rAX
	find_slot ACCOUNT_CPUID_FIRST, ACCOUNT_CPUID_BITS, 0, 2f
1:
	count_and_skip FAST_EXIT_CPUID, FAST_REASON_CPUID, ACCOUNT_CPUID_FIRST, \slow
	.subsection 1
2:	find_slot ACCOUNT_CPUID_FIRST, ACCOUNT_CPUID_BITS, 1, \slow
	jmp 1b
	.previous
.endm

/* From run.S. RAX is the guest's still. */
	.globl vmx_fast_cpuid
vmx_fast_cpuid:
	mov %eax, %edx
	rol $1, %edx
	cmp $FAST_LEAVES_COUNT, %edx
	jae .Lslow_cpuid
	shl $LEAF_SHIFT, %edx
	add FAST(FAST_LEAVES)(rSP), rDX
	cmpl $LEAF_PLAIN, LEAF_KIND(rDX)
	jne .Lchanged_leaf
	only_usual_cpuid .Lslow_cpuid
	mov REG_RAX(rSP), rAX
	mov REG_RCX(rSP), rCX
	cpuid
.Lenter:
	.globl vmx_fast_window_start
	jump_if_pending vmx_fast_window_start, vmx_fast_restart
	vmresume
	.globl vmx_fast_window_end
vmx_fast_window_end:
	jmp vmx_entry_failed

	/* With the guest's registers in place. */
	.globl vmx_fast_restart
vmx_fast_restart:
	mov rAX, REG_RAX(rSP)
	save_guest_regs_but_rax
	jmp vmx_entry_restart

	/* rDX: its struct fast_leaf. */
.Lchanged_leaf:
	cmpl $LEAF_MASKED, LEAF_KIND(rDX)
	jne .Lslow_cpuid
	cmpl $0, REG_RCX(rSP)
	jne .Lslow_cpuid
	mov rSI, REG_RSI(rSP)
	mov rDX, rSI
	only_usual_cpuid .Lslow_changed_leaf
	mov rDI, REG_RDI(rSP)
	/* What ECX has of CR4. */
	read_field VMCS_GUEST_CR4, rDX
	and LEAF_CR4(rSI), %edx
	neg %edx
	sbb %edi, %edi
	and LEAF_MIRROR(rSI), %edi
	mov REG_RAX(rSP), rAX
	xor %ecx, %ecx
	cpuid
	and LEAF_EAX(rSI), %eax
	and LEAF_EBX(rSI), %ebx
	and LEAF_ECX(rSI), %ecx
	and LEAF_EDX(rSI), %edx
	or %edi, %ecx
	mov REG_RSI(rSP), rSI
	mov REG_RDI(rSP), rDI
	jmp .Lenter

.Lslow_changed_leaf:
	mov REG_RSI(rSP), rSI
.Lslow_cpuid:
	mov $FAST_REASON_CPUID, %edx
	jmp vmx_exit_slow

/* From run.S. RAX is the guest's still. */
	.globl vmx_fast_wrmsr
vmx_fast_wrmsr:
	mov REG_RCX(rSP), rCX
	cmp FAST(FAST_MSR)(rSP), %ecx
	jne .Lother_msr
	test %eax, FAST(FAST_MSR_UNLESS)(rSP)
	jne .Lslow_wrmsr
.Lusual_wrmsr:
	only_usual .Lslow_wrmsr
	mov REG_RCX(rSP), rAX
	find_slot ACCOUNT_MSR_FIRST, ACCOUNT_MSR_BITS, 0, 4f
3:
	count_and_skip FAST_EXIT_WRMSR, FAST_REASON_WRMSR, ACCOUNT_MSR_FIRST, .Lslow_wrmsr
	mov REG_RAX(rSP), rAX
	mov REG_RCX(rSP), rCX
	mov REG_RDX(rSP), rDX
1:	wrmsr
	jmp .Lenter
2:
	mov rAX, REG_RAX(rSP)
	save_guest_regs_but_rax
	call_with_cpu vmx_fast_fault
	jmp vmx_entry_restart
	.pushsection .extable, "a"
	.balign 4
	.long 1b - .
	.long 2b - .
	.popsection

4:	find_slot ACCOUNT_MSR_FIRST, ACCOUNT_MSR_BITS, 1, .Lslow_wrmsr
	jmp 3b

.Lother_msr:
#ifndef CONFIG_MSR_MAP
	cmp $FAST_MSRS, %ecx
	jae .Lslow_wrmsr
	mov FAST(FAST_OWN_MSRS)(rSP), rDX
	bt %ecx, (rDX)
	jnc .Lusual_wrmsr
#endif
.Lslow_wrmsr:
	mov $FAST_REASON_WRMSR, %edx
	jmp vmx_exit_slow

	.section .note.GNU-stack, "", @progbits
