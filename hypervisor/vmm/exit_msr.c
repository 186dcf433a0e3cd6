/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSR accesses that exit: those with a rule, and those outside the bitmap's ranges, which go to the
 * hardware (or to the hypervisor below) as the guest asked.
 */
#include "vmm/exit_msr.h"

#include <keel/console.h>

#include "cpu/msr.h"
#include "cpu/regs.h"
#include "vmm/account.h"
#include "vmm/apic.h"
#include "vmm/below.h"
#include "vmm/handlers.h"
#include "vmm/nested.h"

bool msr_no_read(struct percpu *cpu, u32 msr, u64 *value)
{
	(void)cpu;
	(void)msr;
	(void)value;
	return false;
}

bool msr_no_write(struct percpu *cpu, u32 msr, u64 value)
{
	(void)cpu;
	(void)msr;
	(void)value;
	return false;
}

/* Linux skips an update whose revision did not change. One line, however often it is tried. */
static bool ignore_microcode(struct percpu *cpu, u32 msr, u64 value)
{
	static bool said;

	(void)cpu;
	(void)value;
	if (said)
		return true;
	said = true;
	log_notice("the guest's microcode update (MSR 0x%x) is ignored: update by the firmware",
		   msr);
	return true;
}

static bool write_mtrr(struct percpu *cpu, u32 msr, u64 value)
{
	if (!wrmsr_safe(msr, value))
		return false;
	nested_types_changed(cpu);
	return true;
}

/* Rules that hold on both vendors. */
static const struct msr_rule common_rules[] = {
	{IA32_BIOS_UPDT_TRIG, IA32_BIOS_UPDT_TRIG, MSR_WRITE, NULL, ignore_microcode},
	{AMD_PATCH_LOADER, AMD_PATCH_LOADER, MSR_WRITE, NULL, ignore_microcode},
};

/* Only where nested entries carry the type; elsewhere the MTRRs work by themselves. */
static const struct msr_rule mtrr_rules[] = {
	{IA32_MTRR_PHYSBASE0, IA32_MTRR_PHYSBASE0 + 2 * MTRR_VARIABLE_MAX - 1, MSR_WRITE, NULL,
	 write_mtrr},
	{IA32_MTRR_FIX64K_00000, IA32_MTRR_FIX64K_00000, MSR_WRITE, NULL, write_mtrr},
	{IA32_MTRR_FIX16K_80000, IA32_MTRR_FIX16K_A0000, MSR_WRITE, NULL, write_mtrr},
	{IA32_MTRR_FIX4K_C0000, IA32_MTRR_FIX4K_F8000, MSR_WRITE, NULL, write_mtrr},
	{IA32_MTRR_DEF_TYPE, IA32_MTRR_DEF_TYPE, MSR_WRITE, NULL, write_mtrr},
};

struct rule_set {
	const struct msr_rule *rules;
	u32 count;
};

#define RULE_SETS 5

/* Constant once the guest runs. */
static struct rule_set sets[RULE_SETS];

static void find_sets(void)
{
	sets[0] = (struct rule_set){backend->msr_rules, backend->msr_rule_count};
	sets[1] = (struct rule_set){common_rules, ARRAY_SIZE(common_rules)};
	sets[2] = (struct rule_set){mtrr_rules,
				    backend->nested_has_types ? ARRAY_SIZE(mtrr_rules) : 0};
	sets[3].rules = below_msr_rules(&sets[3].count);
	sets[4].rules = apic_msr_rules(&sets[4].count);
}

static const struct msr_rule *find_rule(u32 msr)
{
	for (u32 s = 0; s < RULE_SETS; s++) {
		for (u32 i = 0; i < sets[s].count; i++) {
			if (sets[s].rules[i].first <= msr && msr <= sets[s].rules[i].last)
				return &sets[s].rules[i];
		}
	}
	return NULL;
}

void msr_rules_install(void)
{
	find_sets();
	for (u32 s = 0; s < RULE_SETS; s++) {
		for (u32 i = 0; i < sets[s].count; i++) {
			const struct msr_rule *r = &sets[s].rules[i];

			for (u32 msr = r->first; msr <= r->last; msr++)
				backend->trap_msr(msr, r->trap);
		}
	}
}

void exit_rdmsr(struct percpu *cpu, const struct exit_info *info)
{
	u32 msr = (u32)cpu->regs.rcx;
	const struct msr_rule *rule = find_rule(msr);
	u64 value = 0;
	bool ok;

	(void)info;
	account_key(cpu, KEEL_TALLY_MSR, msr);
	ok = rule && rule->read ? rule->read(cpu, msr, &value) : rdmsr_safe(msr, &value);
	if (!ok) {
		backend->inject(cpu, VECTOR_GP, 0);
		return;
	}
	cpu->regs.rax = (u32)value;
	cpu->regs.rdx = (u32)(value >> 32);
	backend->skip(cpu);
}

void exit_wrmsr(struct percpu *cpu, const struct exit_info *info)
{
	u32 msr = (u32)cpu->regs.rcx;
	u64 value = (u64)(u32)cpu->regs.rdx << 32 | (u32)cpu->regs.rax;
	const struct msr_rule *rule = find_rule(msr);
	bool ok;

	(void)info;
	account_key(cpu, KEEL_TALLY_MSR, msr);
	ok = rule && rule->write ? rule->write(cpu, msr, value) : wrmsr_safe(msr, value);
	if (ok)
		backend->skip(cpu);
	else
		backend->inject(cpu, VECTOR_GP, 0);
}
