/* SPDX-License-Identifier: BSD-2-Clause */
/* What fast_path.S goes by, made from what the long way does. */
#include "vmx/fast.h"

#include <keel/account.h>

#include "cpu/regs.h"
#include "lib/tally.h"
#include "vmm/exit.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"

#define EXTENDED      BIT(31)

/* As fast_path.S has it: the slot that is looked at first. */
#define RAW_SLOT(reason) \
	(ACCOUNT_RAW_FIRST + ((u32)((reason) * TALLY_FACTOR) >> (32 - ACCOUNT_RAW_BITS)))

_Static_assert(FAST_REASON_CPUID == REASON_CPUID && FAST_REASON_WRMSR == REASON_WRMSR, "reasons");
_Static_assert(FAST_EXIT_CPUID == EXIT_CPUID && FAST_EXIT_WRMSR == EXIT_WRMSR, "neutral reasons");
_Static_assert(RAW_SLOT(REASON_CPUID) != RAW_SLOT(REASON_WRMSR), "each its own");
_Static_assert(offsetof(struct vmx_fast, leaves) == FAST_LEAVES &&
		       offsetof(struct vmx_fast, msr) == FAST_MSR &&
		       offsetof(struct vmx_fast, unless) == FAST_MSR_UNLESS &&
		       offsetof(struct vmx_fast, own_msrs) == FAST_OWN_MSRS,
	       "fast_path.S");
_Static_assert(offsetof(struct fast_leaf, keep.eax) == LEAF_EAX &&
		       offsetof(struct fast_leaf, keep.ebx) == LEAF_EBX &&
		       offsetof(struct fast_leaf, keep.ecx) == LEAF_ECX &&
		       offsetof(struct fast_leaf, keep.edx) == LEAF_EDX &&
		       offsetof(struct fast_leaf, kind) == LEAF_KIND &&
		       offsetof(struct fast_leaf, cr4) == LEAF_CR4 &&
		       offsetof(struct fast_leaf, mirror) == LEAF_MIRROR &&
		       sizeof(struct fast_leaf) == 1 << LEAF_SHIFT,
	       "fast_path.S");

_Static_assert(offsetof(struct keel_cpu, exits) == COUNT_EXITS &&
		       offsetof(struct keel_cpu, tally) == COUNT_TALLY &&
		       sizeof(struct keel_tally) == 1 << TALLY_SHIFT &&
		       offsetof(struct keel_tally, count) == TALLY_COUNT,
	       "fast_path.S");

static struct fast_leaf leaves[FAST_LEAVES_COUNT];
static u32 passed_msr = ~0u;
static u32 passed_unless = ~0u;

void vmx_pass_wrmsr(u32 msr, u32 unless)
{
	passed_msr = msr;
	passed_unless = unless;
}

static bool same(const struct cpuid *a, const struct cpuid *b)
{
	return a->eax == b->eax && a->ebx == b->ebx && a->ecx == b->ecx && a->edx == b->edx;
}

static struct cpuid shown(struct percpu *cpu, u32 leaf, u32 subleaf, struct cpuid c)
{
	exit_fix_cpuid(cpu, leaf, subleaf, &c);
	return c;
}

static struct cpuid masked(const struct cpuid *c, const struct cpuid *keep)
{
	return (struct cpuid){c->eax & keep->eax, c->ebx & keep->ebx, c->ecx & keep->ecx,
			      c->edx & keep->edx};
}

/*
 * What exit_cpuid() does to all ones and to nothing tells which bits it takes away. Should it do more, or
 * the same not to what the hardware says, the leaf is slow.
 */
static void learn(struct percpu *cpu, u32 leaf, struct fast_leaf *out)
{
	static const struct cpuid ones = {~0u, ~0u, ~0u, ~0u};
	static const struct cpuid none;
	struct cpuid hardware = cpuid(leaf);
	struct cpuid keep = shown(cpu, leaf, 0, ones);
	struct cpuid by_mask = masked(&hardware, &keep);
	struct cpuid by_exit = shown(cpu, leaf, 0, hardware);
	struct cpuid added = shown(cpu, leaf, 0, none);
	struct cpuid other = shown(cpu, leaf, 1, ones);

	out->keep = keep;
	vmx_cpuid_mirror(leaf, &out->cr4, &out->mirror);
	if (vmx_cpuid_follows_mode(leaf) || !same(&by_mask, &by_exit) || !same(&added, &none))
		out->kind = LEAF_SLOW;
	else if (same(&keep, &ones) && same(&other, &ones))
		out->kind = LEAF_PLAIN;
	else
		out->kind = LEAF_MASKED;
}

void vmx_fast_init(struct percpu *cpu)
{
	struct vmx_fast *fast = &vmx_cpu(cpu)->fast;
	struct keel_tally *tally = cpu->counts->tally;

	fast->leaves = leaves;
	fast->msr = passed_msr;
	fast->unless = passed_unless;
	fast->own_msrs = vmx_own_msrs();
	/* Nothing has been counted yet: slots that no other reason gets. */
	live_set(&tally[RAW_SLOT(REASON_CPUID)].key, REASON_CPUID);
	live_set(&tally[RAW_SLOT(REASON_WRMSR)].key, REASON_WRMSR);
	if (cpu->index)
		return;
	for (u32 i = 0; i < FAST_LEAVES_COUNT; i++)
		learn(cpu, i >> 1 | (i & 1 ? EXTENDED : 0), &leaves[i]);
}

/* Of an EPT violation: a write by an instruction, and no IRET that has unblocked NMIs. */
#define STORE_QUALIFICATION                                                                        \
	(EPT_QUALIFICATION_WRITE | EPT_QUALIFICATION_LINEAR | EPT_QUALIFICATION_TRANSLATED)
#define STORE_MASK                                                                                 \
	(STORE_QUALIFICATION | EPT_QUALIFICATION_FETCH | EPT_QUALIFICATION_ASYNCHRONOUS |          \
	 EPT_QUALIFICATION_NMI_UNBLOCKING)

bool vmx_fast_store(struct percpu *cpu)
{
	struct guest_state state;
	unsigned long rflags;
	u8 length, bits;
	u64 next;
	u32 cs;

	if ((vmcs_read(VMCS_EXIT_QUALIFICATION) & STORE_MASK) != STORE_QUALIFICATION ||
	    vmcs_read(VMCS_IDT_VECTORING_INFO) & EVENT_VALID || vmx_cpu(cpu)->kick_patience)
		return false;
	rflags = vmcs_read(VMCS_GUEST_RFLAGS);
	if (rflags & RFLAGS_TF ||
	    vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & (BLOCKING_BY_STI | BLOCKING_BY_MOV_SS))
		return false;
	cs = (u32)vmcs_read(VMCS_GUEST_ACCESS_RIGHTS(SEGMENT_CS));
	state.efer = vmcs_read64(VMCS_GUEST_IA32_EFER);
	if (cs & ACCESS_RIGHTS_L && state.efer & EFER_LMA) {
		/* It has paging, and no segment's base: two fields that need not be read. */
		bits = 64;
		state.cr0 = CR0_PG;
	} else {
		bits = cs & ACCESS_RIGHTS_DB ? 32 : 16;
		state.cr0 = vmcs_read(VMCS_GUEST_CR0);
		state.cs_base = vmcs_read(VMCS_GUEST_BASE(SEGMENT_CS));
	}
	state.cr3 = vmcs_read(VMCS_GUEST_CR3);
	/* As the long way sees it: the two share what they remember. */
	state.cr4 = vmcs_read(VMCS_GUEST_CR4) & ~(unsigned long)CR4_VMXE;
	state.rip = vmcs_read(VMCS_GUEST_RIP);
	length = exit_plain_store(cpu, vmcs_read64(VMCS_GUEST_PHYSICAL_ADDRESS),
				  REASON_EPT_VIOLATION, &state, bits);
	if (!length)
		return false;
	next = state.rip + length;
	vmcs_write(VMCS_GUEST_RIP, (unsigned long)(bits == 64 ? next : (u32)next));
	/* Set by the exit itself, as by a fault (SDM 28.3.3). */
	if (rflags & RFLAGS_RF)
		vmcs_write(VMCS_GUEST_RFLAGS, rflags & ~(unsigned long)RFLAGS_RF);
	return true;
}

/* Called by fast_path.S: the write faulted after it had been counted and skipped. */
void vmx_fast_fault(struct percpu *cpu);

void vmx_fast_fault(struct percpu *cpu)
{
	vmcs_write(VMCS_GUEST_RIP,
		   vmcs_read(VMCS_GUEST_RIP) - vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH));
	vmx_inject(cpu, VECTOR_GP, 0);
}
