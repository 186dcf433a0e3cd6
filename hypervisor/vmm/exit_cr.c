/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes to CR0 and CR4 that exit because they touch a bit of Keel's: what the processor checks and
 * loads then (SDM volume 3, 2.5 and 4.4.1; volume 2, MOV to control registers). With CONFIG_CR_MASKS a
 * write to CR4 exits only if it sets a bit of a hidden feature, which the backend refuses.
 */
#include "cpu/regs.h"
#include "vmm/backend.h"
#include "vmm/guest_memory.h"
#include "vmm/handlers.h"

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

/* Does the write of @cr0 load the PDPTEs? */
static bool loads_pdptes(const struct guest_state *s, u64 cr0)
{
	return cr0 & CR0_PG && s->cr4 & CR4_PAE && !(s->efer & EFER_LME) &&
	       (s->cr0 ^ cr0) & (CR0_CD | CR0_NW | CR0_PG);
}

static bool set_cr0(struct percpu *cpu, u64 cr0)
{
	struct guest_state state;
	u64 pdptes[GUEST_PDPTES];
	bool reload;

	backend->get_state(cpu, &state);
	if (!cr0_legal(&state, cr0))
		return false;
	reload = loads_pdptes(&state, cr0);
	if (reload && !guest_read_pdptes(state.cr3, pdptes))
		return false;
	return backend->set_cr0(cpu, cr0, reload ? pdptes : NULL);
}

static bool cr4_legal(const struct guest_state *s, u64 cr4)
{
	bool sets_pcide = cr4 & CR4_PCIDE && !(s->cr4 & CR4_PCIDE);

	if (s->efer & EFER_LMA && (!(cr4 & CR4_PAE) || (s->cr4 ^ cr4) & CR4_LA57))
		return false;
	if (sets_pcide && (!(s->efer & EFER_LMA) || s->cr3 & CR3_PCID))
		return false;
	return s->cr0 & CR0_WP || !(cr4 & CR4_CET);
}

static bool set_cr4(struct percpu *cpu, u64 cr4)
{
	struct guest_state state;
	u64 pdptes[GUEST_PDPTES];
	bool reload;

	backend->get_state(cpu, &state);
	if (!cr4_legal(&state, cr4))
		return false;
	reload = state.cr0 & CR0_PG && cr4 & CR4_PAE && !(state.efer & EFER_LMA) &&
		 (state.cr4 ^ cr4) & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP);
	if (reload && !guest_read_pdptes(state.cr3, pdptes))
		return false;
	return backend->set_cr4(cpu, cr4, reload ? pdptes : NULL);
}

void exit_cr(struct percpu *cpu, const struct exit_info *info)
{
	u64 value = info->cr.value;

	if (info->cr.number == 0 ? set_cr0(cpu, value) : set_cr4(cpu, value))
		backend->skip(cpu);
	else
		backend->inject(cpu, VECTOR_GP, 0);
}
