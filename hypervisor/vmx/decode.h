/* SPDX-License-Identifier: BSD-2-Clause */
/* From the fields of a VM exit to the neutral words of vmm/exit.h. Pure: no instruction of VMX. */
#ifndef KEEL_VMX_DECODE_H
#define KEEL_VMX_DECODE_H

#include <keel/types.h>

#include "vmm/exit.h"

/* What the VMCS says about an exit. Only the reason is always filled in (vmx_needs()). */
struct vmx_exit_fields {
	u32 reason;
	u64 qualification;
	gpa_t gpa;
	u32 interruption_info;
	u32 idt_vectoring_info;
	u32 idt_vectoring_error;
	u32 instruction_length;
	u64 cr0; /* as the guest sees it */
	bool in_64bit_code;
	unsigned long rsp;
};

/* Fields that mean something for an exit; bits for vmx_needs(). */
#define NEED_QUALIFICATION     1
#define NEED_GPA	       2
#define NEED_INTERRUPTION_INFO 4
#define NEED_IDT_VECTORING     8
#define NEED_GUEST_MODE	       16 /* cr0, in_64bit_code, rsp */
/* Not a field: the exit means something only if a kick is lost (event.h). */
#define NEED_LOST_KICK	       32

/* Which of the fields an exit with basic reason @reason needs: each one read costs. */
u8 vmx_needs(u32 reason);

/* Fills @info. @registers: the guest's general registers by number, RSP's slot unused. */
void vmx_decode(const struct vmx_exit_fields *fields, const unsigned long *registers,
		struct exit_info *info);

/* An event for the next VM entry. */
struct vmx_event {
	u32 info; /* VM-entry interruption information; 0: none */
	u32 error;
	u32 instruction_length; /* for software events only */
};

/* The event whose delivery the exit has cut short: it is to be delivered again. */
struct vmx_event vmx_interrupted_event(const struct vmx_exit_fields *fields);

/* Does a delivered event with @info say how long its instruction is? */
bool vmx_event_has_length(u32 info);

/* Exception @vector. @protected_mode: CR0.PE = 1; without it no error code is pushed. */
struct vmx_event vmx_exception(u8 vector, u32 error, bool protected_mode);

#endif
