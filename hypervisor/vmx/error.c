/* SPDX-License-Identifier: BSD-2-Clause */
/* The processor's refusals, in words. */
#include <keel/panic.h>

#include "vmx/vmcs.h"
#include "vmx/vmx.h"

/* VM-instruction error numbers (SDM 31.4). */
static const char *const instruction_errors[] = {
	[1] = "VMCALL executed in VMX root operation",
	[2] = "VMCLEAR with invalid physical address",
	[3] = "VMCLEAR with VMXON pointer",
	[4] = "VMLAUNCH with non-clear VMCS",
	[5] = "VMRESUME with non-launched VMCS",
	[6] = "VMRESUME after VMXOFF",
	[7] = "VM entry with invalid control fields",
	[8] = "VM entry with invalid host-state fields",
	[9] = "VMPTRLD with invalid physical address",
	[10] = "VMPTRLD with VMXON pointer",
	[11] = "VMPTRLD with incorrect VMCS revision identifier",
	[12] = "VMREAD or VMWRITE of an unsupported field",
	[13] = "VMWRITE to a read-only field",
	[15] = "VMXON executed in VMX root operation",
	[26] = "VM entry with events blocked by MOV SS",
	[28] = "invalid operand to INVEPT or INVVPID",
};

const char *vmx_instruction_error(u32 number)
{
	if (number < ARRAY_SIZE(instruction_errors) && instruction_errors[number])
		return instruction_errors[number];
	return "unknown VM-instruction error";
}

const char *vmx_entry_failure(u32 basic_reason)
{
	switch (basic_reason) {
	case REASON_INVALID_GUEST_STATE:
		return "invalid guest state";
	case REASON_MSR_LOADING:
		return "MSR loading";
	case REASON_MACHINE_CHECK_AT_ENTRY:
		return "machine-check event";
	default:
		return "unknown reason";
	}
}

void vmcs_access_failed(u32 field)
{
	/* A second VMREAD, without the check: its failure must not come back here. */
	unsigned long number = 0;

	__asm__ volatile("vmread %1, %0"
			 : "+r"(number)
			 : "r"((unsigned long)VMCS_INSTRUCTION_ERROR)
			 : "cc");
	panic("VMCS field 0x%x cannot be accessed: error %lu, %s", field, number,
	      vmx_instruction_error(number));
}
