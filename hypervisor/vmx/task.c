/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware task switches, each of which exits (SDM 26.4.2): Keel does what the processor would (SDM
 * volume 3, 8.3), between 32-bit TSSs. The processor has checked gate and privilege before the exit.
 */
#include <keel/console.h>

#include "cpu/regs.h"
#include "vmm/exit.h"
#include "vmm/guest_memory.h"
#include "vmx/event.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"

/* Exit qualification (28.2.1, table 28-2). */
#define TASK_SELECTOR(q)     ((u16)(q))
#define TASK_SOURCE(q)	     ((u32)(q) >> 30)

/* Selectors and descriptors (SDM volume 3, 3.4). */
#define SELECTOR_RPL	     3u
#define SELECTOR_TI	     4u
#define SELECTOR_INDEX	     0xfff8u
#define DESCRIPTOR_G	     BIT64(55)
#define DESCRIPTOR_RIGHTS(d) ((u32)((d) >> 40) & 0xf0ff)
#define RIGHTS_BYTE	     5 /* of a descriptor: type, S, DPL, P */
#define RIGHTS_TYPE	     0xfu
#define RIGHTS_S	     BIT(4)
#define RIGHTS_DPL(r)	     ((r) >> ACCESS_RIGHTS_DPL_SHIFT & 3)
#define RIGHTS_P	     BIT(7)
/* In virtual-8086 mode (27.3.1.2): data, writable, accessed, DPL 3. */
#define RIGHTS_V86	     0xf3u
#define V86_LIMIT	     0xffffu
/* Types of code and data segments; the last is for both. */
#define TYPE_CODE	     BIT(3)
#define TYPE_CONFORMING	     BIT(2)
#define TYPE_READ_OR_WRITE   BIT(1)
#define TYPE_ACCESSED	     BIT(0)
/* Of system segments. */
#define TYPE_LDT	     0x2u
#define TYPE_TSS_AVAILABLE   0x9u
#define TYPE_TSS_BUSY_BIT    0x2u

#define EFLAGS_NT	     BIT(14)
#define EFLAGS_VM	     BIT(17)
#define EFLAGS_DEFINED	     0x3f7fd5u /* VM entry wants the others 0, but for bit 1 */
#define DR6_BT		     BIT64(15)
#define DR7_LOCAL	     0x155ul /* L0 to L3, LE */
#define TSS_TRAP	     BIT(0)
#define ERROR_EXT	     BIT(0)
#define PF_WRITE	     BIT(1)

enum task_source { TASK_CALL, TASK_IRET, TASK_JMP, TASK_GATE };

struct tss_segment {
	u16 selector, reserved;
};

#define RSP_NUMBER   4
#define TSS_SEGMENTS 6 /* in the order of enum vmcs_segment */

/* SDM volume 3, figure 8-2. */
struct tss {
	u16 link, reserved;
	u32 stacks[6];
	u32 cr3;
	u32 eip; /* from here to the LDT's selector: what leaving a task saves */
	u32 eflags;
	u32 regs[8]; /* by number */
	struct tss_segment segment[TSS_SEGMENTS];
	struct tss_segment ldt;
	u16 trap, iomap;
};

#define TSS_SAVED_SIZE (offsetof(struct tss, ldt) - offsetof(struct tss, eip))

_Static_assert(sizeof(struct tss) == 104, "SDM volume 3, figure 8-2");
_Static_assert(offsetof(struct tss, ldt) == 96, "SDM volume 3, figure 8-2");

struct segment {
	u16 selector;
	u32 base, limit, rights;
};

/* One switch under way. */
struct task_switch {
	struct guest_state state; /* the old task's */
	enum task_source source;
	u32 event; /* IDT-vectoring information, 0: none */
	u16 selector;
	struct segment old, new; /* the task registers */
	gva_t new_descriptor;
	struct tss tss; /* the new task's */
	struct segment ldt, segment[TSS_SEGMENTS];
	u8 vector; /* what goes wrong; 0: nothing */
	u32 error;
};

static bool fails(struct task_switch *t, u8 vector, u32 error)
{
	t->vector = vector;
	t->error = error;
	return false;
}

static bool bad_selector(struct task_switch *t, u8 vector, u16 selector)
{
	bool external = t->event && !vmx_event_has_length(t->event);

	return fails(t, vector, (selector & ~SELECTOR_RPL) | (external ? ERROR_EXT : 0));
}

/* What the CPU does where the guest's own table does not map @gva; @error is PF_WRITE or 0. */
static bool not_mapped(struct task_switch *t, gva_t gva, u32 error)
{
	__asm__ volatile("mov %0, %%cr2" : : "r"((unsigned long)gva));
	return fails(t, VECTOR_PF, error);
}

static bool read(struct task_switch *t, gva_t gva, void *to, size_t len)
{
	return guest_read(&t->state, gva, to, len) == len || not_mapped(t, gva, 0);
}

static bool write(struct task_switch *t, gva_t gva, const void *from, size_t len)
{
	return guest_write(&t->state, gva, from, len) == len || not_mapped(t, gva, PF_WRITE);
}

static struct segment segment_of(u16 selector, u64 descriptor)
{
	u32 limit = (descriptor & 0xffff) | (descriptor >> 32 & 0xf0000);

	return (struct segment){
		.selector = selector,
		.base = (u32)(descriptor >> 16 & 0xffffff) | (u32)(descriptor >> 56) << 24,
		.limit = descriptor & DESCRIPTOR_G ? limit << PAGE_SHIFT | (PAGE_SIZE - 1) : limit,
		.rights = DESCRIPTOR_RIGHTS(descriptor),
	};
}

static struct segment current(enum vmcs_segment n)
{
	return (struct segment){
		.selector = vmcs_read(VMCS_GUEST_SELECTOR(n)),
		.base = vmcs_read(VMCS_GUEST_BASE(n)),
		.limit = vmcs_read(VMCS_GUEST_LIMIT(n)),
		.rights = vmcs_read(VMCS_GUEST_ACCESS_RIGHTS(n)),
	};
}

static void load(enum vmcs_segment n, const struct segment *s)
{
	vmcs_write(VMCS_GUEST_SELECTOR(n), s->selector);
	vmcs_write(VMCS_GUEST_BASE(n), s->base);
	vmcs_write(VMCS_GUEST_LIMIT(n), s->limit);
	vmcs_write(VMCS_GUEST_ACCESS_RIGHTS(n), s->rights);
}

/* Finds the descriptor of @selector in the GDT or the new task's LDT; @vector if it is in none. */
static bool find(struct task_switch *t, u16 selector, u8 vector, struct segment *out, gva_t *at)
{
	bool local = selector & SELECTOR_TI;
	u32 base = local ? t->ldt.base : vmcs_read(VMCS_GUEST_GDTR_BASE);
	u32 limit = local ? t->ldt.limit : vmcs_read(VMCS_GUEST_GDTR_LIMIT);
	u32 offset = selector & SELECTOR_INDEX;
	u64 descriptor;

	if ((local && t->ldt.rights & ACCESS_RIGHTS_UNUSABLE) ||
	    offset + sizeof(descriptor) - 1 > limit)
		return bad_selector(t, vector, selector);
	*at = (u32)(base + offset);
	if (!read(t, *at, &descriptor, sizeof(descriptor)))
		return false;
	*out = segment_of(selector, descriptor);
	return true;
}

/* One line, however often the guest tries. */
static bool unknown_task(struct task_switch *t)
{
	static bool said;

	if (!said)
		log_error("a switch of tasks between TSSs of type 0x%x and 0x%x: Keel does 32-bit ones "
			  "only, and answers #TS",
			  t->old.rights & RIGHTS_TYPE, t->new.rights & RIGHTS_TYPE);
	said = true;
	return bad_selector(t, VECTOR_TS, t->selector);
}

/* The task to switch to: its TSS's descriptor and content (8.3, steps 3 to 5). */
static bool find_task(struct task_switch *t)
{
	u32 type = TYPE_TSS_AVAILABLE | (t->source == TASK_IRET ? TYPE_TSS_BUSY_BIT : 0);

	if (!find(t, t->selector, VECTOR_TS, &t->new, &t->new_descriptor))
		return false;
	if ((t->new.rights & (RIGHTS_S | RIGHTS_TYPE)) != type ||
	    (t->old.rights & RIGHTS_TYPE) != SEGMENT_TYPE_BUSY_TSS)
		return unknown_task(t);
	if (!(t->new.rights & RIGHTS_P))
		return bad_selector(t, VECTOR_NP, t->selector);
	if (t->new.limit < sizeof(struct tss) - 1)
		return bad_selector(t, VECTOR_TS, t->selector);
	return read(t, t->new.base, &t->tss, sizeof(t->tss));
}

/* An instruction is done; a fault and an interrupt come back to where they struck. */
static u32 saved_eip(const struct task_switch *t)
{
	if (t->source == TASK_GATE && !vmx_event_has_length(t->event))
		return (u32)t->state.rip;
	return (u32)t->state.rip + vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);
}

/* Steps 8 and 9. */
static bool save_old(struct task_switch *t, const struct percpu *cpu)
{
	struct tss old;

	old.eip = saved_eip(t);
	old.eflags = (u32)t->state.rflags & ~(t->source == TASK_IRET ? EFLAGS_NT : 0);
	for (u32 i = 0; i < ARRAY_SIZE(old.regs); i++)
		old.regs[i] = (u32)cpu->regs.by_number[i];
	old.regs[RSP_NUMBER] = (u32)t->state.rsp;
	for (u32 i = 0; i < TSS_SEGMENTS; i++)
		old.segment[i] = (struct tss_segment){
			.selector = vmcs_read(VMCS_GUEST_SELECTOR(i)),
		};
	return write(t, t->old.base + offsetof(struct tss, eip), &old.eip, TSS_SAVED_SIZE);
}

static bool set_busy(struct task_switch *t, gva_t descriptor, u32 rights, bool busy)
{
	u8 byte = (u8)(busy ? rights | TYPE_TSS_BUSY_BIT : rights & ~TYPE_TSS_BUSY_BIT);

	return write(t, descriptor + RIGHTS_BYTE, &byte, sizeof(byte));
}

/* Steps 7, 10 and 11: which tasks are busy, and how the new one finds back. */
static bool link_tasks(struct task_switch *t)
{
	bool nests = t->source == TASK_CALL || t->source == TASK_GATE;
	gva_t old_descriptor = vmcs_read(VMCS_GUEST_GDTR_BASE) + (t->old.selector & SELECTOR_INDEX);

	if (!nests && !set_busy(t, old_descriptor, t->old.rights, false))
		return false;
	if (t->source != TASK_IRET && !set_busy(t, t->new_descriptor, t->new.rights, true))
		return false;
	t->new.rights |= TYPE_TSS_BUSY_BIT;
	if (!nests)
		return true;
	t->tss.eflags |= EFLAGS_NT;
	return write(t, t->new.base, &t->old.selector, sizeof(t->old.selector));
}

/* Step 13: the new address space. Its PDPTEs are loaded with CR3 (SDM volume 3, 4.4.1). */
static bool load_cr3(struct task_switch *t)
{
	u64 pdptes[GUEST_PDPTES];
	bool pae = t->state.cr4 & CR4_PAE;

	if (!(t->state.cr0 & CR0_PG))
		return true;
	if (pae && !guest_read_pdptes(t->tss.cr3, pdptes))
		return bad_selector(t, VECTOR_TS, t->selector);
	for (u32 i = 0; pae && i < GUEST_PDPTES; i++)
		vmcs_write64(VMCS_GUEST_PDPTE(i), pdptes[i]);
	vmcs_write(VMCS_GUEST_CR3, t->tss.cr3);
	t->state.cr3 = t->tss.cr3;
	vmx_flush_linear();
	return true;
}

static void load_registers(struct task_switch *t, struct percpu *cpu)
{
	load(SEGMENT_TR, &t->new);
	vmcs_write(VMCS_GUEST_CR0, vmcs_read(VMCS_GUEST_CR0) | CR0_TS);
	vmcs_write(VMCS_CR0_SHADOW, vmcs_read(VMCS_CR0_SHADOW) | CR0_TS);
	vmcs_write(VMCS_GUEST_DR7, vmcs_read(VMCS_GUEST_DR7) & ~DR7_LOCAL);
	vmcs_write(VMCS_GUEST_RIP, t->tss.eip);
	vmcs_write(VMCS_GUEST_RFLAGS, (t->tss.eflags & EFLAGS_DEFINED) | RFLAGS_FIXED);
	vmcs_write(VMCS_GUEST_RSP, t->tss.regs[RSP_NUMBER]);
	for (u32 i = 0; i < ARRAY_SIZE(t->tss.regs); i++)
		cpu->regs.by_number[i] = t->tss.regs[i];
}

static bool find_ldt(struct task_switch *t)
{
	u16 selector = t->tss.ldt.selector;
	struct segment ldt;
	gva_t at;

	t->ldt = (struct segment){.selector = selector, .rights = ACCESS_RIGHTS_UNUSABLE};
	if (!(selector & ~SELECTOR_RPL))
		return true;
	if (selector & SELECTOR_TI)
		return bad_selector(t, VECTOR_TS, selector);
	if (!find(t, selector, VECTOR_TS, &ldt, &at))
		return false;
	if ((ldt.rights & (RIGHTS_S | RIGHTS_TYPE | RIGHTS_P)) != (TYPE_LDT | RIGHTS_P))
		return bad_selector(t, VECTOR_TS, selector);
	t->ldt = ldt;
	return true;
}

/* May this descriptor be loaded into register @n of a task of privilege @cpl (table 8-1)? */
static bool segment_fits(const struct segment *s, enum vmcs_segment n, u32 cpl)
{
	u32 type = s->rights & RIGHTS_TYPE;
	u32 dpl = RIGHTS_DPL(s->rights);
	u32 rpl = s->selector & SELECTOR_RPL;
	bool conforming = (type & (TYPE_CODE | TYPE_CONFORMING)) == (TYPE_CODE | TYPE_CONFORMING);

	if (!(s->rights & RIGHTS_S))
		return false;
	if (n == SEGMENT_CS)
		return type & TYPE_CODE && (conforming ? dpl <= cpl : dpl == cpl);
	if (n == SEGMENT_SS)
		return (type & (TYPE_CODE | TYPE_READ_OR_WRITE)) == TYPE_READ_OR_WRITE &&
		       dpl == cpl && rpl == cpl;
	if (type & TYPE_CODE && !(type & TYPE_READ_OR_WRITE))
		return false;
	return conforming || (dpl >= cpl && dpl >= rpl);
}

static bool find_segment(struct task_switch *t, enum vmcs_segment n, u32 cpl)
{
	u16 selector = t->tss.segment[n].selector;
	struct segment *s = &t->segment[n];
	struct segment found;
	gva_t at;
	u8 byte;

	if (!(selector & ~SELECTOR_RPL))
		return (n != SEGMENT_CS && n != SEGMENT_SS) || bad_selector(t, VECTOR_TS, 0);
	if (!find(t, selector, VECTOR_TS, &found, &at))
		return false;
	if (!segment_fits(&found, n, cpl))
		return bad_selector(t, VECTOR_TS, selector);
	if (!(found.rights & RIGHTS_P))
		return bad_selector(t, n == SEGMENT_SS ? VECTOR_SS : VECTOR_NP, selector);
	found.rights |= TYPE_ACCESSED;
	byte = (u8)found.rights;
	*s = found;
	return write(t, at + RIGHTS_BYTE, &byte, sizeof(byte));
}

/* The selectors alone: all there is in virtual-8086 mode. */
static void take_selectors(struct task_switch *t)
{
	for (u32 i = 0; i < TSS_SEGMENTS; i++) {
		u16 selector = t->tss.segment[i].selector;

		if (t->tss.eflags & EFLAGS_VM)
			t->segment[i] = (struct segment){selector, (u32)selector << 4, V86_LIMIT,
							 RIGHTS_V86};
		else
			t->segment[i] = (struct segment){selector, 0, 0, ACCESS_RIGHTS_UNUSABLE};
	}
}

/* CS and SS decide the privilege: they come first. */
static bool find_segments(struct task_switch *t)
{
	static const u8 order[TSS_SEGMENTS] = {SEGMENT_CS, SEGMENT_SS, SEGMENT_DS,
					       SEGMENT_ES, SEGMENT_FS, SEGMENT_GS};
	u32 cpl = t->tss.segment[SEGMENT_CS].selector & SELECTOR_RPL;
	bool ok = true;

	for (u32 i = 0; i < TSS_SEGMENTS && ok; i++)
		ok = find_segment(t, order[i], cpl);
	return ok;
}

static void make_whole(struct segment *s, u32 flat, u32 cpl)
{
	if (s->rights & ACCESS_RIGHTS_UNUSABLE)
		*s = (struct segment){s->selector, 0, ~0u, flat | cpl << ACCESS_RIGHTS_DPL_SHIFT};
}

/*
 * Step 14. What cannot be loaded is a fault of the new task. VM entry wants CS and SS whole, and such
 * as go with the new flags: flat ones then, not the old task's, which may be of virtual-8086 mode.
 */
static void load_segments(struct task_switch *t, bool mapped)
{
	u32 cpl = t->tss.segment[SEGMENT_CS].selector & SELECTOR_RPL;

	take_selectors(t);
	t->ldt = (struct segment){t->tss.ldt.selector, 0, 0, ACCESS_RIGHTS_UNUSABLE};
	if (mapped && find_ldt(t) && !(t->tss.eflags & EFLAGS_VM))
		find_segments(t);
	make_whole(&t->segment[SEGMENT_CS], ACCESS_RIGHTS_FLAT_CODE, cpl);
	make_whole(&t->segment[SEGMENT_SS], ACCESS_RIGHTS_FLAT_DATA, cpl);
	load(SEGMENT_LDTR, &t->ldt);
	for (u32 i = 0; i < TSS_SEGMENTS; i++)
		load(i, &t->segment[i]);
}

/* An exception's error code goes on the new task's stack. */
static bool push_error_code(struct task_switch *t)
{
	const struct segment *ss = &t->segment[SEGMENT_SS];
	u32 mask = ss->rights & ACCESS_RIGHTS_DB ? ~0u : 0xffff;
	u32 esp = t->tss.regs[RSP_NUMBER];
	u32 code = vmcs_read(VMCS_IDT_VECTORING_ERROR_CODE);
	u32 new = (esp & ~mask) | ((esp - sizeof(code)) & mask);

	if (!write(t, (u32)(ss->base + (new &mask)), &code, sizeof(code)))
		return false;
	vmcs_write(VMCS_GUEST_RSP, new);
	return true;
}

/* NMIs are blocked while a task handles one, and IRET ends that. */
static void set_blocking(const struct task_switch *t)
{
	u32 blocking = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKING_BY_NMI;

	if (t->source == TASK_IRET)
		blocking = 0;
	else if (t->event && (t->event & EVENT_TYPE) == EVENT_TYPE_NMI)
		blocking = BLOCKING_BY_NMI;
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, blocking);
}

static void trap_new_task(struct percpu *cpu)
{
	unsigned long dr6;

	__asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
	__asm__ volatile("mov %0, %%dr6" : : "r"(dr6 | (unsigned long)DR6_BT));
	vmx_inject(cpu, VECTOR_DB, 0);
}

/* Up to here a fault is the old task's, from here on the new one's. */
static void enter_new(struct task_switch *t, struct percpu *cpu)
{
	load_registers(t, cpu);
	set_blocking(t);
	load_segments(t, load_cr3(t));
	if (!t->vector && t->event & EVENT_ERROR_CODE)
		push_error_code(t);
	if (t->vector)
		vmx_inject(cpu, t->vector, t->error);
	else if (t->tss.trap & TSS_TRAP)
		trap_new_task(cpu);
}

void vmx_switch_task(struct percpu *cpu, const struct exit_info *info)
{
	struct task_switch t = {
		.source = TASK_SOURCE(info->qualification),
		.selector = TASK_SELECTOR(info->qualification),
		.old = current(SEGMENT_TR),
	};

	if (t.source == TASK_GATE)
		t.event = vmcs_read(VMCS_IDT_VECTORING_INFO);
	if (!(t.event & EVENT_VALID))
		t.event = 0;
	vmx_get_state(cpu, &t.state);
	if (find_task(&t) && save_old(&t, cpu) && link_tasks(&t))
		enter_new(&t, cpu);
	else
		vmx_inject(cpu, t.vector, t.error);
}
