/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stores to the local APIC's page whose instruction is not what it was there the last time: Keel remembers what it
 * has read and decoded, and must see that the code, or what lies at its address, has changed.
 */
#include <keel/abi.h>

#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/paging.h"
#include "lib/trap.h"

const char payload_name[] = "stores";

extern u64 gdt[];

#define ROUNDS 3
#define SEL_WRAP 0x28 /* the 16-bit code segment of start.S, which is not used here */
#define CODE_BYTES 16
#define CODE_AT 0x40	   /* in a frame */
#define EXIT_MEMORY 5
/* Two frames of 2 MiB. */
static const u32 frames[2] = { 0x5000000, 0x5200000 };

/* What each does to the register at (E/R)DI, with @a in EAX and @b in EDX. */
struct store {
	const char *name;
	u8 code[CODE_BYTES];
	u8 (*result)(u8 old, u8 a, u8 b);
};

static u8 is_a(u8 old, u8 a, u8 b) { (void)old, (void)b; return a; }
static u8 is_b(u8 old, u8 a, u8 b) { (void)old, (void)a; return b; }
static u8 is_number(u8 old, u8 a, u8 b) { (void)old, (void)a, (void)b; return 0x70; }
static u8 is_or(u8 old, u8 a, u8 b) { (void)b; return old | a; }

static const struct store stores[] = {
	{ "mov EAX", { 0x89, 0x07, 0xc3 }, is_a },
	{ "mov EDX", { 0x89, 0x17, 0xc3 }, is_b },
	{ "mov number", { 0xc7, 0x07, 0x70, 0, 0, 0, 0xc3 }, is_number },
	{ "or EAX", { 0x09, 0x07, 0xc3 }, is_or },
};

static u8 *put(u32 frame, const struct store *store)
{
	u8 *at = (u8 *)(unsigned long)(frame + CODE_AT);

	for (u32 i = 0; i < CODE_BYTES; i++)
		((volatile u8 *)at)[i] = store->code[i];
	return at;
}

static void call(const u8 *code, u32 a, u32 b)
{
	asm volatile("call *%[code]"
		     : "+a"(a), "+d"(b)
		     : "D"((unsigned long)APIC_BASE_USUAL + APIC_TPR), [code] "S"(code)
		     : "memory", "cc");
}

/* As often as it takes for Keel to take the short way, if there is one. */
static void try_store(const char *where, const u8 *code, const struct store *store)
{
	for (u32 i = 1; i <= ROUNDS; i++) {
		u8 old = 0x10, a = (u8)(0x20 + i), b = (u8)(0x40 + i);

		apic_write(APIC_TPR, old);
		call(code, a, b);
		check_eq(apic_read(APIC_TPR), store->result(old, a, b), "%s %s, time %u", where, store->name, i);
	}
}

/* The bytes at one address change. */
static void change_code(const char *where)
{
	for (u32 i = 0; i < ARRAY_SIZE(stores); i++)
		try_store(where, put(frames[0], &stores[i]), &stores[i]);
}

/* The page at one address changes, under the same CR3. */
static void change_page(const char *where)
{
	put(frames[0], &stores[0]);
	put(frames[1], &stores[1]);
	for (u32 i = 0; i < 4; i++)
		try_store(where, (u8 *)map_high(frames[i % 2]) + CODE_AT, &stores[i % 2]);
}

/* The last instruction before EIP wraps, in a segment whose end lies on the code: on from EIP 0 it returns. */
static void wrap(void)
{
	const struct store *number = &stores[2];
	u8 *code = put(frames[0], number);
	u32 length = 6, base = (u32)(unsigned long)code + length;
	struct { u32 offset; u16 selector; } __attribute__((packed)) far = { -length, SEL_WRAP };
	u64 usual = gdt[SEL_WRAP / 8];

	code[length] = 0xcb; /* far RET */
	gdt[SEL_WRAP / 8] = 0x00cf9b000000ffff | (u64)(base & 0xffffff) << 16 | (u64)(base >> 24) << 56;
	for (u32 i = 1; i <= ROUNDS; i++) {
		apic_write(APIC_TPR, 0x10);
		asm volatile("lcall *%[far]"
			     :
			     : [far] "m"(far), "D"((unsigned long)APIC_BASE_USUAL + APIC_TPR)
			     : "memory", "cc");
		check_eq(apic_read(APIC_TPR), number->result(0, 0, 0), "before EIP wraps, time %u", i);
	}
	gdt[SEL_WRAP / 8] = usual;
}

static void check_exits(void)
{
	const u8 *code = put(frames[0], &stores[0]);
	u64 before = keel_exits(EXIT_MEMORY);
	bool trapped = keel_policy() == KEEL_START_SAFE;

	try_store("counted", code, &stores[0]);
	check_eq((u32)(keel_exits(EXIT_MEMORY) - before), trapped ? 2 * ROUNDS : 0, "exits of %u stores",
		 2 * ROUNDS);
}

void payload(void)
{
	apic_init();
	if (sizeof(long) == 4) {
		change_code("flat");
		pse_on();
		change_code("32-bit paging");
		wrap();
		pse_off();
		pae_on();
	}
	change_code("paging");
	change_page("moved");
	if (keel_answers())
		check_exits();
}
