/* SPDX-License-Identifier: BSD-2-Clause */
/* VMREAD and VMWRITE, in assembly and in C. A build with CONFIG_COUNT_VMCS counts them. */
#ifndef KEEL_VMX_ACCESS_H
#define KEEL_VMX_ACCESS_H

#include <generated/autoconf.h>
#include <keel/percpu.h>

#include "vmx/count.h"

#ifdef __ASSEMBLER__

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

#else

/* Panics: this processor has no field @field, or there is no current VMCS. */
_Noreturn void vmcs_access_failed(u32 field);

static inline unsigned long vmcs_read(u32 field)
{
	unsigned long value;
	bool failed;

	vmx_count_access(field, false);
	__asm__ volatile("vmread %2, %0"
			 : "=rm"(value), "=@ccbe"(failed)
			 : "r"((unsigned long)field));
	if (__builtin_expect(failed, 0))
		vmcs_access_failed(field);
	return value;
}

static inline void vmcs_write(u32 field, unsigned long value)
{
	bool failed;

	vmx_count_access(field, true);
	__asm__ volatile("vmwrite %1, %2"
			 : "=@ccbe"(failed)
			 : "rm"(value), "r"((unsigned long)field)
			 : "memory");
	if (__builtin_expect(failed, 0))
		vmcs_access_failed(field);
}

/*
 * A 64-bit field takes one access where registers have 64 bits; else its upper half is a field of
 * its own, which has the next number (25.11.2).
 */
static inline u64 vmcs_read64(u32 field)
{
	u64 value = vmcs_read(field);

	if (sizeof(long) < sizeof(u64))
		value |= (u64)vmcs_read(field + 1) << 32;
	return value;
}

static inline void vmcs_write64(u32 field, u64 value)
{
	vmcs_write(field, (unsigned long)value);
	if (sizeof(long) < sizeof(u64))
		vmcs_write(field + 1, (unsigned long)(value >> 32));
}

#endif
#endif
