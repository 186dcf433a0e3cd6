/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory types change on all CPUs together, as Intel vol. 3 12.11.8 tells (every CPU waits for the
 * others, turns its caches off, changes, waits, goes on): memory keeps its content.
 */
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/smp.h"
#include "lib/trap.h"

const char payload_name[] = "mtrrsmp";

#define NR_CPUS_WANTED 4
#define DEF_ENABLE BIT(11)
#define TEST_AT 0x4000000u /* 64 MiB */
#define TEST_SIZE 0x200000u
#define MASK_BITS 36
#define MASK_VALID BIT(11)
#define ROUNDS 5

static u32 last; /* the variable register that is used */
static volatile u32 arrived[2];
static u64 new_base, new_mask, new_def; /* the same on all: INIT leaves others on QEMU */
static u64 bases[MAX_CPUS], masks[MAX_CPUS], defs[MAX_CPUS];
static volatile u32 bad_words[MAX_CPUS];

/* Each barrier is for one rendezvous. */
static void barrier(volatile u32 *count)
{
	asm volatile("lock incl %0" : "+m"(*count) : : "memory", "cc");
	smp_reaches(count, nr_cpus);
}

/* The steps of 12.11.8, in its order. */
static void change(void *arg)
{
	unsigned long cr0 = read_cr0();

	(void)arg;
	barrier(&arrived[0]);
	write_cr0((cr0 | CR0_CD) & ~CR0_NW);
	wbinvd();
	write_cr3(read_cr3());
	wrmsr(MSR_MTRR_DEF_TYPE, new_def & ~DEF_ENABLE);
	wrmsr(MSR_MTRR_BASE0 + 2 * last, new_base);
	wrmsr(MSR_MTRR_MASK0 + 2 * last, new_mask);
	wrmsr(MSR_MTRR_DEF_TYPE, new_def | DEF_ENABLE);
	wbinvd();
	write_cr3(read_cr3());
	write_cr0(cr0);
	barrier(&arrived[1]);
}

static void read_back(void *arg)
{
	u32 me = cpu_index();

	(void)arg;
	bases[me] = rdmsr(MSR_MTRR_BASE0 + 2 * last);
	masks[me] = rdmsr(MSR_MTRR_MASK0 + 2 * last);
	defs[me] = rdmsr(MSR_MTRR_DEF_TYPE);
}

static void count_bad(void *arg)
{
	u32 seed = *(u32 *)arg, bad = 0;

	for (u32 at = TEST_AT; at < TEST_AT + TEST_SIZE; at += 4096)
		bad += *(volatile u32 *)(unsigned long)at != (at ^ seed);
	bad_words[cpu_index()] = bad;
}

static void fill(void *arg)
{
	u32 seed = *(u32 *)arg;

	for (u32 at = TEST_AT; at < TEST_AT + TEST_SIZE; at += 4096)
		*(volatile u32 *)(unsigned long)at = at ^ seed;
}

static void rendezvous(u64 base, u64 mask)
{
	new_base = base;
	new_mask = mask;
	arrived[0] = arrived[1] = 0;
	for (u32 i = 1; i < nr_cpus; i++)
		smp_give(i, change, NULL);
	change(NULL);
	for (u32 i = 1; i < nr_cpus; i++)
		check(smp_wait(i), "CPU %u comes back from the rendezvous", i);
}

static void check_type(u32 type, u32 round)
{
	u64 mask = ((BIT(MASK_BITS) - 1) & ~(u64)(TEST_SIZE - 1)) | MASK_VALID;
	u32 seed = type + 100 * round, writer = round % nr_cpus;

	fill(&seed);
	rendezvous(TEST_AT | type, mask);
	smp_run_all(count_bad, &seed);
	smp_run_all(read_back, NULL);
	count_bad(&seed);
	read_back(NULL);
	for (u32 i = 0; i < nr_cpus; i++) {
		check_eq(bad_words[i], 0, "bad words of type %u on CPU %u", type, i);
		check_eq(bases[i], TEST_AT | type, "base of type %u on CPU %u", type, i);
		check_eq(masks[i], mask, "mask of type %u on CPU %u", type, i);
		check_eq(defs[i], defs[0], "default with type %u on CPU %u", type, i);
	}
	/* Another CPU writes, all see it. */
	seed += 50;
	if (writer)
		smp_run(writer, fill, &seed);
	else
		fill(&seed);
	smp_run_all(count_bad, &seed);
	for (u32 i = 1; i < nr_cpus; i++)
		check_eq(bad_words[i], 0, "CPU %u sees bad words of CPU %u's", i, writer);
}

void payload(void)
{
	static const u8 types[] = { 0, 1, 4, 5, 6 };
	u64 old_base, old_mask;
	u32 seed = 1;

	if (!smp_start_all(NR_CPUS_WANTED))
		return;
	new_def = rdmsr(MSR_MTRR_DEF_TYPE);
	last = (rdmsr(MSR_MTRRCAP) & 0xff) - 1;
	old_base = rdmsr(MSR_MTRR_BASE0 + 2 * last);
	old_mask = rdmsr(MSR_MTRR_MASK0 + 2 * last);
	for (u32 round = 0; round < ROUNDS; round++)
		check_type(types[round % ARRAY_SIZE(types)], round);
	fill(&seed);
	rendezvous(old_base, old_mask);
	smp_run_all(count_bad, &seed);
	for (u32 i = 1; i < nr_cpus; i++)
		check_eq(bad_words[i], 0, "bad words on CPU %u when all is restored", i);
	if (under_keel)
		check(keel_answers(), "Keel answers after that");
}
