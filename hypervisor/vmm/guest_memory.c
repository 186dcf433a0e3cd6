/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/guest_memory.h"

#include <keel/bits.h>
#include <keel/errno.h>

#include "cpu/cpuid.h"
#include "cpu/regs.h"
#include "lib/string.h"
#include "mm/host_map.h"
#include "mode/pte.h"
#include "vmm/nested.h"

#define PDPTE_RESERVED 0x1e6ull	   /* and everything from MAXPHYADDR up */
#define PAE_ROOT       0xffffffe0u /* CR3 under PAE paging */

/* The guest's paging mode as numbers (SDM volume 3, 4.1.1). */
struct walk {
	u8 levels;
	u8 index_bits;
	u8 entry_bytes;
	bool large[5]; /* may PS be set at this level? */
	u64 root;
};

static struct walk walk_of(const struct guest_state *s)
{
	if (s->efer & EFER_LMA)
		return (struct walk){s->cr4 & CR4_LA57 ? 5 : 4,
				     9,
				     8,
				     {false, true, true, false, false},
				     s->cr3 & PTE_ADDR};
	if (s->cr4 & CR4_PAE)
		return (struct walk){3, 9, 8, {false, true, false}, s->cr3 & ~0x1full};
	return (struct walk){2, 10, 4, {false, s->cr4 & CR4_PSE}, s->cr3 & PTE_ADDR};
}

static int read_entry(u64 pa, u8 bytes, u64 *entry)
{
	const void *p = host_map_any(pa, bytes);

	if (!p)
		return -EFAULT;
	*entry = 0;
	memcpy(entry, p, bytes);
	return *entry & PTE_P ? 0 : -EFAULT;
}

int guest_translate(const struct guest_state *state, gva_t gva, gpa_t *gpa)
{
	struct walk w = walk_of(state);
	u64 table = w.root;

	if (!(state->cr0 & CR0_PG)) {
		*gpa = (u32)gva;
		return 0;
	}
	for (int level = w.levels - 1; level >= 0; level--) {
		u32 shift = PAGE_SHIFT + (u32)level * w.index_bits;
		u64 index = gva >> shift & (BIT64(w.index_bits) - 1);
		u64 offset = gva & (BIT64(shift) - 1);
		u64 entry;
		int err = read_entry(table + index * w.entry_bytes, w.entry_bytes, &entry);

		if (err)
			return err;
		if (level == 0 || (w.large[level] && entry & PTE_PS)) {
			*gpa = align_down(entry & PTE_ADDR, BIT64(shift)) | offset;
			return 0;
		}
		table = entry & PTE_ADDR;
	}
	return -EFAULT;
}

/*
 * One page's worth of a copy at most; NULL where there is nothing, or where what the guest writes is
 * looked at first (a trapped local APIC).
 */
static void *map_part(const struct guest_state *state, gva_t gva, size_t left, bool write, size_t *part)
{
	gpa_t gpa;

	*part = min_u64(PAGE_SIZE - (gva & (PAGE_SIZE - 1)), left);
	if (guest_translate(state, gva, &gpa) || (write && nested_is_protected(gpa)))
		return NULL;
	return host_map_any(gpa, *part);
}

size_t guest_read(const struct guest_state *state, gva_t gva, void *buf, size_t len)
{
	size_t done, part;

	for (done = 0; done < len; done += part) {
		const void *p = map_part(state, gva + done, len - done, false, &part);

		if (!p)
			break;
		memcpy((u8 *)buf + done, p, part);
	}
	return done;
}

size_t guest_write(const struct guest_state *state, gva_t gva, const void *buf, size_t len)
{
	size_t done, part;

	for (done = 0; done < len; done += part) {
		void *p = map_part(state, gva + done, len - done, true, &part);

		if (!p)
			break;
		memcpy(p, (const u8 *)buf + done, part);
	}
	return done;
}

bool guest_read_pdptes(u64 cr3, u64 pdptes[GUEST_PDPTES])
{
	struct guest_state physical = {.cr0 = 0}; /* without paging an address is physical */
	u64 reserved = PDPTE_RESERVED | ~(BIT64(cpu_phys_bits()) - 1);
	size_t size = GUEST_PDPTES * sizeof(*pdptes);

	if (guest_read(&physical, cr3 & PAE_ROOT, pdptes, size) != size)
		return false;
	for (int i = 0; i < GUEST_PDPTES; i++)
		if (pdptes[i] & PTE_P && pdptes[i] & reserved)
			return false;
	return true;
}
