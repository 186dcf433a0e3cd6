/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/guest_memory.h"

#include <generated/autoconf.h>
#include <keel/bits.h>
#include <keel/errno.h>

#include "cpu/cpuid.h"
#include "cpu/regs.h"
#include "lib/string.h"
#include "mm/host_map.h"
#include "mode/pte.h"

#define PDPTE_RESERVED 0x1e6ull	   /* and everything from MAXPHYADDR up */
#define PAE_ROOT       0xffffffe0u /* CR3 under PAE paging */

/* 4-level paging */
#define CODE_LEVELS	4u
#define CODE_TOP_SHIFT	39
#define LONG_INDEX_BITS 9u

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
	*entry = bytes == sizeof(u64) ? *(const u64 *)p : *(const u32 *)p;
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
 * The last walk to an instruction on a CPU, and what it found in the guest's tables: it holds as long as they
 * still say so.
 */
struct code_walk {
	u64 cr3;
	gva_t page;
	const u8 *code;
	u32 levels;
	const u64 *entry[CODE_LEVELS];
	u64 value[CODE_LEVELS];
};

static struct code_walk code_walks[CONFIG_NR_CPUS];

static bool holds(const struct code_walk *w, const struct guest_state *s, gva_t page)
{
	if (w->page != page || w->cr3 != s->cr3 || !w->code)
		return false;
	for (u32 i = 0; i < w->levels; i++) {
		if (*w->entry[i] != w->value[i])
			return false;
	}
	return true;
}

/*
 * The walk that guest_translate() makes under 4-level paging; w->code stays NULL where it ends early. Not inline,
 * as it is seldom: its registers would be saved each time.
 */
__attribute__((noinline)) static void walk_to_code(struct code_walk *w, const struct guest_state *s, gva_t page)
{
	u64 table = s->cr3 & PTE_ADDR;

	memset(w, 0, sizeof(*w));
	w->cr3 = s->cr3;
	w->page = page;
	for (u32 shift = CODE_TOP_SHIFT;; shift -= LONG_INDEX_BITS) {
		u64 index = page >> shift & (BIT64(LONG_INDEX_BITS) - 1);
		/* Not by a window, which moves. */
		const u64 *entry = host_map_foreign(table + index * sizeof(u64), sizeof(u64));

		if (!entry)
			return;
		w->entry[w->levels] = entry;
		w->value[w->levels] = table = *entry;
		w->levels++;
		if (!(table & PTE_P))
			return;
		table &= PTE_ADDR;
		if (shift == PAGE_SHIFT || w->value[w->levels - 1] & PTE_PS) {
			table = align_down(table, BIT64(shift)) | (page & (BIT64(shift) - 1));
			w->code = host_map_foreign(table, PAGE_SIZE);
			return;
		}
	}
}

const u8 *guest_code(struct percpu *cpu, const struct guest_state *state, gva_t gva)
{
	struct code_walk *w = &code_walks[cpu->index];
	u64 offset = gva & (PAGE_SIZE - 1);

	if (!(state->cr0 & CR0_PG) || !(state->efer & EFER_LMA) || state->cr4 & CR4_LA57 ||
	    offset > PAGE_SIZE - CODE_BYTES)
		return NULL;
	if (!holds(w, state, gva - offset))
		walk_to_code(w, state, gva - offset);
	return w->code ? w->code + offset : NULL;
}

/* One page's worth of a copy at most; NULL where there is nothing. */
static void *map_part(const struct guest_state *state, gva_t gva, size_t left, size_t *part)
{
	gpa_t gpa;

	*part = min_u64(PAGE_SIZE - (gva & (PAGE_SIZE - 1)), left);
	return guest_translate(state, gva, &gpa) ? NULL : host_map_any(gpa, *part);
}

size_t guest_read(const struct guest_state *state, gva_t gva, void *buf, size_t len)
{
	size_t done, part;

	for (done = 0; done < len; done += part) {
		const void *p = map_part(state, gva + done, len - done, &part);

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
		void *p = map_part(state, gva + done, len - done, &part);

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
