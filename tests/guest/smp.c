/* SPDX-License-Identifier: BSD-2-Clause */
/* All CPUs start, each is under Keel or none is, and each takes its own exceptions. */
#include "lib/smp.h"

#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/trap.h"

const char payload_name[] = "smp";

#define DEFAULT_CPUS 4
#define ROUNDS 1000
#define NO_SUCH_MSR 0x12345678

static u32 faults[MAX_CPUS];

static void fault_often(void *arg)
{
	u64 value;

	(void)arg;
	faults[cpu_index()] = 0;
	for (u32 i = 0; i < ROUNDS; i++)
		faults[cpu_index()] += TRY("ud2", : : : "memory") == VEC_UD;
	for (u32 i = 0; i < ROUNDS; i++)
		faults[cpu_index()] += try_rdmsr(MSR_EFER, &value) == NO_TRAP;
}

static u32 pulled;

static void sync(void *arg)
{
	struct hypercall r;

	(void)arg;
	hypercall(KEEL_HC_SYNC, 0, &r);
	pulled = r.eax;
}

static void check_keel_count(void)
{
	struct hypercall r;

	hypercall(KEEL_HC_CPUS, 0, &r);
	check_eq(r.eax, nr_cpus, "CPUs under Keel");
	check_eq(r.ebx, 0, "CPUs that are parked");
	check_eq(r.edx, BIT(nr_cpus) - 1, "CPUs that run guest code");
	printf("INFO start policy %u\n", r.ecx);
	for (u32 i = 1; i < nr_cpus; i++) {
		smp_run(i, sync, NULL);
		check_eq(pulled, nr_cpus - 1, "CPUs that CPU %u pulls into Keel", i);
	}
}

void payload(void)
{
	u32 want = option("cpus=2") ? 2 : DEFAULT_CPUS;

	if (!smp_start_all(want))
		return;
	smp_run_all(fault_often, NULL);
	for (u32 i = 1; i < nr_cpus; i++)
		check_eq(faults[i], 2 * ROUNDS, "CPU %u takes its own exceptions, all at once", i);
	if (under_keel)
		check_keel_count();
}
