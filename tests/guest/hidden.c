/* SPDX-License-Identifier: BSD-2-Clause */
/* Keel's memory from the guest: nothing to read, nothing to break, and the guest goes on. */
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/paging.h"
#include "lib/trap.h"

const char payload_name[] = "hidden";

/* Not each page: Keel says a line for each address that cannot be. */
#define ALIAS_STEP 0x8000

static u64 start;
static u32 size;
/* The table KEEL, which it may read: offsets. */
static u32 shown_from, shown_to;

static volatile u8 *page(u32 offset)
{
	return map_high(start + offset);
}

static bool is_shown(u32 offset)
{
	return shown_from <= offset && offset < shown_to;
}

static void find_shown(void)
{
	struct hypercall r;

	hypercall(KEEL_HC_TABLE, 0, &r);
	if (r.ecx)
		shown_from = (u32)(((u64)r.ebx << 32 | r.eax) - start);
	shown_to = shown_from + r.ecx;
	check(shown_to <= size && r.ecx < size / 4, "what is shown is a small part");
}

static bool has_text(const volatile u8 *p, const char *text)
{
	size_t n = strlen(text), i;

	for (u32 at = 0; at + n <= 4096; at++) {
		for (i = 0; i < n && (p[at + i] | 0x20) == (u8)(text[i] | 0x20); i++)
			;
		if (i == n)
			return true;
	}
	return false;
}

static bool uniform(const volatile u8 *p)
{
	for (u32 i = 1; i < 4096; i++)
		if (p[i] != p[0])
			return false;
	return true;
}

static void check_reads(void)
{
	u32 leaks = 0, odd = 0;

	for (u32 at = 0; at < size; at += 4096) {
		volatile u8 *p = page(at);

		if (is_shown(at))
			continue;
		leaks += has_text(p, "keel") || has_text(p, "\177ELF");
		odd += !uniform(p);
	}
	check_eq(leaks, 0, "pages of the hole with Keel's text");
	check_eq(odd, 0, "pages of the hole with any content");
}

static void check_writes(void)
{
	u32 silent = 0;

	/* The last page is the FADT's reset register: a write there is a reset. */
	for (u32 at = 0; at < size - 4096; at += 4096) {
		volatile u8 *p = page(at);

		if (is_shown(at))
			continue;
		for (u32 i = 0; i < 4096; i++)
			p[i] = (u8)(0xc3 ^ i);
		if (!keel_answers())
			silent++;
	}
	check_eq(silent, 0, "pages whose overwriting silences Keel");
}

/* An instruction fetch from the hole: a RET that was written there, or junk that traps. */
static void check_fetch(void)
{
	volatile u8 *p = page(0);

	p[0] = 0xc3;
	if (p[0] == 0xc3) {
		asm volatile("call *%0" : : "r"(p) : "memory");
		check(true, "code can run in the hole's junk");
	}
	check(keel_answers(), "Keel answers after a fetch from the hole");
}

/* One copy over the border, which touches RAM and hole in one instruction. */
static void check_border(void)
{
	static u8 buffer[4096];
	u64 at = start - 2048;
	u8 *p = map_high(at);

	if ((at & ~(u64)(WINDOW_SIZE - 1)) != (start & ~(u64)(WINDOW_SIZE - 1)))
		return;
	memcpy(buffer, p, sizeof(buffer));
	memcpy(p, buffer, sizeof(buffer));
	check(!memcmp(buffer, p, 2048), "a copy over the border keeps the RAM below it");
	check(keel_answers(), "Keel answers after a copy over the border");
}

/* Keel's text, seen from an address far above it. */
static u32 leaks_at(volatile u8 *p)
{
	return has_text(p, "keel") || has_text(p, "\177ELF");
}

/* Is Keel silenced by overwriting what is there? */
static u32 silenced_at(volatile u8 *p)
{
	for (u32 i = 0; i < 4096; i++)
		p[i] = (u8)(0x3c ^ i);
	return !keel_answers();
}

/* A nested table that ends at 4 GiB may take higher addresses for lower ones: @bad counts on their pages. */
static u32 count_aliases(u32 (*bad)(volatile u8 *p))
{
	u32 count = 0, value;

	for (u64 alias = BIT(32); alias <= BIT(34); alias <<= 1) {
		for (u32 at = 0; at < size; at += ALIAS_STEP) {
			volatile u8 *p = map_high(alias + start + at);

			if (is_shown(at))
				continue;
			if (TRY("mov (%1), %0", : "=&r"(value) : "r"(p) : "memory") == NO_TRAP)
				count += bad(p);
		}
	}
	return count;
}

void payload(void)
{
	if (!paging_on())
		pae_on();
	size = keel_region(&start);
	if (!check(size >= 4096 && size <= 4 << 20, "the hole's size is sane"))
		return;
	find_shown();
	check_eq(count_aliases(leaks_at), 0, "pages with Keel's text, 4 GiB and more above the hole");
	check_reads();
	check_writes();
	check_eq(count_aliases(silenced_at), 0, "pages up there whose overwriting silences Keel");
	check_fetch();
	check_border();
}
