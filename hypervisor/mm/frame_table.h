/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEEL_MM_FRAME_TABLE_H
#define KEEL_MM_FRAME_TABLE_H

#include "lib/pagetable.h"

/* An empty page table of @format whose tables are page frames; its root is NULL if there is none. */
struct pt frame_table(const struct pt_format *format);

#endif
