/* SPDX-License-Identifier: BSD-2-Clause */
/* MTRR arithmetic (Intel SDM volume 3, 12.11; AMD APM volume 2, 7.7). Pure: works on a snapshot. */
#ifndef KEEL_LIB_MTRR_H
#define KEEL_LIB_MTRR_H

#include <keel/types.h>

enum mem_type {
	MEM_UC = 0,
	MEM_WC = 1,
	MEM_WT = 4,
	MEM_WP = 5,
	MEM_WB = 6,
};

#define MTRR_FIXED_MSRS	   11
#define MTRR_VARIABLE_MAX  16

/* IA32_MTRRCAP */
#define MTRRCAP_VCNT	   0xffu
#define MTRRCAP_FIX	   0x100u
/* IA32_MTRR_DEF_TYPE */
#define MTRR_DEF_TYPE_TYPE 0xffu
#define MTRR_DEF_TYPE_FE   0x400u
#define MTRR_DEF_TYPE_E	   0x800u
/* IA32_MTRR_PHYSMASKn */
#define MTRR_PHYSMASK_V	   0x800u

/* Raw values of the MTRR MSRs. */
struct mtrr_state {
	u64 cap;      /* IA32_MTRRCAP; 0 if CPUID.1:EDX.MTRR is 0 */
	u64 def_type; /* IA32_MTRR_DEF_TYPE */
	/* 64K_00000, 16K_80000, 16K_A0000, 4K_C0000 ... 4K_F8000, in this order. */
	u64 fixed[MTRR_FIXED_MSRS];
	struct {
		u64 base; /* IA32_MTRR_PHYSBASEn */
		u64 mask; /* IA32_MTRR_PHYSMASKn */
	} variable[MTRR_VARIABLE_MAX];
	u8 phys_bits; /* MAXPHYADDR; bits above are ignored in base and mask */
};

/*
 * The memory type at physical address @pa, and in *@end (may be NULL) an address up to which
 * (exclusive) the type is surely the same; *@end is page-aligned, > @pa and as far as can be told
 * by looking at region borders (at most 1 << phys_bits).
 *
 * Rules: E=0 means UC everywhere. Fixed ranges (if FIX and FE) win below 1 MiB. Overlapping
 * variable ranges: UC wins; WT with WB gives WT; any other mix is undefined by the manual and gives
 * UC here. No range: the default type. No MTRRs at all (cap = 0 and def_type = 0): UC by the rule
 * of E=0. Reserved type encodings are treated as UC. A mask with holes (non-contiguous) is legal:
 * *@end is right there too. An address at or above 1 << phys_bits is UC.
 */
enum mem_type mtrr_type(const struct mtrr_state *mtrr, u64 pa, u64 *end);

/*
 * Do two snapshots give the same type to every address below 1 << phys_bits? False also where
 * masks with holes make the maps too ragged to compare in bounded time.
 */
bool mtrr_same_map(const struct mtrr_state *a, const struct mtrr_state *b);

#endif
