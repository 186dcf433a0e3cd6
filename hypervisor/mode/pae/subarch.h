/* SPDX-License-Identifier: BSD-2-Clause */
/* PAE: 32-bit Keel with PAE paging (SDM volume 3, 4.4; APM volume 2, 5.2.2). */
#ifndef KEEL_MODE_PAE_SUBARCH_H
#define KEEL_MODE_PAE_SUBARCH_H

#define SUBARCH_NAME	  "PAE"

#define HOST_CR4	  0x20	/* PAE */
#define HOST_EFER	  0x800 /* NXE */

/* What Keel needs to start. */
#define NEEDED_CPUID_LEAF 0x80000001
#define NEEDED_CPUID_EDX  0x00100000 /* NX */
#define NEEDED_TEXT	  "this CPU has no PAE with NX, which Keel PAE needs: use Keel i386"

#define HOST_PTE_NX	  PTE_NX

#include "mode/ia32/ia32.h"

#endif
