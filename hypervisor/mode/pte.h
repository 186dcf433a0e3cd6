/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits of a page-table entry that all x86 paging modes share (SDM volume 3, 4.3 to 4.5). */
#ifndef KEEL_MODE_PTE_H
#define KEEL_MODE_PTE_H

#include <keel/bits.h>

#define PTE_P	 BIT64(0)
#define PTE_RW	 BIT64(1)
#define PTE_US	 BIT64(2)
#define PTE_A	 BIT64(5)
#define PTE_D	 BIT64(6)
#define PTE_PS	 BIT64(7)
#define PTE_NX	 BIT64(63)
#define PTE_ADDR 0x000ffffffffff000ull

#endif
