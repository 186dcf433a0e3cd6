/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's paravirtual features, on KVM and on Keel on KVM: the clock on two CPUs, what an INIT takes
 * away, what Keel keeps to itself, and that none of it reaches Keel's memory.
 */
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/smp.h"
#include "lib/trap.h"

const char payload_name[] = "kvm";

#define CPUS 2
#define ROUNDS 20000

#define LEAF_SIGNATURE 0x40000000
#define LEAF_FEATURES 0x40000001

#define FEATURE_POLL_CONTROL 12
#define FEATURE_PV_IPI 11

#define MSR_CLOCK 0x4b564d01
#define MSR_ASYNC_PF 0x4b564d02
#define MSR_STEAL_TIME 0x4b564d03
#define MSR_PV_EOI 0x4b564d04
#define MSR_POLL_CONTROL 0x4b564d05
#define MSR_NONE 0x4b564dfe
#define MSR_HYPERV_OS_ID 0x40000000
#define MSR_HYPERV_CALL 0x40000001
#define ENABLE 1
#define ASYNC_PF_INT (1 << 3)

#define CALL_CLOCK_PAIRING 9
#define CALL_SEND_IPI 10
#define CALL_UNKNOWN 0x1234
#define ENOSYS (-1000)
#define EFAULT (-14)
#define EINVAL (-22)
#define ICR_MODE(mode) ((mode) << 8)
#define MODE_INIT 5
#define MODE_SIPI 6

/* Linux arch/x86/include/asm/pvclock-abi.h */
struct clock {
	u32 version, pad;
	u64 tsc, system_time;
	u32 multiplier;
	signed char shift;
	u8 flags, pad2[2];
};

#define CLOCK_STABLE 1

struct area {
	struct clock clock;
	u32 steal[16] __attribute__((aligned(64)));
	u32 eoi;
} __attribute__((aligned(256)));

static volatile struct area areas[CPUS];

static u64 address_of(const volatile void *p)
{
	return (u64)(unsigned long)p;
}

static u64 now(void)
{
	volatile struct clock *clock = &areas[cpu_index()].clock;
	u32 version;
	u64 delta, time;

	do {
		version = clock->version & ~1u;
		asm volatile("lfence" : : : "memory");
		delta = rdtsc() - clock->tsc;
		delta = clock->shift < 0 ? delta >> -clock->shift : delta << clock->shift;
		time = clock->system_time + (delta >> 32) * clock->multiplier +
		       ((u64)(u32)delta * clock->multiplier >> 32);
		asm volatile("" : : : "memory");
	} while (version != clock->version);
	return time;
}

static u32 refused[CPUS];

static void enable_all(void *unused)
{
	u32 me = cpu_index();
	volatile struct area *area = &areas[me];

	(void)unused;
	refused[me] += try_wrmsr(MSR_CLOCK, address_of(&area->clock) | ENABLE) != NO_TRAP;
	refused[me] += try_wrmsr(MSR_STEAL_TIME, address_of(area->steal) | ENABLE) != NO_TRAP;
	refused[me] += try_wrmsr(MSR_PV_EOI, address_of(&area->eoi) | ENABLE) != NO_TRAP;
}

static u64 seen[CPUS][3];

static void read_all(void *unused)
{
	u64 *to = seen[cpu_index()];

	(void)unused;
	to[0] = to[1] = to[2] = ~0ull;
	try_rdmsr(MSR_CLOCK, &to[0]);
	try_rdmsr(MSR_STEAL_TIME, &to[1]);
	try_rdmsr(MSR_PV_EOI, &to[2]);
}

/* The CPUs take turns; a clock that differs between them runs backwards for the one that comes next. */
static volatile u32 turn;
static volatile u64 last;
static volatile u32 backwards;

static void take_turns(void *unused)
{
	u32 me = cpu_index();

	(void)unused;
	for (u32 i = 0; i < ROUNDS; i++) {
		u64 time;

		while (turn % CPUS != me)
			cpu_pause();
		time = now();
		backwards += time < last;
		last = time;
		asm volatile("" : : : "memory");
		turn++;
	}
}

static void check_clock(void)
{
	smp_give(1, take_turns, NULL);
	take_turns(NULL);
	check(smp_wait(1), "CPU 1 comes back from reading the clock");
	check(areas[0].clock.flags & areas[1].clock.flags & CLOCK_STABLE, "KVM calls its clock stable");
	check_eq(backwards, 0, "the clock never runs backwards over two CPUs");
	check(last, "the clock has run");
	check(areas[0].steal[2], "steal time is kept on CPU 0");
}

static void check_init(void)
{
	static const char *const names[] = { "the clock", "steal time", "PV EOI" };

	smp_run(1, read_all, NULL);
	for (u32 i = 0; i < 3; i++)
		check(seen[1][i] & ENABLE, "CPU 1 has %s", names[i]);
	check(smp_start(1, SMP_VECTOR), "CPU 1 starts again");
	smp_run(1, read_all, NULL);
	for (u32 i = 0; i < 3; i++)
		check_eq(seen[1][i] & ENABLE, 0, "INIT has switched %s off", names[i]);
	read_all(NULL);
	check(seen[0][0] & ENABLE, "CPU 0 keeps the clock");
}

static long call(long number, u64 b, u64 c, u64 d, u64 s)
{
	long result = number;

	if (is_intel)
		asm volatile("vmcall"
			     : "+a"(result)
			     : "b"((long)b), "c"((long)c), "d"((long)d), "S"((long)s)
			     : "memory");
	else
		asm volatile("vmmcall"
			     : "+a"(result)
			     : "b"((long)b), "c"((long)c), "d"((long)d), "S"((long)s)
			     : "memory");
	return result;
}

static void check_async_pf(void)
{
	u64 value = address_of(&areas[0]) | ENABLE | ASYNC_PF_INT;
	u64 got = ~0ull;

	check_trap(try_wrmsr(MSR_ASYNC_PF, value), NO_TRAP, "async page faults can be asked for");
	check_trap(try_rdmsr(MSR_ASYNC_PF, &got), NO_TRAP, "the MSR of async page faults is there");
	check_eq(got, under_keel ? 0 : value, "KVM hears of async page faults only without Keel");
	try_wrmsr(MSR_ASYNC_PF, 0);
}

static void check_hidden(void)
{
	static const u32 msrs[] = { 0x11, 0x12, 0x4b564d00, MSR_CLOCK, MSR_STEAL_TIME, MSR_PV_EOI };
	u64 start, end;

	end = keel_region(&start);
	end += start;
	for (u32 i = 0; i < ARRAY_SIZE(msrs); i++) {
		check_trap(try_wrmsr(msrs[i], start | ENABLE), VEC_GP, "MSR 0x%x at Keel's start is #GP", msrs[i]);
		check_trap(try_wrmsr(msrs[i], (end - 64) | ENABLE), VEC_GP, "MSR 0x%x at Keel's end is #GP", msrs[i]);
		check_trap(try_wrmsr(msrs[i], (start - 4) | ENABLE), VEC_GP, "MSR 0x%x into Keel is #GP", msrs[i]);
	}
	check_trap(try_wrmsr(MSR_HYPERV_OS_ID, 1), VEC_GP, "Hyper-V's first MSR is #GP");
	check_trap(try_wrmsr(MSR_HYPERV_CALL, start | ENABLE), VEC_GP, "Hyper-V's call page is #GP");
	check_eq(call(CALL_CLOCK_PAIRING, start, 0, 0, 0), EFAULT, "clock pairing in Keel's memory");
	check_eq(call(CALL_CLOCK_PAIRING, start - 1, 0, 0, 0), EFAULT, "clock pairing into Keel's memory");
	check_eq(call(CALL_SEND_IPI, 3, 0, 0, ICR_MODE(MODE_INIT)), EINVAL, "PV IPI as INIT");
	check_eq(call(CALL_SEND_IPI, 3, 0, 0, ICR_MODE(MODE_SIPI) | 0x10), EINVAL, "PV IPI as SIPI");
	check(keel_answers(), "Keel answers after all that");
}

void payload(void)
{
	struct cpuid c = cpuid(LEAF_SIGNATURE, 0);
	u64 value;

	check_eq(c.ebx, 0x4b4d564b, "KVM lies below");
	same(cpuid(LEAF_FEATURES, 0).eax, "KVM's features");
	if (!smp_start_all(CPUS))
		return;
	enable_all(NULL);
	smp_run(1, enable_all, NULL);
	for (u32 i = 0; i < CPUS; i++)
		check_eq(refused[i], 0, "CPU %u is refused nothing", i);
	check_clock();
	check_init();
	check_async_pf();
	if (cpuid(LEAF_FEATURES, 0).eax & BIT(FEATURE_PV_IPI))
		check_eq(call(CALL_SEND_IPI, BIT(cpus[1].apic_id), 0, 0, VEC_WAKE), 1, "PV IPI reaches one CPU");
	check_eq(call(CALL_UNKNOWN, 1, 2, 3, 4), ENOSYS, "an unknown hypercall is refused");
	check_trap(try_rdmsr(MSR_NONE, &value), VEC_GP, "an MSR that KVM has not is #GP");
	check_trap(try_wrmsr(MSR_POLL_CONTROL, 1), cpuid(LEAF_FEATURES, 0).eax & BIT(FEATURE_POLL_CONTROL) ? NO_TRAP : VEC_GP,
		   "poll control is KVM's");
	if (under_keel)
		check_hidden();
}
