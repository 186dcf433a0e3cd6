/* SPDX-License-Identifier: BSD-2-Clause */
#include "apic.h"

#include "cpu.h"

#define MSR_X2APIC(reg) (0x800 + (reg) / 16)
#define CPUID1_X2APIC BIT(21) /* in ECX */
#define XAPIC_DEST_SHIFT 24
#define BASE_MASK 0xfffff000

/* Where each CPU's APIC is; NULL in x2APIC mode. */
static volatile u32 *pages[MAX_CPUS];

bool apic_has_x2(void)
{
	return cpuid(1, 0).ecx & CPUID1_X2APIC;
}

bool apic_is_x2(void)
{
	return !pages[cpu_index()];
}

u32 apic_read(u32 reg)
{
	volatile u32 *page = pages[cpu_index()];

	return page ? page[reg / 4] : (u32)rdmsr(MSR_X2APIC(reg));
}

void apic_write(u32 reg, u32 v)
{
	volatile u32 *page = pages[cpu_index()];

	if (page)
		page[reg / 4] = v;
	else
		wrmsr(MSR_X2APIC(reg), v);
}

void apic_look(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	pages[cpu_index()] = base & APIC_BASE_X2 ? NULL
						 : (u32 *)(unsigned long)(base & BASE_MASK);
}

void apic_init(void)
{
	apic_look();
	apic_write(APIC_SVR, APIC_SVR_ENABLE);
}

void apic_to_x2(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2);
}

u32 apic_id(void)
{
	u32 id = apic_read(APIC_ID);

	return apic_is_x2() ? id : id >> XAPIC_DEST_SHIFT;
}

void apic_send(u32 destination, u32 command)
{
	if (apic_is_x2()) {
		wrmsr(MSR_X2APIC(APIC_ICR), (u64)destination << 32 | command);
		return;
	}
	apic_write(APIC_ICR_HIGH, destination << XAPIC_DEST_SHIFT);
	apic_write(APIC_ICR, command);
	while (apic_read(APIC_ICR) & ICR_PENDING)
		;
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

void apic_self_nmi(void)
{
	apic_send(apic_id(), ICR_NMI | ICR_ASSERT);
}

void apic_self_irq(u8 vector)
{
	apic_send(apic_id(), ICR_FIXED | ICR_ASSERT | vector);
}
