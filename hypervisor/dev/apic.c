/* SPDX-License-Identifier: BSD-2-Clause */
#include "dev/apic.h"

#include <keel/bits.h>

#include "cpu/msr.h"
#include "cpu/regs.h"
#include "mm/host_map.h"
#include "mode/desc.h"

#define ICR_BUSY      BIT(12)
#define ICR_ASSERT    BIT(14)
#define ID_SHIFT      24
#define SVR_RESET     0xff
#define SVR_ENABLE    BIT(8)
#define VECTOR_WORDS  8
#define VECTOR_STRIDE 0x10
/* An EOI and an interrupt for each vector; more come only from a guest that goes on sending. */
#define DROPS_MAX     512
/* A bus that keeps an IPI for longer than that many looks is broken. */
#define SEND_LOOKS    1000000

static volatile u32 *page(void)
{
	return host_map_any(this_cpu()->apic_base & APIC_BASE_ADDRESS, PAGE_SIZE);
}

u32 apic_read(u32 reg)
{
	const struct apic_place *place = &this_cpu()->place;
	volatile u32 *registers;

	if (!place->enabled)
		return 0;
	if (place->x2apic)
		return (u32)rdmsr(X2APIC_MSR(reg));
	registers = page();
	return registers ? registers[reg / 4] : 0;
}

void apic_write(u32 reg, u32 v)
{
	const struct apic_place *place = &this_cpu()->place;
	volatile u32 *registers;

	if (!place->enabled)
		return;
	if (place->x2apic) {
		wrmsr(X2APIC_MSR(reg), v);
		return;
	}
	registers = page();
	if (registers)
		registers[reg / 4] = v;
}

void apic_find(struct percpu *cpu)
{
	struct apic_place *place = &cpu->place;
	bool wide;

	cpu->apic_base = rdmsr(IA32_APIC_BASE);
	place->enabled = cpu->apic_base & APIC_BASE_EN;
	wide = place->enabled && cpu->apic_base & APIC_BASE_EXTD;
	place->x2apic = wide;
	if (!place->enabled)
		return;
	place->id = wide ? apic_read(APIC_REG_ID) : apic_read(APIC_REG_ID) >> ID_SHIFT;
	place->ldr = apic_read(APIC_REG_LDR);
	place->dfr = wide ? 0 : apic_read(APIC_REG_DFR);
}

static void wait_until_sent(void)
{
	for (u32 i = 0; i < SEND_LOOKS && apic_read(APIC_REG_ICR_LOW) & ICR_BUSY; i++)
		cpu_relax();
}

bool apic_send(u32 apic_id, u32 low)
{
	const struct apic_place *place = &this_cpu()->place;
	u32 guests_high;

	if (!place->enabled)
		return false;
	low |= ICR_ASSERT;
	/* What was stored before must be seen by whoever takes the IPI; WRMSR does not order it. */
	__asm__ volatile("mfence" : : : "memory");
	if (place->x2apic) {
		wrmsr(X2APIC_MSR(APIC_REG_ICR_LOW), (u64)apic_id << 32 | low);
		return true;
	}
	wait_until_sent();
	guests_high = apic_read(APIC_REG_ICR_HIGH);
	apic_write(APIC_REG_ICR_HIGH, apic_id << ID_SHIFT);
	apic_write(APIC_REG_ICR_LOW, low);
	wait_until_sent();
	apic_write(APIC_REG_ICR_HIGH, guests_high);
	return true;
}

/* Is a bit set in the 256 of IRR or ISR? */
static bool any_vector(u32 first)
{
	for (u32 i = 0; i < VECTOR_WORDS; i++) {
		if (apic_read(first + i * VECTOR_STRIDE))
			return true;
	}
	return false;
}

static void forget_interrupts(void (*drop_interrupts)(void))
{
	/* Disabled by software it would keep them. */
	apic_write(APIC_REG_SVR, SVR_ENABLE | SVR_RESET);
	for (u32 i = 0; i < DROPS_MAX; i++) {
		if (any_vector(APIC_REG_ISR))
			apic_write(APIC_REG_EOI, 0);
		else if (any_vector(APIC_REG_IRR))
			desc_drop_interrupts(drop_interrupts);
		else
			return;
	}
}

void apic_reset(void (*drop_interrupts)(void))
{
	static const u16 lvt[] = {APIC_REG_TIMER, APIC_REG_THERMAL, APIC_REG_PERF,
				  APIC_REG_LINT0, APIC_REG_LINT1,   APIC_REG_ERROR};
	const struct apic_place *place = &this_cpu()->place;

	if (!place->enabled)
		return;
	apic_write(APIC_REG_COUNT, 0);
	/* Masked first: an entry keeps its vector when the APIC is disabled by software. */
	for (u32 i = 0; i < ARRAY_SIZE(lvt); i++)
		apic_write(lvt[i], APIC_LVT_MASKED);
	apic_write(APIC_REG_TPR, 0);
	forget_interrupts(drop_interrupts);
	apic_write(APIC_REG_DIVIDE, 0);
	apic_write(APIC_REG_ESR, 0);
	if (!place->x2apic) {
		apic_write(APIC_REG_LDR, 0);
		apic_write(APIC_REG_DFR, APIC_DFR_RESET);
	}
	apic_write(APIC_REG_SVR, SVR_RESET);
	apic_find(this_cpu());
}
