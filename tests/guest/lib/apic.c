/* SPDX-License-Identifier: BSD-2-Clause */
#include "apic.h"

#include "cpu.h"

#define APIC_ID 0x020
#define APIC_SVR 0x0f0
#define APIC_ICR_LOW 0x300
#define APIC_ICR_HIGH 0x310
#define SVR_ENABLE 0x1ff
#define ICR_NMI 0x400
#define ICR_PENDING 0x1000
#define ICR_ASSERT 0x4000

static volatile u32 *apic;

u32 apic_read(u32 reg)
{
	return apic[reg / 4];
}

void apic_write(u32 reg, u32 v)
{
	apic[reg / 4] = v;
}

void apic_init(void)
{
	apic = (u32 *)(unsigned long)(rdmsr(MSR_APIC_BASE) & 0xfffff000);
	apic_write(APIC_SVR, SVR_ENABLE);
}

static void send(u32 command)
{
	apic_write(APIC_ICR_HIGH, apic_read(APIC_ID));
	apic_write(APIC_ICR_LOW, command | ICR_ASSERT);
	while (apic_read(APIC_ICR_LOW) & ICR_PENDING)
		;
}

void apic_self_nmi(void)
{
	send(ICR_NMI);
}

void apic_self_irq(u8 vector)
{
	send(vector);
}
