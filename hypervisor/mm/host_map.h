/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keel's own address space: the first 4 GiB, identity-mapped, and each CPU's window on all else: what
 * lies above, if the format of Keel's page tables has it, and on 32-bit subarchs the piece of the
 * first 4 GiB in whose place the windows are.
 */
#ifndef KEEL_MM_HOST_MAP_H
#define KEEL_MM_HOST_MAP_H

#include <keel/bits.h>
#include <keel/types.h>

#define HOST_MAP_END GIB(4)

/*
 * Builds Keel's page tables from frame_alloc() and loads CR3: code read-only, constants not
 * executable, everything else writable and not executable. 0 or -ENOMEM.
 */
int host_map_init(void);

/*
 * @len bytes at @pa as Keel reaches them, or NULL if they are not (all) identity-mapped or touch
 * Keel's own memory: what the guest or the firmware names must not lead there.
 */
void *host_map_foreign(u64 pa, size_t len);

/*
 * As host_map_foreign(), and the rest through this CPU's window of HOST_WINDOW_SIZE, whose borders the
 * bytes must not cross: the pointer is good until the next call.
 */
void *host_map_any(u64 pa, size_t len);

/*
 * Lets Keel execute what lies in the page at @pa, below 4 GiB, or forbids it again: for the code that
 * starts CPUs. 0 or -ENOMEM. The caller's own TLB is not flushed.
 */
int host_map_executable(u64 pa, bool executable);

#endif
