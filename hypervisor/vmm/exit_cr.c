/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes to CR0 and CR4 that exit because they touch a bit of Keel's: what the processor checks and
 * loads then (SDM volume 3, 2.5 and 4.4.1; volume 2, MOV to control registers).
 */
#include "cpu/cpuid.h"
#include "cpu/regs.h"
#include "vmm/backend.h"
#include "vmm/guest_memory.h"
#include "vmm/handlers.h"

#define PDPTES 4
#define PDPTE_P BIT64(0)
#define PDPTE_RESERVED 0x1e6ull /* and everything from MAXPHYADDR up */
#define PAE_ROOT 0xffffffe0u    /* CR3 under PAE paging */
#define CR3_PCID 0xfffu

static bool in_64bit_code(const struct guest_state *s)
{
	return s->efer & EFER_LMA && s->cs_long;
}

static bool cr0_legal(const struct guest_state *s, u64 cr0)
{
	bool enables_paging = cr0 & CR0_PG && !(s->cr0 & CR0_PG);
	bool disables_paging = !(cr0 & CR0_PG) && s->cr0 & CR0_PG;

	if (cr0 >> 32)
		return false;
	if (cr0 & CR0_PG && !(cr0 & CR0_PE))
		return false;
	if (cr0 & CR0_NW && !(cr0 & CR0_CD))
		return false;
	if (enables_paging && s->efer & EFER_LME && (!(s->cr4 & CR4_PAE) || s->cs_long))
		return false;
	if (disables_paging && (in_64bit_code(s) || s->cr4 & CR4_PCIDE))
		return false;
	return cr0 & CR0_WP || !(s->cr4 & CR4_CET);
}

static bool cr4_legal(const struct guest_state *s, u64 cr4)
{
	bool ia32e = s->efer & EFER_LMA;
	u64 changed = s->cr4 ^ cr4;

	if (ia32e && (!(cr4 & CR4_PAE) || changed & CR4_LA57))
		return false;
	if (changed & cr4 & CR4_PCIDE && (!ia32e || s->cr3 & CR3_PCID))
		return false;
	return s->cr0 & CR0_WP || !(cr4 & CR4_CET);
}

/* Does the write from @s to @new (the same but for a control register) load the PDPTEs? */
static bool loads_pdptes(const struct guest_state *s, const struct guest_state *new)
{
	u64 cr0_bits = CR0_CD | CR0_NW | CR0_PG;
	u64 cr4_bits = CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP;

	if (!(new->cr0 & CR0_PG) || !(new->cr4 & CR4_PAE) || new->efer & EFER_LME)
		return false;
	return (s->cr0 ^ new->cr0) & cr0_bits || (s->cr4 ^ new->cr4) & cr4_bits;
}

static bool read_pdptes(u64 cr3, u64 pdptes[PDPTES])
{
	struct guest_state physical = { .cr0 = 0 }; /* without paging an address is physical */
	u64 reserved = PDPTE_RESERVED | ~(BIT64(cpu_phys_bits()) - 1);
	size_t size = PDPTES * sizeof(*pdptes);

	if (guest_read(&physical, cr3 & PAE_ROOT, pdptes, size) != size)
		return false;
	for (int i = 0; i < PDPTES; i++)
		if (pdptes[i] & PDPTE_P && pdptes[i] & reserved)
			return false;
	return true;
}

void exit_cr(struct percpu *cpu, const struct exit_info *info)
{
	u64 value = info->cr.value;
	u64 pdptes[PDPTES];
	struct guest_state state, new;
	bool legal, reload;

	backend->get_state(cpu, &state);
	new = state;
	if (info->cr.number == 0) {
		new.cr0 = value;
		legal = cr0_legal(&state, value);
	} else {
		new.cr4 = value;
		legal = info->cr.number == 4 && cr4_legal(&state, value);
	}
	reload = legal && loads_pdptes(&state, &new);
	if (legal && (!reload || read_pdptes(state.cr3, pdptes)) &&
	    backend->set_cr(cpu, info->cr.number, value, reload ? pdptes : NULL))
		backend->skip(cpu);
	else
		backend->inject(cpu, VECTOR_GP, 0);
}
