/* SPDX-License-Identifier: BSD-2-Clause */
/* Identity map of the first 4 GiB by 2 MiB pages; one set of tables serves PAE and long mode. */
#ifndef PAGING_H
#define PAGING_H

#include "guest.h"

#define WINDOW_SIZE 0x200000u
#define USER_WINDOW 0xd0000000u /* the image again, for CPL 3 (paged only) */
#define HIGH_WINDOW 0xd0200000u /* any 2 MiB of physical memory */

extern u64 pd_table[2048];
extern u64 pdpt_pae[4];
extern u64 pml4_table[512];

bool paging_on(void);
void pae_on(void);
void pae_off(void);
/* 32-bit paging: the same identity map by 4 MiB pages. Only for 32-bit payloads. */
void pse_on(void);
void pse_off(void);
/* Maps the 2 MiB that hold pa; returns the address of pa. Needs paging. */
void *map_high(u64 pa);
/* Makes USER_WINDOW; needs paging. */
void map_user(void);

#endif
