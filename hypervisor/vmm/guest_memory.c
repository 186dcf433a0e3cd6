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
#include "vmm/nested.h"

#define PDPTE_RESERVED 0x1e6ull	   /* and everything from MAXPHYADDR up */
#define PAE_ROOT       0xffffffe0u /* CR3 under PAE paging */

#define LEVELS_MAX 5

/* The guest's paging mode as numbers (SDM volume 3, 4.1.1). */
struct walk {
	u8 levels;
	u8 index_bits;
	u8 entry_bytes;
	bool large[LEVELS_MAX]; /* may PS be set at this level? */
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

/* Where the entry for @gva is in the @table of a level. */
static u64 entry_address(const struct walk *w, int level, u64 table, gva_t gva)
{
	u32 shift = PAGE_SHIFT + (u32)level * w->index_bits;

	return table + (gva >> shift & (BIT64(w->index_bits) - 1)) * w->entry_bytes;
}

/* Where a level's present @entry leads: true and @gva's address at the walk's end, else the next table's. */
static bool follow(const struct walk *w, int level, u64 entry, gva_t gva, u64 *to)
{
	u64 size = BIT64(PAGE_SHIFT + (u32)level * w->index_bits);

	*to = entry & PTE_ADDR;
	if (level && !(w->large[level] && entry & PTE_PS))
		return false;
	*to = align_down(*to, size) | (gva & (size - 1));
	return true;
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
		u64 entry;
		int err = read_entry(entry_address(&w, level, table, gva), w.entry_bytes, &entry);

		if (err)
			return err;
		if (follow(&w, level, entry, gva, &table)) {
			*gpa = table;
			return 0;
		}
	}
	return -EFAULT;
}

/*
 * The last walk to an instruction on a CPU, and what it found in the guest's tables: it holds as long as they
 * still say so.
 */
struct code_walk {
	u64 cr3, cr4, efer;
	gva_t end; /* the page's last byte; 0: nothing is kept */
	const u8 *code;
	u32 levels;
	const u64 *entry[LEVELS_MAX];
	u64 value[LEVELS_MAX];
} __attribute__((aligned(64))); /* no cache line has two writers */

static struct code_walk code_walks[CONFIG_NR_CPUS];

static gva_t end_of_page(gva_t gva)
{
	return gva | (PAGE_SIZE - 1);
}

static bool holds(const struct code_walk *w, const struct guest_state *s, gva_t gva)
{
	if (w->end != end_of_page(gva) || w->cr3 != s->cr3 || w->cr4 != s->cr4 || w->efer != s->efer)
		return false;
	for (u32 i = 0; i < w->levels; i++) {
		if (*w->entry[i] != w->value[i])
			return false;
	}
	return true;
}

/*
 * The walk that guest_translate() makes, to the beginning of a page; where it ends early it is not kept, and gives
 * NULL. An entry of 4 bytes is kept with its neighbour: one size for all modes.
 */
static const u8 *walk_to_code(struct code_walk *code, const struct guest_state *s, gva_t page)
{
	struct walk w = walk_of(s);
	u64 table = w.root;

	memset(code, 0, sizeof(*code));
	code->cr3 = s->cr3;
	code->cr4 = s->cr4;
	code->efer = s->efer;
	for (int level = w.levels - 1; level >= 0; level--) {
		u64 at = entry_address(&w, level, table, page);
		/* Not by a window, which moves. */
		const u64 *pair = host_map_foreign(align_down(at, sizeof(u64)), sizeof(u64));
		u64 entry;

		if (!pair)
			return NULL;
		/* Once: another CPU may change it. */
		entry = *(const volatile u64 *)pair;
		code->entry[code->levels] = pair;
		code->value[code->levels++] = entry;
		if (w.entry_bytes == sizeof(u32))
			entry = (u32)(at % sizeof(u64) ? entry >> 32 : entry);
		if (!(entry & PTE_P))
			return NULL;
		if (follow(&w, level, entry, page, &table)) {
			code->code = host_map_foreign(table, PAGE_SIZE);
			code->end = code->code ? end_of_page(page) : 0;
			return code->code;
		}
	}
	return NULL;
}

/* Not inline, as it is seldom: its registers would be saved each time. */
__attribute__((noinline)) static const u8 *new_walk(struct code_walk *code,
						    const struct guest_state *s, gva_t gva)
{
	u64 offset = gva & (PAGE_SIZE - 1);
	const u8 *page = walk_to_code(code, s, gva - offset);

	return page ? page + offset : NULL;
}

const u8 *guest_code(struct percpu *cpu, const struct guest_state *state, gva_t gva)
{
	struct code_walk *w = &code_walks[cpu->index];
	u64 offset = gva & (PAGE_SIZE - 1);

	if (!(state->cr0 & CR0_PG) || offset > PAGE_SIZE - CODE_BYTES)
		return NULL;
	if (holds(w, state, gva))
		return w->code + offset;
	return new_walk(w, state, gva);
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
