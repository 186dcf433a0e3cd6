/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs are stopped and started again and again: INIT finds each in another activity and with
 * another state, and leaves what the manuals say (Intel vol. 3 table 10-1, AMD vol. 2 14.1.3).
 */
#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/smp.h"
#include "lib/trap.h"

const char payload_name[] = "sipi";

#define NR_CPUS_WANTED 4
#define ROUNDS 1000
#define SHORT_ROUNDS 200
#define SECOND_SIPI_VECTOR 0x20
#define CR0_AT_INIT 0x10
#define TABLE_LIMIT 0xffff
#define SPURIOUS_AT_RESET 0xff
#define IRR_OF_IRQ (APIC_IRR + VEC_IRQ / 32 * 0x10)
#define ISR_OF_IRQ (APIC_ISR + VEC_IRQ / 32 * 0x10)
#define QUIET_ROUNDS 200

static const u8 vectors[] = { 0x08, 0x10, 0x2f, 0x55, 0x7e };

extern u32 dirty_msr;
void dirty_spin(void);
void dirty_pause(void);
void dirty_cpuid(void);
void dirty_rdmsr(void);
void dirty_hlt(void);

enum where { PLAIN, IN_NMI, IN_IRQ };
static const struct activity {
	const char *name;
	void (*end)(void);
	enum where where;
} activities[] = {
	{ "a tight loop", dirty_spin, PLAIN },
	{ "PAUSE", dirty_pause, PLAIN },
	{ "CPUID", dirty_cpuid, PLAIN },
	{ "RDMSR", dirty_rdmsr, PLAIN },
	{ "HLT", dirty_hlt, PLAIN },
	{ "an NMI handler, another pending", dirty_spin, IN_NMI },
	{ "RDMSR in an NMI handler", dirty_rdmsr, IN_NMI },
	{ "HLT in an NMI handler", dirty_hlt, IN_NMI },
	{ "an interrupt handler", dirty_pause, IN_IRQ },
};

static const struct {
	const char *name;
	u32 reg, want;
} apic_regs[] = {
	{ "TPR", APIC_TPR, 0 },
	{ "SVR", APIC_SVR, SPURIOUS_AT_RESET },
	{ "LVT timer", APIC_LVT_TIMER, APIC_LVT_MASKED },
	{ "LVT LINT0", APIC_LVT_LINT0, APIC_LVT_MASKED },
	{ "LVT LINT1", APIC_LVT_LINT1, APIC_LVT_MASKED },
	{ "LVT error", APIC_LVT_ERROR, APIC_LVT_MASKED },
	{ "timer's initial count", APIC_TIMER_INITIAL, 0 },
	{ "timer's count", APIC_TIMER_CURRENT, 0 },
	{ "timer's divider", APIC_TIMER_DIVIDE, 0 },
	{ "IRR", IRR_OF_IRQ, 0 },
	{ "ISR", ISR_OF_IRQ, 0 },
	/* xAPIC mode only from here */
	{ "LDR", APIC_LDR, 0 },
	{ "DFR", APIC_DFR, APIC_DFR_FLAT },
};
#define NR_X2_REGS (ARRAY_SIZE(apic_regs) - 2)

static const struct {
	const char *name;
	u32 want;
} state[START_WORDS] = {
	[START_EAX] = { "EAX", 0 },
	[START_EBX] = { "EBX", 0 },
	[START_ECX] = { "ECX", 0 },
	[START_EDX] = { "EDX", 0 /* the CPU's signature, see wanted() */ },
	[START_ESI] = { "ESI", 0 },
	[START_EDI] = { "EDI", 0 },
	[START_EBP] = { "EBP", 0 },
	[START_ESP] = { "ESP", 0 },
	[START_FLAGS] = { "EFLAGS", 2 },
	[START_CR0] = { "CR0 but CD and NW", CR0_AT_INIT },
	[START_CR2] = { "CR2", 0 },
	[START_CR3] = { "CR3", 0 },
	[START_CR4] = { "CR4", 0 },
	[START_DR0] = { "DR0", 0 },
	[START_DR1] = { "DR1", 0 },
	[START_DR2] = { "DR2", 0 },
	[START_DR3] = { "DR3", 0 },
	[START_DR6] = { "DR6", DR6_INIT },
	[START_DR7] = { "DR7", DR7_INIT },
	[START_CS] = { "CS", 0 /* by the vector, see wanted() */ },
	[START_DS] = { "DS", 0 },
	[START_ES] = { "ES", 0 },
	[START_FS] = { "FS", 0 },
	[START_GS] = { "GS", 0 },
	[START_SS] = { "SS", 0 },
	[START_GDT_LIMIT] = { "GDTR's limit", TABLE_LIMIT },
	[START_GDT_BASE] = { "GDTR's base", 0 },
	[START_IDT_LIMIT] = { "IDTR's limit", TABLE_LIMIT },
	[START_IDT_BASE] = { "IDTR's base", 0 },
	[START_EFER] = { "EFER", 0 },
	[START_FS_BASE] = { "FS's base", 0 },
	[START_GS_BASE] = { "GS's base", 0 },
	[START_LDTR] = { "LDTR", 0 },
	[START_TR] = { "TR", 0 },
	[START_HIGH] = { "R8 to R15", 0 },
};

/* How often a word was wrong, and what it was at first. */
struct wrong {
	u32 times, got, want;
};
static struct wrong wrong_state[START_WORDS], wrong_apic[ARRAY_SIZE(apic_regs)];
static u32 apic_found[ARRAY_SIZE(apic_regs)], id_found;

static volatile u32 nmis[MAX_CPUS], irqs[MAX_CPUS], dirty_ready;
static const struct activity *volatile doing[MAX_CPUS];
static u8 other_cr3[4096] __attribute__((aligned(4096)));

static void compare(struct wrong *w, u32 got, u32 want)
{
	if (got == want)
		return;
	if (!w->times++) {
		w->got = got;
		w->want = want;
	}
}

static u32 apic_regs_here(void)
{
	return apic_is_x2() ? NR_X2_REGS : ARRAY_SIZE(apic_regs);
}

static void look_at_apic(struct cpu *self)
{
	(void)self;
	for (u32 i = 0; i < apic_regs_here(); i++)
		apic_found[i] = apic_read(apic_regs[i].reg);
	id_found = apic_id();
}

static void on_nmi(struct frame *f)
{
	const struct activity *a = doing[cpu_index()];

	(void)f;
	if (a && a->where == IN_NMI) {
		apic_self_nmi();
		dirty_ready = 1;
		a->end();
	}
	nmis[cpu_index()]++;
}

static void on_irq(struct frame *f)
{
	const struct activity *a = doing[cpu_index()];

	(void)f;
	if (a && a->where == IN_IRQ) {
		apic_self_irq(VEC_IRQ);
		dirty_ready = 1;
		a->end();
	}
	irqs[cpu_index()]++;
	apic_eoi();
}

static void dirty_apic(void)
{
	apic_write(APIC_TIMER_DIVIDE, 3);
	apic_write(APIC_LVT_TIMER, 0x20000 | (VEC_IRQ + 1));
	apic_write(APIC_TIMER_INITIAL, 0x10000000);
	apic_write(APIC_LVT_LINT1, VEC_IRQ + 2);
	apic_write(APIC_LVT_ERROR, VEC_IRQ + 3);
	if (!apic_is_x2()) {
		apic_write(APIC_LDR, 0x04000000);
		apic_write(APIC_DFR, APIC_DFR_CLUSTER);
	}
	apic_self_irq(VEC_IRQ);
}

static void dirty_registers(void)
{
	bool long_mode = sizeof(long) == 8;

	write_cr2(0x12345678);
	if (long_mode)
		memcpy(other_cr3, (const void *)read_cr3(), sizeof(other_cr3));
	write_cr3((unsigned long)other_cr3);
	write_cr4(read_cr4() | CR4_PSE | CR4_PGE | CR4_OSFXSR);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
	asm volatile("mov %0, %%dr0; mov %0, %%dr1; mov %0, %%dr2; mov %0, %%dr3"
		     : : "r"(0x23456789UL));
	asm volatile("mov %0, %%dr6" : : "r"(DR6_INIT | 0x400fUL));
	asm volatile("mov %0, %%dr7" : : "r"(DR7_INIT | 0x3UL));
	asm volatile("mov %w0, %%fs; mov %w0, %%gs" : : "r"(SEL_DATA));
	if (long_mode) {
		wrmsr(MSR_FS_BASE, 0x12345000);
		wrmsr(MSR_GS_BASE, 0x23456000);
	}
	write_cr0(read_cr0() | CR0_MP | CR0_TS | CR0_NE | CR0_WP | CR0_AM);
}

/* The last job of a CPU's life. */
static void get_dirty(void *arg)
{
	const struct activity *a = arg;

	doing[cpu_index()] = a;
	dirty_registers();
	dirty_apic();
	if (a->where == IN_NMI)
		apic_self_nmi();
	else if (a->where == IN_IRQ)
		irq_on();
	else
		apic_write(APIC_TPR, 0x30);
	if (a->where != PLAIN)
		for (;;)
			cpu_pause();
	dirty_ready = 1;
	a->end();
}

/* A new life: nothing of the old one is pending, and NMIs are not blocked. */
static void be_quiet(void *arg)
{
	u32 me = cpu_index();
	u32 *nmis_after = arg;

	irq_on();
	for (u32 i = 0; i < QUIET_ROUNDS; i++)
		cpu_pause();
	irq_off();
	*nmis_after = nmis[me];
	apic_self_nmi();
	for (u32 i = 0; i < QUIET_ROUNDS && nmis[me] == *nmis_after; i++)
		cpuid(0, 0);
	*nmis_after = nmis[me];
}

static u32 wanted(u32 word, u8 vector)
{
	if (word == START_EDX)
		return cpuid(1, 0).eax;
	if (word == START_CS)
		return vector << 8;
	return state[word].want;
}

static void compare_state(u32 cpu, u8 vector)
{
	for (u32 i = 0; i < START_WORDS; i++) {
		u32 got = cpus[cpu].start[i];

		if (i == START_CR0)
			got &= ~(u32)(CR0_CD | CR0_NW);
		compare(&wrong_state[i], got, wanted(i, vector));
	}
	for (u32 i = 0; i < apic_regs_here(); i++)
		compare(&wrong_apic[i], apic_found[i], apic_regs[i].want);
}

static u32 lost, not_dirty, bad_id, moved, stray, deaf;

/* One life and death; false if there is no use in going on. */
static bool round_of(u32 cpu, const struct activity *a, u8 vector)
{
	u32 nmis_after = 0, starts;

	dirty_ready = 0;
	smp_give(cpu, get_dirty, (void *)a);
	if (!smp_reaches(&dirty_ready, 1)) {
		not_dirty++;
		return check(false, "CPU %u gets into %s", cpu, a->name);
	}
	smp_delay(smp_random() % 1000);
	if (!smp_start(cpu, vector)) {
		lost++;
		return check(false, "CPU %u starts again out of %s", cpu, a->name);
	}
	doing[cpu] = NULL;
	compare_state(cpu, vector);
	bad_id += id_found != cpus[cpu].apic_id;
	nmis[cpu] = irqs[cpu] = 0;
	starts = cpus[cpu].starts;
	smp_sipi(cpu, SECOND_SIPI_VECTOR);
	if (!smp_run(cpu, be_quiet, &nmis_after))
		return check(false, "CPU %u answers after %s", cpu, a->name);
	moved += cpus[cpu].starts != starts;
	stray += irqs[cpu];
	deaf += nmis_after != 1;
	return true;
}

static void check_rounds(u32 rounds)
{
	u32 n = 0;

	while (n < rounds) {
		/* In this order: the first rounds meet every activity. */
		u32 cpu = 1 + smp_random() % (nr_cpus - 1), pick = smp_random();
		u32 which = n < ARRAY_SIZE(activities) ? n : pick % ARRAY_SIZE(activities);

		if (!round_of(cpu, &activities[which], vectors[pick / 16 % ARRAY_SIZE(vectors)]))
			break;
		n++;
	}
	check_eq(n, rounds, "starts after INIT");
	check_eq(moved, 0, "CPUs that took a second start-up interrupt");
	check_eq(stray, 0, "interrupts left from before INIT");
	check_eq(deaf, 0, "CPUs that do not get exactly one NMI after INIT");
	check_eq(bad_id, 0, "APIC IDs that INIT changed");
	for (u32 i = 0; i < START_WORDS; i++) {
		if (is_intel && !under_keel && (i == START_EDX || i == START_CR2))
			continue; /* Bochs clears EDX and keeps CR2 */
		check_eq(wrong_state[i].times ? wrong_state[i].got : wrong_state[i].want,
			 wrong_state[i].want, "%s after INIT (%u times wrong)", state[i].name,
			 wrong_state[i].times);
	}
	for (u32 i = 0; i < apic_regs_here(); i++)
		check_eq(wrong_apic[i].times ? wrong_apic[i].got : wrong_apic[i].want,
			 wrong_apic[i].want, "APIC's %s after INIT (%u times wrong)",
			 apic_regs[i].name, wrong_apic[i].times);
	printf("INFO sent again: %u start-up interrupts, %u INITs\n", smp_resent, smp_inits_resent);
}

static const struct {
	const char *name;
	u32 msr;
	u64 value;
} kept[] = {
	{ "SYSENTER_CS", MSR_SYSENTER_CS, 0x10 },
	{ "SYSENTER_EIP", MSR_SYSENTER_EIP, 0x1234567 },
	{ "PAT", MSR_PAT, 0x0007010600070106ULL },
	{ "STAR", MSR_STAR, 0x0023001000000000ULL },
	{ "LSTAR", MSR_LSTAR, 0x2345678 },
	{ "KERNEL_GS_BASE", MSR_KERNEL_GS_BASE, 0x3456789 },
};
static u64 kept_values[ARRAY_SIZE(kept)];

static void set_kept(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		wrmsr(kept[i].msr, kept[i].value);
}

static void get_kept(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		kept_values[i] = rdmsr(kept[i].msr);
}

static void no_cache(void *arg)
{
	(void)arg;
	write_cr0(read_cr0() | CR0_CD);
}

/* INIT touches none of these; bare, QEMU resets all and Bochs some. */
static void check_kept(void)
{
	smp_run(1, set_kept, NULL);
	if (!check(smp_start(1, SMP_VECTOR), "CPU 1 starts with MSRs set"))
		return;
	smp_run(1, get_kept, NULL);
	for (u32 i = 0; i < ARRAY_SIZE(kept) && under_keel; i++)
		check_eq(kept_values[i], kept[i].value, "%s is kept over INIT", kept[i].name);
}

/* As bare on AMD; on Intel Keel does what the manual says, that INIT leaves both. */
static void compare_cache_bits_of(const char *when, u32 before)
{
	u32 bits = cpus[1].start[START_CR0] & (CR0_CD | CR0_NW);

	same(bits, "CD and NW after INIT, %s before", when);
	if (is_intel && under_keel)
		check_eq(bits, before, "CD and NW are kept over INIT, %s before", when);
}

static void compare_cache_bits(void)
{
	compare_cache_bits_of("clear", 0);
	smp_run(1, no_cache, NULL);
	if (check(smp_start(1, SMP_VECTOR), "CPU 1 starts with caches off"))
		compare_cache_bits_of("CD set", CR0_CD);
}

void payload(void)
{
	dirty_msr = is_intel ? MSR_FEATURE_CONTROL : MSR_EFER;
	trap_hook_set(VEC_NMI, on_nmi);
	trap_hook_set(VEC_IRQ, on_irq);
	smp_on_arrival = look_at_apic;
	if (!smp_start_all(NR_CPUS_WANTED))
		return;
	for (u32 i = 0; i < ARRAY_SIZE(vectors); i++)
		smp_prepare(vectors[i]);
	smp_prepare(SECOND_SIPI_VECTOR);
	check_rounds(option("short") ? SHORT_ROUNDS : ROUNDS);
	check_kept();
	compare_cache_bits();
}
