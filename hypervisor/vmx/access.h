/* SPDX-License-Identifier: BSD-2-Clause */
/* VMREAD and VMWRITE in assembly. A build with CONFIG_COUNT_VMCS counts them, as vmcs.h does in C. */
#ifndef KEEL_VMX_ACCESS_H
#define KEEL_VMX_ACCESS_H

#ifdef __ASSEMBLER__

#include <generated/autoconf.h>
#include <keel/percpu.h>

#include "vmx/count.h"

/* clang-format off */
#ifdef CONFIG_COUNT_VMCS
.macro count_access place
	mov PERCPU_VENDOR + VMX_CPU_ACCESSES(rSP), rCX
	incl \place(rCX)
.endm
#else
.macro count_access place
.endm
#endif

/* Field @field into register @to, which is not ECX. Clobbers rCX and the flags. */
.macro read_field field, to
	count_access 4*(ACCESS_INDEX(\field))
	mov $\field, %ecx
	vmread rCX, \to
.endm

/* Register @from, which is not ECX, into field @field. The same. */
.macro write_field field, from
	count_access 4*(ACCESSES+ACCESS_INDEX(\field))
	mov $\field, %ecx
	vmwrite \from, rCX
.endm
/* clang-format on */

#endif
#endif
