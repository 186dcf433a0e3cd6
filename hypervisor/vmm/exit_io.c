/* SPDX-License-Identifier: BSD-2-Clause */
/* Port accesses that exit: power control only (vmm/power.c). They are watched, then done. */
#include <keel/console.h>

#include "cpu/port.h"
#include "cpu/regs.h"
#include "vmm/account.h"
#include "vmm/backend.h"
#include "vmm/handlers.h"
#include "vmm/power.h"

static u32 port_in(u16 port, u8 bytes)
{
	switch (bytes) {
	case 1:
		return inb(port);
	case 2:
		return inw(port);
	default:
		return inl(port);
	}
}

static void port_out(u16 port, u8 bytes, u32 value)
{
	switch (bytes) {
	case 1:
		outb(port, (u8)value);
		break;
	case 2:
		outw(port, (u16)value);
		break;
	default:
		outl(port, value);
	}
}

/*
 * Merges what IN read into RAX: a 32-bit result clears the upper half, smaller ones keep the rest.
 */
static void set_result(struct percpu *cpu, u8 bytes, u32 value)
{
	unsigned long keep = bytes == 1 ? ~0xfful : ~0xfffful;

	if (bytes == 4)
		cpu->regs.rax = value;
	else
		cpu->regs.rax = (cpu->regs.rax & keep) | (value & ~keep);
}

void exit_io(struct percpu *cpu, const struct exit_info *info)
{
	u32 mask = info->io.bytes == 4 ? ~0u : BIT(8 * info->io.bytes) - 1;
	u32 value = (u32)cpu->regs.rax & mask;

	account_key(cpu->counts, KEEL_TALLY_PORT, info->io.port);
	if (info->io.string) {
		/* No system moves memory blocks to a power-control register. */
		log_error("string I/O to the power-control port 0x%x refused", info->io.port);
		backend->inject(cpu, VECTOR_GP, 0);
		return;
	}
	if (info->io.in) {
		set_result(cpu, info->io.bytes, port_in(info->io.port, info->io.bytes));
	} else if (power_write_allowed(info->io.port, info->io.bytes, value)) {
		port_out(info->io.port, info->io.bytes, value);
	}
	backend->skip(cpu);
}
