/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Picks the subarch: everything that differs by width is in the file included here. Beside names,
 * numbers and struct guest_regs and isr_frame it has
 *
 *   GUEST_LONG_MODE	may the guest enter long mode?
 *   HOST_PTE_NX	no-execute in Keel's own page tables, 0 if their format has none
 *   HOST_WINDOWS	linear address of CONFIG_NR_CPUS windows of HOST_WINDOW_SIZE (mm/host_map.c)
 */
#ifndef KEEL_MODE_MODE_H
#define KEEL_MODE_MODE_H

#include <generated/autoconf.h>

#if defined(CONFIG_SUBARCH_AMD64)
#include "mode/amd64/subarch.h"
#elif defined(CONFIG_SUBARCH_PAE)
#include "mode/pae/subarch.h"
#elif defined(CONFIG_SUBARCH_I386)
#include "mode/i386/subarch.h"
#endif

#endif
