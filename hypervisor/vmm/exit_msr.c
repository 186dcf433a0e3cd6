/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSR accesses that exit: those with a rule, and those outside the bitmap's ranges, which go to the
 * hardware (or to the hypervisor below) as the guest asked.
 */
#include "vmm/exit_msr.h"

#include <keel/console.h>
#include <keel/panic.h>

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

#define RULES_MAX 32

/* All rules in the order of their MSRs, of which none has two; constant once the guest runs. */
static const struct msr_rule *by_msr[RULES_MAX];
static u32 rule_count;

static const struct msr_rule *find_rule(u32 msr)
{
	u32 low = 0, high = rule_count;

	/* The first rule that does not end below @msr. */
	while (low < high) {
		u32 middle = (low + high) / 2;

		if (msr <= by_msr[middle]->last)
			high = middle;
		else
			low = middle + 1;
	}
	return low < rule_count && by_msr[low]->first <= msr ? by_msr[low] : NULL;
}

static void add_rules(const struct msr_rule *rules, u32 count)
{
	if (rule_count + count > RULES_MAX)
		panic("more than %u rules for MSRs", RULES_MAX);
	for (u32 i = 0; i < count; i++) {
		u32 at = rule_count++;

		for (; at && rules[i].last < by_msr[at - 1]->first; at--)
			by_msr[at] = by_msr[at - 1];
		by_msr[at] = &rules[i];
		for (u32 msr = rules[i].first; msr <= rules[i].last; msr++)
			backend->trap_msr(msr, rules[i].trap);
	}
}

void msr_rules_install(void)
{
	const struct msr_rule *rules;
	u32 count;

	add_rules(backend->msr_rules, backend->msr_rule_count);
	add_rules(common_rules, ARRAY_SIZE(common_rules));
	add_rules(mtrr_rules, backend->nested_has_types ? ARRAY_SIZE(mtrr_rules) : 0);
	rules = below_msr_rules(&count);
	add_rules(rules, count);
	rules = apic_msr_rules(&count);
	add_rules(rules, count);
	apic_pass_plain_icr();
}

void exit_rdmsr(struct percpu *cpu, const struct exit_info *info)
{
	u32 msr = (u32)cpu->regs.rcx;
	const struct msr_rule *rule = find_rule(msr);
	u64 value = 0;
	bool ok;

	(void)info;
	account_key(cpu->counts, KEEL_TALLY_MSR, msr);
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
	account_key(cpu->counts, KEEL_TALLY_MSR, msr);
	ok = rule && rule->write ? rule->write(cpu, msr, value) : wrmsr_safe(msr, value);
	if (ok)
		backend->skip(cpu);
	else
		backend->inject(cpu, VECTOR_GP, 0);
}
