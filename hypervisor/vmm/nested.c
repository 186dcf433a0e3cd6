/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/nested.h"

#include <generated/autoconf.h>
#include <keel/atomic.h>
#include <keel/bits.h>
#include <keel/console.h>
#include <keel/errno.h>
#include <keel/panic.h>
#include <keel/spinlock.h>

#include "cpu/cpuid.h"
#include "cpu/mtrr_read.h"
#include "lib/pagetable.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/frame_table.h"
#include "vmm/kick.h"

#define LOW_END	    GIB(4)
/* What one on-demand mapping covers: at most one table where 1 GiB pages are missing. */
#define DEMAND_SIZE GIB(1)

struct protected_page {
	gpa_t gpa;
	u32 users; /* 0: this slot is free */
};

/* Pages of Keel's that the guest sees: in the hidden memory, or in place of the firmware's. */
struct shown {
	gpa_t gpa;
	hpa_t hpa;
	u64 bytes;
	bool write;
};

#define SHOWN_MAX 2

static struct spinlock lock;
static struct pt table;
/* Each CPU protects its new page before it gives up the old one. */
static struct protected_page protected_pages[2 * CONFIG_NR_CPUS];
static struct shown shown[SHOWN_MAX];
static u32 shown_count;
static const struct range_list *guest_ram;
static struct mtrr_state types;
static hpa_t junk;
/* The hidden memory is backed by junk up to here; start = not at all. */
static gpa_t junk_end;
/* Set when the guest's memory types are too scattered for the pool: everything is UC then. */
static bool all_uncached;

static void take_lock(struct percpu *cpu)
{
	while (!spin_trylock(&lock))
		kick_poll(cpu);
}

/* The type of memory at @gpa that its entry is to carry; *@until (may be NULL) as mtrr_type(). */
static enum mem_type type_at(gpa_t gpa, u64 *until)
{
	if (all_uncached)
		return MEM_UC;
	return backend->nested_has_types ? mtrr_type(&types, gpa, until) : MEM_WB;
}

/* Maps [start, end) to itself, each part with the memory type its MTRRs give. */
static int map_identity(u64 start, u64 end)
{
	u64 until = end;
	int err = 0;

	while (start < end && !err) {
		enum mem_type type = type_at(start, &until);

		until = min_u64(max_u64(until, start + PAGE_SIZE), end);
		err = pt_map(&table, start, start, until - start, backend->nested_attrs(type));
		start = until;
		until = end;
	}
	return err;
}

/* As map_identity(), leaving out Keel's own memory. */
static int map_around_keel(u64 start, u64 end)
{
	int err;

	if (end <= keel_region.start || keel_region.end <= start)
		return map_identity(start, end);
	err = map_identity(start, max_u64(start, keel_region.start));
	return err ? err : map_identity(min_u64(end, keel_region.end), end);
}

bool nested_is_shown(gpa_t gpa)
{
	for (u32 i = 0; i < shown_count; i++) {
		if (!shown[i].write && gpa - shown[i].gpa < shown[i].bytes)
			return true;
	}
	return false;
}

static int map_shown(void)
{
	u64 attrs = backend->nested_attrs(MEM_WB);
	int err = 0;

	for (u32 i = 0; i < shown_count && !err; i++)
		err = pt_map(&table, shown[i].gpa, shown[i].hpa, shown[i].bytes,
			     shown[i].write ? attrs : attrs & ~backend->nested_write);
	return err;
}

/* Of Keel's own memory: what the guest may see, and junk where it has touched the rest. */
static int map_hidden(void)
{
	u64 attrs = backend->nested_attrs(MEM_WB);
	int err = 0;

	for (u64 gpa = keel_region.start; gpa < junk_end && !err; gpa += PAGE_SIZE) {
		if (!nested_is_shown(gpa))
			err = pt_map(&table, gpa, junk, PAGE_SIZE, attrs);
	}
	return err ? err : map_shown();
}

static u64 page_attrs(gpa_t gpa)
{
	return backend->nested_attrs(type_at(gpa, NULL));
}

static int map_protected_pages(void)
{
	int err = 0;

	for (u32 i = 0; i < ARRAY_SIZE(protected_pages) && !err; i++) {
		const struct protected_page *p = &protected_pages[i];

		if (p->users)
			err = pt_map(&table, p->gpa, p->gpa, PAGE_SIZE,
				     page_attrs(p->gpa) & ~backend->nested_write);
	}
	return err;
}

u8 nested_address_bits(void)
{
	const struct pt_format *format = backend->nested_format;
	const struct pt_level *root = &format->level[format->levels - 1];

	return root->shift + root->index_bits;
}

u64 nested_limit(void)
{
	return BIT64(min_u64(types.phys_bits, nested_address_bits()));
}

/* Everything that the guest can be sure to need. */
static int map_all(void)
{
	int err = map_around_keel(0, LOW_END);

	for (u32 i = 0; i < guest_ram->count && !err; i++) {
		const struct range *r = &guest_ram->at[i];
		u64 start = max_u64(align_down(r->start, PAGE_SIZE), LOW_END);
		u64 end = align_up(r->end, PAGE_SIZE);

		if (r->type == RANGE_USABLE && start < end)
			err = map_identity(start, end);
	}
	if (!err)
		err = map_hidden();
	return err ? err : map_protected_pages();
}

int nested_init(const struct range_list *ram)
{
	void *junk_page = frame_alloc();

	table = frame_table(backend->nested_format);
	if (!table.root || !junk_page)
		return -ENOMEM;
	junk = (hpa_t)(unsigned long)junk_page;
	guest_ram = ram;
	junk_end = keel_region.start;
	mtrr_read(&types);
	return map_all();
}

int nested_show(gpa_t gpa, hpa_t hpa, u64 bytes, bool write)
{
	shown[shown_count++] = (struct shown){gpa, hpa, bytes, write};
	return map_shown();
}

hpa_t nested_root(void)
{
	return (hpa_t)(unsigned long)table.root;
}

/* Begins again with what the guest can be sure to need. The pool that was enough once is enough. */
static int rebuild(void)
{
	int err = pt_unmap(&table, 0, nested_limit());

	return err ? err : map_all();
}

/* As rebuild(), with the other CPUs in Keel; they flush when they go on. */
static int rebuild_alone(struct percpu *cpu)
{
	int err = -EBUSY;

	if (kick_stop_others(cpu, NULL))
		err = rebuild();
	backend->flush(cpu);
	kick_resume_others();
	return err;
}

/*
 * Maps the part of [start, end) around @gpa that is not mapped: a table that is there is never
 * replaced, so that no TLB holds anything that becomes wrong.
 */
static int map_hole(gpa_t gpa, u64 start, u64 end)
{
	struct pt_leaf leaf;
	u64 hole;

	if (pt_lookup(&table, gpa, &leaf))
		return 0;
	hole = align_down(gpa, leaf.size);
	return map_identity(max_u64(start, hole), min_u64(end, hole + leaf.size));
}

static int map_demanded(struct percpu *cpu, gpa_t gpa)
{
	u64 start = align_down(gpa, DEMAND_SIZE);
	u64 end = min_u64(start + DEMAND_SIZE, nested_limit());
	int err = map_hole(gpa, start, end);

	if (!err)
		return 0;
	/* The pool may be used up by earlier demands: forget them all and try once more. */
	err = rebuild_alone(cpu);
	return err ? err : map_hole(gpa, start, end);
}

bool nested_map_on_demand(struct percpu *cpu, gpa_t gpa)
{
	struct pt_leaf leaf;
	int err;

	if (gpa >= nested_limit())
		return false;
	take_lock(cpu);
	if (gpa < LOW_END) {
		err = pt_lookup(&table, gpa, &leaf) ? 0 : -ENOENT;
	} else {
		log_debug("mapping 0x%llx on demand, %u frames left", (unsigned long long)gpa,
			  frame_left());
		err = map_demanded(cpu, gpa);
	}
	spin_unlock(&lock);
	/* What is mapped was missed by a TLB that is out of date. */
	backend->flush(cpu);
	return !err;
}

static struct protected_page *find_protected(gpa_t gpa)
{
	for (u32 i = 0; i < ARRAY_SIZE(protected_pages); i++) {
		if (protected_pages[i].users && protected_pages[i].gpa == gpa)
			return &protected_pages[i];
	}
	return NULL;
}

static struct protected_page *free_slot(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(protected_pages); i++) {
		if (!protected_pages[i].users)
			return &protected_pages[i];
	}
	panic("more protected pages than CPUs");
}

void nested_protect(struct percpu *cpu, gpa_t gpa)
{
	struct protected_page *p;

	take_lock(cpu);
	p = find_protected(gpa);
	if (!p) {
		p = free_slot();
		p->gpa = gpa;
	}
	/* After gpa: nested_is_protected() looks without the lock. */
	atomic_store(&p->users, p->users + 1);
	if (map_protected_pages() && (rebuild_alone(cpu) || map_protected_pages()))
		panic("no page left to trap the local APIC at 0x%llx", (unsigned long long)gpa);
	spin_unlock(&lock);
	backend->flush(cpu);
}

void nested_unprotect(struct percpu *cpu, gpa_t gpa)
{
	struct protected_page *p;

	take_lock(cpu);
	p = find_protected(gpa);
	if (p && !--p->users && pt_map(&table, gpa, gpa, PAGE_SIZE, page_attrs(gpa)))
		panic("no page left to map the local APIC's old place");
	spin_unlock(&lock);
	backend->flush(cpu);
}

bool nested_is_protected(gpa_t gpa)
{
	return find_protected(align_down(gpa, PAGE_SIZE));
}

void nested_map_junk(struct percpu *cpu, gpa_t end)
{
	take_lock(cpu);
	junk_end = max_u64(junk_end, end);
	if (map_hidden())
		panic("no page left to map over Keel's hidden memory");
	spin_unlock(&lock);
	backend->flush(cpu);
}

static void take_new_types(const struct mtrr_state *now)
{
	types = *now;
	all_uncached = false;
	if (!rebuild())
		return;
	log_error("the guest's MTRRs are too scattered to follow: all its memory is uncached");
	all_uncached = true;
	if (rebuild())
		panic("no page left for the nested page table");
}

void nested_types_changed(struct percpu *cpu)
{
	struct mtrr_state now;

	mtrr_read(&now);
	/* While E = 0 the guest is in the middle of a change (SDM volume 3, 12.11.7.2). */
	if (!(now.def_type & MTRR_DEF_TYPE_E))
		return;
	take_lock(cpu);
	/* On the other CPUs that follow, the map is this one already. */
	if (!mtrr_same_map(&types, &now)) {
		log_debug("the guest changed its memory types: mapping anew");
		if (kick_stop_others(cpu, NULL))
			take_new_types(&now);
		else
			log_error("the guest's new memory types are not followed");
		backend->flush(cpu);
		kick_resume_others();
	}
	spin_unlock(&lock);
}
