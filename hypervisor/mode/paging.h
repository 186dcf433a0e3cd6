/* SPDX-License-Identifier: BSD-2-Clause */
/* Keel's own paging and SVM's nested paging, which has the same format (APM volume 2, 15.25.3). */
#ifndef KEEL_MODE_PAGING_H
#define KEEL_MODE_PAGING_H

#include "lib/pagetable.h"
#include "mode/mode.h"

/* Keel's own page tables. */
extern const struct pt_format host_pt_format;

/*
 * SVM's nested table: user pages. On amd64 level 2 becomes a leaf where the CPU has 1 GiB pages; in
 * the other formats there are none.
 */
#define NESTED_LEVEL_2M 1
#define NESTED_LEVEL_1G 2
extern struct pt_format host_nested_format;

/* Puts the page tables at @root in force on this CPU. */
void paging_load(unsigned long root);

#endif
