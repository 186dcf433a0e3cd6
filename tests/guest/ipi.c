/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts between CPUs, by every way of naming the target: each comes once, to it alone. */
#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/smp.h"
#include "lib/trap.h"

const char payload_name[] = "ipi";

#define NR_CPUS_WANTED 4
#define ROUNDS 10
#define ANY_ONE 0
#define COST_ROUNDS 100
#define CROWD_ROUNDS 50
#define LDR_SHIFT 24
#define CLUSTER_SHIFT 4
#define CLUSTER_SIZE 2 /* of the 4 bits that xAPIC mode has */
#define REASONS 17 /* as many as Keel has; a higher one gives their sum */

/* By receiver and sender: the vector tells which. NMIs are counted for sender 0. */
static volatile u32 counts[MAX_CPUS][MAX_CPUS];
static u32 logical[MAX_CPUS];

enum addressing { FLAT, CLUSTER };

static void on_irq(struct frame *f)
{
	counts[cpu_index()][f->vector - VEC_IRQ]++;
	apic_eoi();
}

static void on_nmi(struct frame *f)
{
	(void)f;
	counts[cpu_index()][0]++;
}

static void set_logical(void *arg)
{
	u32 me = cpu_index(), id = BIT(me);

	if (!apic_is_x2()) {
		if (*(enum addressing *)arg == CLUSTER)
			id = (me / CLUSTER_SIZE) << CLUSTER_SHIFT | BIT(me % CLUSTER_SIZE);
		apic_write(APIC_DFR,
			   *(enum addressing *)arg == CLUSTER ? APIC_DFR_CLUSTER : APIC_DFR_FLAT);
		apic_write(APIC_LDR, id << LDR_SHIFT);
	}
	logical[me] = apic_read(APIC_LDR) >> (apic_is_x2() ? 0 : LDR_SHIFT);
}

static void address_by(enum addressing how)
{
	set_logical(&how);
	smp_run_all(set_logical, &how);
}

/* What one CPU is to send; a job. */
struct order {
	u32 destination, command, rounds;
	u32 targets;	 /* mask of the CPUs that must get each; ANY_ONE: one of them all */
	u32 column;	 /* of counts */
	bool ok;
};

static u32 total(u32 column)
{
	u32 n = 0;

	for (u32 i = 0; i < nr_cpus; i++)
		n += counts[i][column];
	return n;
}

static bool total_reaches(u32 column, u32 want)
{
	for (u32 i = 0; i < 1000; i++) {
		for (u32 n = 0; n < 100000; n++) {
			if (total(column) >= want)
				return true;
			cpu_pause();
		}
	}
	return false;
}

static void send(void *arg)
{
	struct order *o = arg;

	o->ok = true;
	irq_on();
	for (u32 n = 1; n <= o->rounds && o->ok; n++) {
		apic_send(o->destination, o->command);
		if (o->targets == ANY_ONE)
			o->ok = total_reaches(o->column, n);
		for (u32 i = 0; i < nr_cpus && o->ok; i++)
			if (o->targets & BIT(i))
				o->ok = smp_reaches(&counts[i][o->column], n);
	}
	if (cpu_index())
		irq_off();
}

static void run_on(u32 cpu, smp_job job, void *arg)
{
	if (cpu)
		smp_run(cpu, job, arg);
	else
		job(arg);
}

static void forget(void)
{
	for (u32 i = 0; i < MAX_CPUS; i++)
		for (u32 n = 0; n < MAX_CPUS; n++)
			counts[i][n] = 0;
}

/* Sends from a CPU; every target must get it, nobody else. */
static bool sent_well(u32 from, u32 destination, u32 command, u32 targets)
{
	struct order o = { destination, command | ICR_ASSERT, ROUNDS, targets, 0, false };
	bool ok;

	forget();
	run_on(from, send, &o);
	ok = o.ok;
	for (u32 i = 0; i < nr_cpus && targets != ANY_ONE; i++)
		ok &= counts[i][0] == (targets & BIT(i) ? ROUNDS : 0);
	if (targets == ANY_ONE)
		ok &= total(0) == ROUNDS;
	if (!ok)
		printf("INFO from %u to %x by %x: got %u %u %u %u\n", from, destination, command,
		       counts[0][0], counts[1][0], counts[2][0], counts[3][0]);
	return ok;
}

static u32 all_cpus(void)
{
	return BIT(nr_cpus) - 1;
}

/* By a shorthand the target depends on who sends. */
static bool shorthand_well(u32 from, u32 shorthand, u32 command)
{
	u32 targets = shorthand == ICR_SELF ? BIT(from) :
		      shorthand == ICR_ALL  ? all_cpus() :
					      all_cpus() & ~BIT(from);

	return sent_well(from, 0, command | shorthand, targets);
}

static void check_pairs(const char *name, bool by_logical, u32 command)
{
	bool ok = true;

	for (u32 from = 0; from < nr_cpus && ok; from++)
		for (u32 to = 0; to < nr_cpus && ok; to++)
			ok = sent_well(from, by_logical ? logical[to] : cpus[to].apic_id,
				       command | (by_logical ? ICR_LOGICAL : 0), BIT(to));
	check(ok, "%s: all ordered pairs", name);
}

static void check_everyone(const char *name, u32 command)
{
	static const struct {
		const char *name;
		u32 bits;
	} shorthands[] = { { "self", ICR_SELF }, { "all", ICR_ALL }, { "others", ICR_OTHERS } };
	bool ok = true;

	for (u32 i = 0; i < ARRAY_SIZE(shorthands); i++) {
		/* Intel allows a self-interrupt to be a fixed one only. */
		if (command & ICR_NMI && shorthands[i].bits != ICR_OTHERS)
			continue;
		ok = true;
		for (u32 from = 0; from < nr_cpus && ok; from++)
			ok = shorthand_well(from, shorthands[i].bits, command);
		check(ok, "%s by shorthand: %s", name, shorthands[i].name);
	}
	if (command & ICR_NMI)
		return;
	for (u32 from = 0, all = 1; from < nr_cpus && all; from++)
		all = ok = sent_well(from, APIC_EVERYONE, command, all_cpus());
	check(ok, "%s to the physical destination of all", name);
}

/* Several at once by one logical destination, and one of them by lowest priority. */
static void check_groups(const char *name, u32 last)
{
	u32 mask = 0, members = BIT(last + 1) - 1;
	bool all = true, one = true;

	for (u32 i = 0; i <= last; i++)
		mask |= logical[i];
	for (u32 from = 0; from < nr_cpus && all && one; from++) {
		all = sent_well(from, mask, ICR_LOGICAL | VEC_IRQ, members);
		one = sent_well(from, mask, ICR_LOGICAL | ICR_LOWEST | VEC_IRQ, ANY_ONE);
	}
	check(all, "%s: a group", name);
	check(one, "%s: lowest priority takes one of a group", name);
}

static void send_to_all(void *arg)
{
	u32 me = cpu_index();
	bool *ok = (bool *)arg + me;

	*ok = true;
	irq_on();
	for (u32 n = 1; n <= CROWD_ROUNDS && *ok; n++) {
		for (u32 to = 0; to < nr_cpus; to++)
			apic_send(cpus[to].apic_id, ICR_ASSERT | (VEC_IRQ + me));
		for (u32 to = 0; to < nr_cpus && *ok; to++)
			*ok = smp_reaches(&counts[to][me], n);
	}
	if (me)
		irq_off();
}

static void check_crowd(void)
{
	static bool ok[MAX_CPUS];

	forget();
	for (u32 i = 1; i < nr_cpus; i++)
		smp_give(i, send_to_all, ok);
	send_to_all(ok);
	for (u32 i = 1; i < nr_cpus; i++)
		smp_wait(i);
	for (u32 i = 0; i < nr_cpus; i++) {
		check(ok[i], "CPU %u sends to all while all do", i);
		for (u32 from = 0; from < nr_cpus; from++)
			check_eq(counts[i][from], CROWD_ROUNDS, "CPU %u gets each of CPU %u's", i,
				 from);
	}
}

/* Exits that sending costs; a job. */
struct cost {
	struct order order;
	u64 exits;
};

static void send_and_count(void *arg)
{
	struct cost *c = arg;
	u32 me = cpus[cpu_index()].keel_index;
	u64 before = keel_exits_on(me, KEEL_EXITS_ALL);

	send(&c->order);
	c->exits = keel_exits_on(me, KEEL_EXITS_ALL) - before - 1; /* the second question */
}

static void show_reasons(const char *who, u32 cpu, const u64 *before)
{
	printf("INFO exits of the %s by reason:", who);
	for (u32 i = 0; i < REASONS; i++) {
		u32 n = keel_exits_on(cpus[cpu].keel_index, i) - before[i];

		if (n)
			printf(" %u:%u", i, n);
	}
	printf("\n");
}

static void read_reasons(u32 cpu, u64 *out)
{
	for (u32 i = 0; i < REASONS; i++)
		out[i] = keel_exits_on(cpus[cpu].keel_index, i);
}

/* Under the safe policy each write that Keel must see is one exit, otherwise there are none. */
static void check_cost(u32 from, u32 to)
{
	struct cost c = { { cpus[to].apic_id, ICR_ASSERT | VEC_IRQ, COST_ROUNDS, BIT(to), 0, false }, 0 };
	u64 received, from_reasons[REASONS], to_reasons[REASONS];
	bool trapped = keel_policy() == KEEL_START_SAFE;
	u32 each_send = !trapped ? 0 : apic_is_x2() ? 1 : 2, each_eoi = trapped && !apic_is_x2();

	forget();
	read_reasons(from, from_reasons);
	read_reasons(to, to_reasons);
	received = keel_exits_on(cpus[to].keel_index, KEEL_EXITS_ALL);
	run_on(from, send_and_count, &c);
	received = keel_exits_on(cpus[to].keel_index, KEEL_EXITS_ALL) - received;
	check(c.order.ok, "interrupts from %u to %u come while exits are counted", from, to);
	check_eq(c.exits, each_send * COST_ROUNDS, "exits of sending %u from %u to %u", COST_ROUNDS,
		 from, to);
	check_eq(received, each_eoi * COST_ROUNDS, "exits of receiving %u from %u to %u",
		 COST_ROUNDS, from, to);
	show_reasons("sender", from, from_reasons);
	show_reasons("receiver", to, to_reasons);
}

/* A write of the x2APIC's own register for it is never trapped. */
static void check_self(void)
{
	u64 before;

	forget();
	before = under_keel ? keel_exits(KEEL_EXITS_ALL) : 0;
	for (u32 n = 1; n <= ROUNDS; n++) {
		apic_write(APIC_SELF_IPI, VEC_IRQ);
		smp_reaches(&counts[0][0], n);
	}
	if (under_keel)
		check_eq(keel_exits(KEEL_EXITS_ALL) - before, 1, "exits of self-interrupts");
	check_eq(counts[0][0], ROUNDS, "interrupts by the self-interrupt register");
}

void payload(void)
{
	trap_hook_set(VEC_NMI, on_nmi);
	for (u32 i = 0; i < MAX_CPUS; i++)
		trap_hook_set(VEC_IRQ + i, on_irq);
	if (!smp_start_all(NR_CPUS_WANTED))
		return;
	irq_on();
	check_pairs("fixed, physical", false, VEC_IRQ);
	check_pairs("NMI, physical", false, ICR_NMI);
	check_everyone("fixed", VEC_IRQ);
	check_everyone("NMI", ICR_NMI);
	if (!apic_is_x2()) {
		address_by(FLAT);
		check_pairs("fixed, logical flat", true, VEC_IRQ);
		check_pairs("NMI, logical flat", true, ICR_NMI);
		check_groups("logical flat", nr_cpus - 1);
	}
	address_by(CLUSTER);
	check_pairs("fixed, logical cluster", true, VEC_IRQ);
	check_pairs("NMI, logical cluster", true, ICR_NMI);
	check_groups("logical cluster", apic_is_x2() ? nr_cpus - 1 : CLUSTER_SIZE - 1);
	check_crowd();
	if (apic_is_x2())
		check_self();
	if (!under_keel)
		return;
	check_cost(1, 2);
	check_cost(3, 1);
}
