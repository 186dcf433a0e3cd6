/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/apic_page.h"

#include <generated/autoconf.h>
#include <keel/bits.h>
#include <keel/console.h>

#include "cpu/msr.h"
#include "cpu/regs.h"
#include "dev/apic.h"
#include "lib/store.h"
#include "mm/host_map.h"
#include "vmm/account.h"
#include "vmm/apic.h"
#include "vmm/guest_memory.h"
#include "vmm/watchdog.h"

#define RSP_NUMBER	 4
#define REGISTER_ALIGNED 0xfu
#define STOS_STEP	 4
#define ARITHMETIC_FLAGS 0x8d5u /* CF PF AF ZF SF OF */

/* The store that exited, and where the guest is. */
struct attempt {
	struct guest_state state;
	struct store store;
	gpa_t gpa;
};

static bool is_own_apic(const struct percpu *cpu, gpa_t gpa)
{
	return cpu->place.enabled && !cpu->place.x2apic &&
	       align_down(gpa, PAGE_SIZE) == (cpu->apic_base & APIC_BASE_ADDRESS);
}

static u8 code_bits(const struct guest_state *s)
{
	if (s->cs_long && s->efer & EFER_LMA)
		return 64;
	return s->cs_big ? 32 : 16;
}

/* Where the instruction is, as a linear address. */
static gva_t code_address(const struct guest_state *s, u8 bits)
{
	return bits == 64 ? s->rip : (u32)(s->cs_base + s->rip);
}

/* What was decoded last on each CPU, by where it lay: an operating system has few such stores. */
#define DECODED 4u

struct decoded {
	u64 code[CODE_BYTES / sizeof(u64)];
	u8 bits; /* 0: nothing */
	u8 plain; /* the same if it is nothing but a store of a register in cpu->regs or a number, else 0 */
	struct store store;
} __attribute__((aligned(64))); /* no cache line has two writers */

static struct decoded decoded[CONFIG_NR_CPUS][DECODED];

static u8 plain_bits(const struct store *store, u8 bits)
{
	bool plain = bits != 16 && store->op == STORE_MOV && !store->stos &&
		     (store->immediate || store->reg != RSP_NUMBER);

	return plain ? bits : 0;
}

/* store_decode() of the bytes at @code, or what that said of the same bytes before. */
static bool decode_known(struct percpu *cpu, const u64 *code, u8 bits, u64 rip, struct store *store)
{
	struct decoded *d = &decoded[cpu->index][rip % DECODED];

	if (d->code[0] != code[0] || d->code[1] != code[1] || d->bits != bits) {
		if (!store_decode((const u8 *)code, STORE_LENGTH_MAX, bits, store))
			return false;
		*d = (struct decoded){{code[0], code[1]}, bits, plain_bits(store, bits), *store};
	}
	*store = d->store;
	return true;
}

static bool decode(struct percpu *cpu, const struct exit_info *info, struct attempt *a)
{
	u64 copy[CODE_BYTES / sizeof(u64)];
	u8 code[STORE_LENGTH_MAX];
	const u64 *there;
	u8 bits;
	size_t len;

	backend->get_state(cpu, &a->state);
	a->gpa = info->memory.gpa;
	/* Registers are dwords on 16-byte borders; what a chip makes of other addresses varies. */
	if (!info->memory.by_instruction || a->gpa % sizeof(u32) ||
	    (is_own_apic(cpu, a->gpa) && a->gpa & REGISTER_ALIGNED))
		return false;
	bits = code_bits(&a->state);
	there = (const u64 *)guest_code(cpu, &a->state, code_address(&a->state, bits));
	if (there) {
		/* Once: another CPU may change it. */
		copy[0] = there[0];
		copy[1] = there[1];
		return decode_known(cpu, copy, bits, a->state.rip, &a->store);
	}
	len = guest_read(&a->state, code_address(&a->state, bits), code, sizeof(code));
	return store_decode(code, len, bits, &a->store);
}

static void refuse_store(struct percpu *cpu, const struct attempt *a)
{
	static bool said;

	if (!said)
		log_error("a store to the local APIC at 0x%llx that Keel cannot follow (RIP "
			  "0x%llx): #GP",
			  (unsigned long long)a->gpa, (unsigned long long)a->state.rip);
	said = true;
	backend->inject(cpu, VECTOR_GP, 0);
}

static u32 source(const struct percpu *cpu, const struct attempt *a)
{
	if (a->store.immediate)
		return a->store.value;
	return (u32)(a->store.reg == RSP_NUMBER ? a->state.rsp : cpu->regs.by_number[a->store.reg]);
}

/* This CPU's own APIC: the registers that Keel looks at, and the rest to the hardware. */
static void write_register(struct percpu *cpu, volatile u32 *target, u32 reg, u32 value)
{
	struct icr icr;

	switch (reg) {
	case APIC_REG_ICR_LOW:
		icr = icr_xapic(value, apic_read(APIC_REG_ICR_HIGH));
		if (!apic_icr_written(cpu, &icr))
			apic_write(reg, value);
		break;
	case APIC_REG_ID:
	case APIC_REG_LDR:
	case APIC_REG_DFR:
		apic_write(reg, value);
		apic_place_changed(cpu);
		break;
	default:
		*target = value;
	}
}

/* What the instruction does beside the store. */
static void finish(struct percpu *cpu, const struct attempt *a, u32 old, u32 flags)
{
	struct guest_regs *regs = &cpu->regs;
	unsigned long mask = a->store.address_bits == 16 ? 0xffff : ~0ul;
	unsigned long di = regs->rdi;

	if (a->store.op == STORE_XCHG)
		regs->by_number[a->store.reg] = old;
	if (a->store.stos) {
		di += a->state.rflags & RFLAGS_DF ? -(unsigned long)STOS_STEP : STOS_STEP;
		if (a->store.address_bits == 32)
			di = (u32)di;
		regs->rdi = (regs->rdi & ~mask) | (di & mask);
	}
	if ((a->state.rflags ^ flags) & ARITHMETIC_FLAGS)
		backend->set_rflags(cpu, (a->state.rflags & ~(u64)ARITHMETIC_FLAGS) |
						 (flags & ARITHMETIC_FLAGS));
	backend->skip_bytes(cpu, a->store.length);
}

/* Registers, by offset / 16, that Keel looks at: a store to another one asks for nothing but itself. */
#define REGISTER_BIT(reg) BIT64((reg) / 16)
#define REGISTERS_END	  (64 * 16)
/* Bits that are 0 in the address of each register below HOST_MAP_END. */
#define NOT_A_REGISTER	  (~(HOST_MAP_END - 1) | (PAGE_SIZE - REGISTERS_END) | REGISTER_ALIGNED)
#define LOOKED_AT \
	(REGISTER_BIT(APIC_REG_ID) | REGISTER_BIT(APIC_REG_LDR) | REGISTER_BIT(APIC_REG_DFR))

static bool is_plain_register(const struct percpu *cpu, gpa_t gpa, u32 value)
{
	u32 reg = gpa & (PAGE_SIZE - 1);

	/* Where 32-bit Keel has its windows, it has something else than the guest. */
	if (HOST_WINDOWS < HOST_MAP_END && gpa >= HOST_WINDOWS)
		return false;
	if (reg == APIC_REG_ICR_LOW && value & ICR_MODE_SPECIAL)
		return false;
	return is_own_apic(cpu, gpa) && !(gpa & NOT_A_REGISTER) && !(LOOKED_AT & REGISTER_BIT(reg));
}

u8 exit_plain_store(struct percpu *cpu, gpa_t gpa, u32 raw, const struct guest_state *state,
		    u8 bits)
{
	const struct decoded *d = &decoded[cpu->index][state->rip % DECODED];
	const u64 *code = (const u64 *)guest_code(cpu, state, code_address(state, bits));
	struct keel_cpu *counts = cpu->counts;
	u32 value;

	if (!code || d->code[0] != code[0] || d->code[1] != code[1] || d->plain != bits)
		return 0;
	value = d->store.immediate ? d->store.value : (u32)cpu->regs.by_number[d->store.reg];
	if (!is_plain_register(cpu, gpa, value))
		return 0;
	watchdog_enter_keel(cpu);
	account_exit(counts, EXIT_MEMORY, raw);
	account_page(counts, gpa);
	/* The page is not Keel's (vmm/apic.c), so it is where the guest has it. */
	*(volatile u32 *)(unsigned long)gpa = value;
	watchdog_leave_keel(cpu);
	return d->store.length;
}

void apic_page_store(struct percpu *cpu, const struct exit_info *info)
{
	struct attempt a;
	volatile u32 *target;
	u32 flags, value;
	u32 old = 0;

	if (!decode(cpu, info, &a) || (a.store.op == STORE_XCHG && a.store.reg == RSP_NUMBER)) {
		refuse_store(cpu, &a);
		return;
	}
	target = host_map_any(a.gpa, sizeof(u32));
	flags = (u32)a.state.rflags;
	value = source(cpu, &a);
	if (a.store.op != STORE_MOV) {
		old = target ? *target : 0;
		value = store_result(&a.store, old, value, &flags);
	}
	if (target && is_own_apic(cpu, a.gpa))
		write_register(cpu, target, a.gpa & (PAGE_SIZE - 1), value);
	else if (target)
		*target = value;
	finish(cpu, &a, old, flags);
}
