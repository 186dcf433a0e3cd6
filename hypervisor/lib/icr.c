/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC's interrupt command register. */
#include "icr.h"

#include <keel/bits.h>

#define XAPIC_BROADCAST	 0xffu
#define X2APIC_BROADCAST 0xffffffffu

/* Figure 11-12; figure 11-28 for x2APIC mode, where the low half is the same. */
static struct icr decode_low(u32 low)
{
	return (struct icr){
		.vector = (u8)low,
		.mode = low >> 8 & 7,
		.logical = low & BIT(11),
		.assert = low &BIT(14),
		.level_triggered = low &BIT(15),
		.shorthand = low >> 18 & 3,
	};
}

struct icr icr_xapic(u32 low, u32 high)
{
	struct icr icr = decode_low(low);

	icr.destination = high >> 24;
	return icr;
}

struct icr icr_x2apic(u64 value)
{
	struct icr icr = decode_low((u32)value);

	icr.destination = (u32)(value >> 32);
	icr.x2apic = true;
	return icr;
}

bool icr_is_init_deassert(const struct icr *icr)
{
	return icr->mode == ICR_INIT && !icr->assert && icr->level_triggered;
}

/*
 * 11.6.2.1, 11.12.9. How wide the destination is, and so what broadcast is, follows from the
 * sender.
 *
 * From an xAPIC sender to an x2APIC receiver: eight bits, so that IDs up to 254 can be named.
 *
 * From an x2APIC sender to an xAPIC receiver, the usual case while an OS starts CPUs: the receiver
 * answers to the eight bits that it knows as its ID. If its whole ID has more it answers to that
 * too, since nobody else can be meant. Hardware is said to ignore the destination's upper bits;
 * that would reset a CPU that the sender did not name, and no guest can want it.
 */
static bool hits_physical(const struct icr *icr, const struct apic_place *place)
{
	if (icr->destination == (icr->x2apic ? X2APIC_BROADCAST : XAPIC_BROADCAST))
		return true;
	if (icr->destination == place->id)
		return true;
	return !place->x2apic && icr->destination == (u8)place->id;
}

/* 11.12.10.1: a cluster and a set of its members. */
static bool hits_logical_x2apic(u32 destination, u32 ldr)
{
	return destination >> 16 == ldr >> 16 && (destination & ldr & 0xffff);
}

/*
 * 11.6.2.2. Bits 31:28 of the DFR are 0 for clusters and 0xf for the flat model; others are
 * reserved and taken as flat, which accepts all that the cluster model does.
 */
static bool hits_logical_xapic(u32 destination, const struct apic_place *place)
{
	u32 ldr = place->ldr >> 24;

	if (place->dfr >> 28 == 0)
		return destination >> 4 == ldr >> 4 && (destination & ldr & 0xf);
	return destination & ldr;
}

/*
 * It is the receiver that compares, so its mode decides how; broadcast comes before its LDR, which
 * is 0 after INIT.
 *
 * From an xAPIC sender to an x2APIC receiver: the eight bits are members of cluster 0, and all ones
 * is taken as the broadcast that the sender meant, though hardware may see those members only.
 *
 * From an x2APIC sender to an xAPIC receiver: 0xff is broadcast to the receiver, as it sees no more
 * than eight bits. Anything larger names a cluster in which no xAPIC CPU is: not for it.
 */
static bool hits_logical(const struct icr *icr, const struct apic_place *place)
{
	u32 destination = icr->destination;

	if (destination == X2APIC_BROADCAST)
		return true;
	if (destination == XAPIC_BROADCAST && !(icr->x2apic && place->x2apic))
		return true;
	if (place->x2apic)
		return hits_logical_x2apic(destination, place->ldr);
	return destination < XAPIC_BROADCAST && hits_logical_xapic(destination, place);
}

bool icr_hits(const struct icr *icr, const struct apic_place *place, bool self)
{
	if (!place->enabled)
		return false;
	switch (icr->shorthand) {
	case ICR_SELF:
		return self;
	case ICR_ALL:
		return true;
	case ICR_ALL_BUT_SELF:
		return !self;
	default:
		return icr->logical ? hits_logical(icr, place) : hits_physical(icr, place);
	}
}
