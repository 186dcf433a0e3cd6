/* SPDX-License-Identifier: BSD-2-Clause */
/* Where interrupts between CPUs find one. */
#ifndef KEEL_APIC_PLACE_H
#define KEEL_APIC_PLACE_H

#include <keel/types.h>

/* One CPU's place as its APIC has it now. */
struct apic_place {
	u32 id;	 /* the whole x2APIC ID; in xAPIC mode bits 31:24 of the ID register will do */
	u32 ldr; /* the register's value: 8 bits at 31:24 in xAPIC mode, all 32 in x2APIC mode */
	u32 dfr; /* the register's value; not there in x2APIC mode */
	bool x2apic; /* IA32_APIC_BASE bit 10 */
	/*
	 * IA32_APIC_BASE bit 11. Bit 8 of the spurious vector register is another thing: without it
	 * INIT, SIPI, NMI and SMI still come through (11.4.7.2).
	 */
	bool enabled;
};

#endif
