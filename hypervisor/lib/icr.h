/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC's interrupt command register (Intel SDM volume 3, 11.6 and 11.12.9; AMD APM volume
 * 2, 16.5 and 16.14): what a write to it asks for, and whom it reaches.
 */
#ifndef KEEL_LIB_ICR_H
#define KEEL_LIB_ICR_H

#include <keel/apic_place.h>
#include <keel/types.h>

/* Delivery modes, as in the register; 3 and 7 are reserved. */
enum icr_mode {
	ICR_FIXED = 0,
	ICR_LOWEST = 1,
	ICR_SMI = 2,
	ICR_NMI = 4,
	ICR_INIT = 5,
	ICR_SIPI = 6,
};

#define ICR_MODE_SHIFT 8
/* Of the delivery mode, the bit that NMI, INIT and SIPI have: in all others Keel has no part. */
#define ICR_MODE_SPECIAL BIT(ICR_MODE_SHIFT + 2)

/* Destination shorthands, as in the register. */
enum icr_shorthand {
	ICR_NO_SHORTHAND,
	ICR_SELF,
	ICR_ALL,
	ICR_ALL_BUT_SELF,
};

struct icr {
	u8 vector;
	u8 mode; /* enum icr_mode or reserved */
	bool logical;
	bool assert;
	bool level_triggered;
	u8 shorthand;	 /* enum icr_shorthand */
	u32 destination; /* 8 bits if not @x2apic; means nothing with a shorthand */
	bool x2apic;	 /* the sender's mode */
};

/* From the two registers in memory: @low at 0x300, @high at 0x310. */
struct icr icr_xapic(u32 low, u32 high);

/* From the MSR 0x830. */
struct icr icr_x2apic(u64 value);

/*
 * INIT with level de-assert (11.6.1): it goes to all APICs whatever the destination says,
 * synchronises their arbitration IDs where there still are any, and does nothing to a CPU.
 */
bool icr_is_init_deassert(const struct icr *icr);

/*
 * Would a CPU at @place receive it? @self: that CPU is the sender. Looks at the destination only,
 * not at the delivery mode: of a lowest-priority interrupt these are the candidates, and
 * shorthands that a delivery mode does not allow (table 11-3) count as they read.
 *
 * Senders and receivers may be in different modes, as while an OS turns x2APIC mode on CPU by CPU;
 * the manual does not say what happens then. See icr.c.
 */
bool icr_hits(const struct icr *icr, const struct apic_place *place, bool self);

#endif
