/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NMIs between CPUs whose targets exit all the time, and under Keel while another CPU pulls all of
 * them into Keel again and again: each NMI comes once, none is Keel's.
 */
#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/smp.h"
#include "lib/trap.h"

const char payload_name[] = "nmistorm";

#define NR_CPUS_WANTED 4
#define TARGET 1
#define SECOND 2
#define SYNCER 3
#define ROUNDS 200
#define SYNC_ROUNDS 20 /* while others are pulled in all the time, which is slow */
#define SYNCS 40
#define FLOOD 1000

static volatile u32 nmis[MAX_CPUS], depth[MAX_CPUS], nested;
static volatile bool stop, stay;
static volatile u32 staying, syncs, bad_syncs;
static u32 exit_msr;

static void on_nmi(struct frame *f)
{
	u32 me = cpu_index();

	(void)f;
	if (depth[me]++)
		nested++;
	cpuid(0, 0);
	rdmsr(exit_msr);
	while (stay) {
		staying = 1;
		cpuid(0, 0);
	}
	nmis[me]++;
	depth[me]--;
}

static void do_cpuid(void) { cpuid(0, 0); }
static void do_rdmsr(void) { rdmsr(exit_msr); }
static void do_pause(void) { cpu_pause(); }
static void do_ping(void) { keel_answers(); }

/* The shadow of STI, and of MOV SS, over an instruction that exits. */
static void do_shadows(void)
{
	u32 a = 0, c = 0, ss;

	asm volatile("sti; cpuid; cli" : "+a"(a), "+c"(c) : : "ebx", "edx");
	asm volatile("mov %%ss, %0; mov %0, %%ss; cpuid" : "=&r"(ss), "+a"(a), "+c"(c) : : "ebx", "edx");
}

static void do_hlt(void)
{
	asm volatile("hlt");
}

static const struct activity {
	const char *name;
	void (*once)(void);
} activities[] = {
	{ "CPUID", do_cpuid }, { "RDMSR", do_rdmsr },	   { "PAUSE", do_pause },
	{ "a call of Keel", do_ping }, { "shadows of STI and MOV SS", do_shadows },
};
static const struct activity halted = { "HLT", do_hlt };

static void be_active(void *arg)
{
	const struct activity *a = arg;

	while (!stop)
		a->once();
}

static void sync_once(void)
{
	struct hypercall r;

	if (!under_keel)
		return;
	if (hypercall(KEEL_HC_SYNC, 0, &r) != NO_TRAP || r.eax != nr_cpus - 1)
		bad_syncs++;
	syncs++;
}

static const struct activity syncing = { "sync", sync_once };

static void begin(u32 cpu, const struct activity *a)
{
	stop = false;
	smp_give(cpu, be_active, (void *)a);
}

static bool end(u32 cpu)
{
	stop = true;
	return smp_wait(cpu);
}

static void forget(void)
{
	for (u32 i = 0; i < MAX_CPUS; i++)
		nmis[i] = 0;
	nested = 0;
}

static void send_nmi(u32 cpu)
{
	apic_send(cpus[cpu].apic_id, ICR_NMI | ICR_ASSERT);
}

/* One after the other, each waited for. Returns how many were sent. */
static u32 send_exact(u32 cpu, u32 rounds)
{
	u32 n = 0;

	while (n < rounds) {
		send_nmi(cpu);
		if (!smp_reaches(&nmis[cpu], ++n))
			break;
	}
	return n;
}

static void check_counts(const char *what, u32 cpu, u32 sent)
{
	for (u32 i = 0; i < nr_cpus; i++)
		check_eq(nmis[i], i == cpu ? sent : 0, "NMIs of CPU %u, target in %s", i, what);
	check_eq(nested, 0, "NMIs within an NMI handler, target in %s", what);
}

/* Perhaps the third CPU pulls the others into Keel meanwhile. */
static void check_exact(const struct activity *a, bool pull)
{
	u32 sent, rounds = pull ? SYNC_ROUNDS : ROUNDS;

	forget();
	begin(TARGET, a);
	if (pull)
		begin(SYNCER, &syncing);
	sent = send_exact(TARGET, rounds);
	smp_settle();
	stop = true;
	check_eq(sent, rounds, "NMIs sent to a target in %s", a->name);
	if (a == &halted) {
		send_nmi(TARGET);
		sent++;
	}
	check(smp_wait(TARGET), "CPU %u comes back from %s", TARGET, a->name);
	check(smp_wait(SYNCER), "CPU %u comes back from pulling others in", SYNCER);
	/* A kick may have ended the HLT before, and that last NMI is still on its way. */
	smp_reaches(&nmis[TARGET], sent);
	check_counts(a->name, TARGET, sent);
}

/* Kicks alone: no NMI comes from them, whatever the others do. */
static void check_kicks(const struct activity *a)
{
	u32 before = syncs;

	forget();
	begin(TARGET, a);
	begin(SECOND, a);
	begin(SYNCER, &syncing);
	check(smp_reaches(&syncs, before + SYNCS), "others are pulled in, in %s", a->name);
	stop = true;
	for (u32 i = 1; i < nr_cpus; i++)
		check(smp_wait(i), "CPU %u comes back from being pulled in", i);
	check_counts(a->name, 0, 0);
}

/* More than the CPU can take: some merge. The last one is not lost. */
static void check_flood(const struct activity *a)
{
	u32 before;

	forget();
	begin(TARGET, a);
	for (u32 i = 0; i < FLOOD; i++)
		send_nmi(TARGET);
	/* On a busy host an emulated CPU may stand still for as long as others settle. */
	check(smp_reaches(&nmis[TARGET], 1), "a flood of NMIs arrives, in %s", a->name);
	smp_settle();
	before = nmis[TARGET];
	check(before <= FLOOD, "at most %u NMIs of a flood, in %s", FLOOD, a->name);
	send_nmi(TARGET);
	check(smp_reaches(&nmis[TARGET], before + 1), "an NMI after the flood, in %s", a->name);
	smp_settle();
	check_eq(nmis[TARGET], before + 1, "NMIs after the flood, in %s", a->name);
	check(end(TARGET), "CPU %u comes back from %s", TARGET, a->name);
	check_eq(nested, 0, "NMIs within the handler of a flood, in %s", a->name);
}

/* Two CPUs at once, each waits for the other to take it. */
static void ping_pong(void *arg)
{
	u32 peer = cpu_index() == TARGET ? SECOND : TARGET;

	*(volatile u32 *)arg += send_exact(peer, SYNC_ROUNDS);
}

static void check_mutual(void)
{
	volatile u32 sent[2] = { 0, 0 };

	forget();
	if (under_keel)
		begin(SYNCER, &syncing);
	smp_give(TARGET, ping_pong, (void *)&sent[0]);
	smp_give(SECOND, ping_pong, (void *)&sent[1]);
	check(smp_wait(TARGET), "CPU %u has sent to the other", TARGET);
	check(smp_wait(SECOND), "CPU %u has sent to the other", SECOND);
	check(end(SYNCER), "CPU %u has pulled them in", SYNCER);
	check_eq(sent[0] + sent[1], 2 * SYNC_ROUNDS, "NMIs that two CPUs send each other");
	check_eq(nmis[TARGET], SYNC_ROUNDS, "NMIs that one of two gets");
	check_eq(nmis[SECOND], SYNC_ROUNDS, "NMIs that the other of two gets");
	check_eq(nmis[0] + nmis[SYNCER], 0, "NMIs that somebody else gets");
	check_eq(nested, 0, "NMIs within a handler when two send");
}

/* INIT reaches a CPU whose NMI handler never ends, and takes what it blocked. */
static void check_init_in_handler(void)
{
	forget();
	begin(TARGET, &activities[0]);
	staying = 0;
	stay = true;
	send_nmi(TARGET);
	check(smp_reaches(&staying, 1), "the target stays in its NMI handler");
	send_nmi(TARGET);
	smp_settle();
	check_eq(nmis[TARGET], 0, "NMIs while the handler stays");
	check(smp_start(TARGET, SMP_VECTOR), "a CPU in its NMI handler starts again");
	stay = false;
	depth[TARGET] = 0;
	smp_settle();
	check_eq(nmis[TARGET], 0, "NMIs from before INIT");
	check_exact(&activities[0], under_keel);
}

void payload(void)
{
	exit_msr = is_intel ? MSR_FEATURE_CONTROL : MSR_EFER;
	trap_hook_set(VEC_NMI, on_nmi);
	if (!smp_start_all(NR_CPUS_WANTED))
		return;
	for (u32 i = 0; i < ARRAY_SIZE(activities); i++) {
		if (activities[i].once == do_ping && !under_keel)
			continue;
		check_exact(&activities[i], false);
		check_flood(&activities[i]);
		if (!under_keel)
			continue;
		check_exact(&activities[i], true);
		check_kicks(&activities[i]);
	}
	check_exact(&halted, false);
	check_exact(&halted, under_keel);
	check_mutual();
	check_init_in_handler();
	if (under_keel)
		check_eq(bad_syncs, 0, "calls that did not pull all others in, of %u", syncs);
}
