/* SPDX-License-Identifier: BSD-2-Clause */
/* i386: 32-bit Keel with 2-level paging (SDM volume 3, 4.3; APM volume 2, 5.2.1). */
#ifndef KEEL_MODE_I386_SUBARCH_H
#define KEEL_MODE_I386_SUBARCH_H

#define SUBARCH_NAME	  "i386"

#define HOST_CR4	  0x10 /* PSE */
#define HOST_EFER	  0

/* What Keel needs to start. */
#define NEEDED_CPUID_LEAF 1
#define NEEDED_CPUID_EDX  0x00000008 /* PSE */
#define NEEDED_TEXT	  "this CPU has no 4 MiB pages (PSE), which Keel i386 needs: use another CPU"

/* This format has no such bit. */
#define HOST_PTE_NX	  0ull

#include "mode/ia32/ia32.h"

#endif
