/* SPDX-License-Identifier: BSD-2-Clause */
#include "svm/decode.h"

#include "cpu/regs.h"
#include "lib/prefix.h"

/* An MSR exit says in EXITINFO1 whether it is a write (APM volume 2, 15.11). */
#define MSR_EXIT_WRITE 1

static enum exit_reason reason_of(const struct vmcb_control *c)
{
	/* Keel intercepts exceptions only to step over the IRET that ends an NMI handler. */
	if (c->exitcode >= VMEXIT_EXCEPTION && c->exitcode <= VMEXIT_EXCEPTION_LAST)
		return EXIT_NMI_WINDOW;
	switch (c->exitcode) {
	case VMEXIT_NMI:
		return EXIT_NMI;
	case VMEXIT_IRET:
		return EXIT_NMI_WINDOW;
	case VMEXIT_INIT:
		return EXIT_INIT;
	case VMEXIT_CPUID:
		return EXIT_CPUID;
	case VMEXIT_INVD:
		return EXIT_INVD;
	case VMEXIT_IOIO:
		return EXIT_IO;
	case VMEXIT_MSR:
		return c->exitinfo1 == MSR_EXIT_WRITE ? EXIT_WRMSR : EXIT_RDMSR;
	case VMEXIT_SHUTDOWN:
		return EXIT_TRIPLE_FAULT;
	case VMEXIT_VMMCALL:
		return EXIT_HYPERCALL;
	case VMEXIT_INVLPGA:
	case VMEXIT_VMRUN:
	case VMEXIT_VMLOAD:
	case VMEXIT_VMSAVE:
	case VMEXIT_STGI:
	case VMEXIT_CLGI:
	case VMEXIT_SKINIT:
		return EXIT_HIDDEN_INSN;
	case VMEXIT_NPF:
		return EXIT_MEMORY;
	default:
		return EXIT_UNKNOWN;
	}
}

void svm_decode(const struct vmcb_control *c, struct exit_info *info)
{
	info->reason = reason_of(c);
	info->raw = (u32)c->exitcode;
	info->qualification = c->exitinfo1;
	if (info->reason == EXIT_INIT) {
		info->init.lost = false;
	} else if (info->reason == EXIT_IO) {
		info->io.port = (u16)(c->exitinfo1 >> IOIO_PORT_SHIFT);
		info->io.bytes = c->exitinfo1 >> IOIO_SIZE_SHIFT & IOIO_SIZE_MASK;
		info->io.in = c->exitinfo1 & IOIO_IN;
		info->io.string = c->exitinfo1 & IOIO_STR;
	} else if (info->reason == EXIT_MEMORY) {
		info->memory.gpa = c->exitinfo2;
		info->memory.write = c->exitinfo1 & NPF_WRITE;
		info->memory.fetch = c->exitinfo1 & NPF_FETCH;
		info->memory.misconfigured = c->exitinfo1 & NPF_RESERVED;
		info->memory.by_instruction =
			c->exitinfo1 & NPF_FINAL && !(c->exitintinfo & EVENT_VALID);
	}
}

u64 svm_event_to_reinject(u64 exitintinfo)
{
	u32 vector = exitintinfo & EVENT_VECTOR;

	if (!(exitintinfo & EVENT_VALID))
		return 0;
	/* RIP still points at INTn, INT3 or INTO: the guest executes it again. */
	if ((exitintinfo & EVENT_TYPE) == EVENT_TYPE_SOFTWARE)
		return 0;
	if ((exitintinfo & EVENT_TYPE) == EVENT_TYPE_EXCEPTION &&
	    (vector == VECTOR_BP || vector == VECTOR_OF))
		return 0;
	return exitintinfo;
}

static bool is_prefix(u8 byte, bool long_mode)
{
	bool rex = long_mode && (byte & 0xf0) == 0x40;

	return rex || prefix_of(byte) != PREFIX_NONE;
}

u8 svm_insn_length(const u8 *code, size_t len, bool long_mode)
{
	size_t i = 0;

	while (i < len && is_prefix(code[i], long_mode))
		i++;
	if (i + 1 >= len || code[i] != 0x0f)
		return 0;
	i += code[i + 1] == 0x01 ? 3 : 2;
	return i <= len ? (u8)i : 0;
}
