/* SPDX-License-Identifier: BSD-2-Clause */
/* What modes.c and modes_code.S share. The results lie where 16-bit code can store them. */
#ifndef MODES_H
#define MODES_H

#define LOW_CODE 0x8000
#define LOW_RESULT 0x9000
#define LOW_CALL 0x9020 /* 0: no hypercall, 1: VMCALL, 2: VMMCALL */
#define LOW_BIOS 0x9024
#define LOW_KEPT 0x9028 /* 64-bit registers survived */
#define LOW_BAD_MSR 0x902c /* an MSR whose read is #GP in real mode; 0: try none */
#define LOW_FAULT 0x9030 /* the bytes that #GP pushed, and the IP among them */

#ifndef __ASSEMBLER__
#include "lib/guest.h"

struct mode_result {
	u32 cpuid[4], efer, answer, efer_want;
};
#define mode_result (*(struct mode_result *)LOW_RESULT)
#define mode_call (*(u32 *)LOW_CALL)
#define mode_high_kept (*(u32 *)LOW_KEPT)
#define mode_bios_memory (*(u16 *)LOW_BIOS)

#define mode_bad_msr (*(u32 *)LOW_BAD_MSR)
#define mode_fault ((u16 *)LOW_FAULT)

extern const char low_start[], low_end[], low_bad_rdmsr[];
void mode_probe32(void);
void mode_probe64(void);
void mode_protected16(void);
void mode_real(void);
void mode_long(void);
void mode_compat(void);
#endif

#endif
