/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/guest_memory.h"

#include <keel/bits.h>
#include <keel/errno.h>

#include "cpu/regs.h"
#include "lib/string.h"
#include "mm/host_map.h"
#include "mode/pte.h"

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

size_t guest_read(const struct guest_state *state, gva_t gva, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		size_t in_page = PAGE_SIZE - ((gva + done) & (PAGE_SIZE - 1));
		size_t part = min_u64(in_page, len - done);
		const void *p;
		gpa_t gpa;

		if (guest_translate(state, gva + done, &gpa))
			break;
		p = host_map_any(gpa, part);
		if (!p)
			break;
		memcpy((u8 *)buf + done, p, part);
		done += part;
	}
	return done;
}
