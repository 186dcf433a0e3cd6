/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes VM exits: exit reasons (SDM appendix C) and qualifications (SDM 28.2.1). */
#include "vmx/decode.h"

#include "cpu/regs.h"
#include "vmx/vmcs.h"

/* Neutral reason and fields needed, by basic exit reason; a reason not listed is unknown. */
static const struct {
	bool known;
	u8 reason; /* enum exit_reason */
	u8 needs;
} reasons[REASON_COUNT] = {
	/* clang-format off */
	[REASON_EXCEPTION_OR_NMI] = { true, EXIT_NMI, NEED_INTERRUPTION_INFO | NEED_IDT_VECTORING },
	[REASON_TRIPLE_FAULT] = { true, EXIT_TRIPLE_FAULT, 0 },
	[REASON_INIT] = { true, EXIT_INIT, 0 },
	[REASON_SIPI] = { true, EXIT_SIPI, NEED_QUALIFICATION },
	[REASON_NMI_WINDOW] = { true, EXIT_NMI_WINDOW, 0 },
	[REASON_TASK_SWITCH] = { true, EXIT_TASK_SWITCH, NEED_QUALIFICATION },
	[REASON_CPUID] = { true, EXIT_CPUID, 0 },
	[REASON_GETSEC] = { true, EXIT_HIDDEN_INSN, 0 },
	[REASON_INVD] = { true, EXIT_INVD, 0 },
	[REASON_VMCALL] = { true, EXIT_HYPERCALL, 0 },
	[REASON_VMCLEAR] = { true, EXIT_HIDDEN_INSN, 0 },
	[REASON_VMLAUNCH] = { true, EXIT_HIDDEN_INSN, 0 },
	[REASON_VMPTRLD] = { true, EXIT_HIDDEN_INSN, 0 },
	[REASON_VMPTRST] = { true, EXIT_HIDDEN_INSN, 0 },
	[REASON_VMREAD] = { true, EXIT_HIDDEN_INSN, 0 },
	[REASON_VMRESUME] = { true, EXIT_HIDDEN_INSN, 0 },
	[REASON_VMWRITE] = { true, EXIT_HIDDEN_INSN, 0 },
	[REASON_VMXOFF] = { true, EXIT_HIDDEN_INSN, 0 },
	[REASON_VMXON] = { true, EXIT_HIDDEN_INSN, 0 },
	[REASON_CONTROL_REGISTER] = { true, EXIT_CR, NEED_QUALIFICATION | NEED_GUEST_MODE },
	[REASON_IO] = { true, EXIT_IO, NEED_QUALIFICATION },
	[REASON_RDMSR] = { true, EXIT_RDMSR, 0 },
	[REASON_WRMSR] = { true, EXIT_WRMSR, 0 },
	[REASON_EPT_VIOLATION] = { true, EXIT_MEMORY,
				   NEED_QUALIFICATION | NEED_GPA | NEED_IDT_VECTORING },
	[REASON_EPT_MISCONFIGURATION] = { true, EXIT_MEMORY, NEED_GPA | NEED_IDT_VECTORING },
	[REASON_INVEPT] = { true, EXIT_HIDDEN_INSN, 0 },
	[REASON_PREEMPTION_TIMER] = { true, EXIT_INIT, NEED_LOST_KICK },
	[REASON_INVVPID] = { true, EXIT_HIDDEN_INSN, 0 },
	[REASON_XSETBV] = { true, EXIT_XSETBV, 0 },
	/* clang-format on */
};

u8 vmx_needs(u32 reason)
{
	u32 basic = reason & REASON_BASIC;

	/* For one that Keel never asked for, the qualification may help whoever reads the dump. */
	if (basic >= REASON_COUNT || !reasons[basic].known)
		return NEED_QUALIFICATION;
	return reasons[basic].needs;
}

static void decode_io(u64 qualification, struct exit_info *info)
{
	info->io.port = IO_QUALIFICATION_PORT(qualification);
	info->io.bytes = (qualification & IO_QUALIFICATION_SIZE) + 1;
	info->io.in = qualification & IO_QUALIFICATION_IN;
	info->io.string = qualification & IO_QUALIFICATION_STRING;
}

static void decode_memory(const struct vmx_exit_fields *fields, struct exit_info *info)
{
	u64 q = fields->qualification;
	u64 own = EPT_QUALIFICATION_LINEAR | EPT_QUALIFICATION_TRANSLATED;

	info->memory.gpa = fields->gpa;
	info->memory.misconfigured = info->raw == REASON_EPT_MISCONFIGURATION;
	info->memory.write = q & EPT_QUALIFICATION_WRITE;
	info->memory.fetch = q & EPT_QUALIFICATION_FETCH;
	info->memory.by_instruction = (q & (own | EPT_QUALIFICATION_ASYNCHRONOUS)) == own &&
				      !(fields->idt_vectoring_info & EVENT_VALID);
}

static u64 moved_value(const struct vmx_exit_fields *fields, const unsigned long *registers)
{
	/* RSP is number 4 in an instruction's encoding; its value is in the VMCS. */
	u32 number = CR_QUALIFICATION_REGISTER(fields->qualification);
	unsigned long value = number == 4 ? fields->rsp : registers[number];

	return fields->in_64bit_code ? value : (u32)value;
}

static void decode_cr(const struct vmx_exit_fields *fields, const unsigned long *registers,
		      struct exit_info *info)
{
	u64 q = fields->qualification;
	u64 low4 = CR0_PE | CR0_MP | CR0_EM | CR0_TS;

	info->cr.number = q & CR_QUALIFICATION_NUMBER;
	switch (CR_QUALIFICATION_ACCESS(q)) {
	case CR_ACCESS_MOV_TO:
		info->cr.value = moved_value(fields, registers);
		break;
	case CR_ACCESS_CLTS:
		info->cr.number = 0;
		info->cr.value = fields->cr0 & ~CR0_TS;
		break;
	case CR_ACCESS_LMSW:
		/* LMSW sets the four lowest bits, but cannot clear PE. */
		info->cr.number = 0;
		info->cr.value = (fields->cr0 & ~(low4 & ~CR0_PE)) |
				 (CR_QUALIFICATION_LMSW_SOURCE(q) & low4);
		break;
	default: /* a read exits only on a control that Keel leaves off */
		info->reason = EXIT_UNKNOWN;
	}
}

void vmx_decode(const struct vmx_exit_fields *fields, const unsigned long *registers,
		struct exit_info *info)
{
	u32 basic = fields->reason & REASON_BASIC;

	info->raw = basic;
	info->qualification = fields->qualification;
	info->reason = EXIT_UNKNOWN;
	if (basic >= REASON_COUNT || !reasons[basic].known)
		return;
	info->reason = reasons[basic].reason;
	switch (info->reason) {
	case EXIT_NMI:
		if ((fields->interruption_info & EVENT_TYPE) != EVENT_TYPE_NMI)
			info->reason = EXIT_UNKNOWN; /* Keel intercepts no exception */
		break;
	case EXIT_INIT:
		info->init.lost = basic == REASON_PREEMPTION_TIMER;
		break;
	case EXIT_IO:
		decode_io(fields->qualification, info);
		break;
	case EXIT_CR:
		decode_cr(fields, registers, info);
		break;
	case EXIT_MEMORY:
		decode_memory(fields, info);
		break;
	case EXIT_SIPI:
		info->sipi.vector = fields->qualification & SIPI_QUALIFICATION_VECTOR;
		break;
	default:
		break;
	}
}

bool vmx_event_has_length(u32 info)
{
	u32 type = info & EVENT_TYPE;

	return type == EVENT_TYPE_SOFTWARE_INTERRUPT || type == EVENT_TYPE_SOFTWARE_EXCEPTION ||
	       type == EVENT_TYPE_PRIVILEGED_SOFTWARE_EXCEPTION;
}

struct vmx_event vmx_interrupted_event(const struct vmx_exit_fields *fields)
{
	u32 info = fields->idt_vectoring_info;
	struct vmx_event event = {0};

	if (!(info & EVENT_VALID))
		return event;
	/* Bit 12 is undefined here and reserved at VM entry. */
	event.info = info & (EVENT_VALID | EVENT_ERROR_CODE | EVENT_TYPE | EVENT_VECTOR);
	if (info & EVENT_ERROR_CODE)
		event.error = fields->idt_vectoring_error;
	if (vmx_event_has_length(info))
		event.instruction_length = fields->instruction_length;
	return event;
}

/* #DF, #TS, #NP, #SS, #GP, #PF, #AC and #CP push an error code (SDM table 6-1). */
static bool has_error_code(u8 vector)
{
	return vector == VECTOR_DF || (vector >= 10 && vector <= 14) || vector == 17 ||
	       vector == 21;
}

struct vmx_event vmx_exception(u8 vector, u32 error, bool protected_mode)
{
	struct vmx_event event = {
		.info = EVENT_VALID | EVENT_TYPE_HARDWARE_EXCEPTION | vector,
		.error = error,
	};

	if (has_error_code(vector) && protected_mode)
		event.info |= EVENT_ERROR_CODE;
	return event;
}
