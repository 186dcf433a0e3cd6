/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A real-mode program on a disk of its own: what the firmware says of memory by INT 15h, with the
 * registers and flags that it leaves, and the rest of the BIOS as it was.
 */
#include <keel/abi.h>

#include "bios.h"
#include "lib/cpu.h"

#define SMAP 0x534d4150
#define FLAG_CF 0x001
#define FLAG_DF 0x400
#define FLAG_IF 0x200
#define FLAGS_ALWAYS 0x002
#define ENTRIES_MAX 128

#define BDA_KIB 0x413
#define BDA_DISKS 0x475
#define BDA_FREE 0x4f0
#define BDA_TICKS 0x46c
#define IVT_UD (6 * 4)
#define IVT_INT15 (0x15 * 4)

/* What no call may change, by position in a mask of differences. */
enum { KEPT_EDX = 1, KEPT_ESI = 2, KEPT_EDI = 4, KEPT_EBP = 8, KEPT_DS = 16, KEPT_ES = 32 };

static bool under_keel_now, intel;
static struct e820 map[ENTRIES_MAX];
static u32 map_count;
static u64 region;
static u8 buffer[512];

static u32 linear(const volatile void *p)
{
	return (u32)p;
}

#define LOW(type, at) (*(volatile type *)(at))

static bool has_word(const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; *p; p++)
		if ((p == words || p[-1] == ' ') && !memcmp(p, word, n) && (!p[n] || p[n] == ' '))
			return true;
	return false;
}

static bool keel_call(u32 function, u32 arg, struct bios *r)
{
	*r = (struct bios){ .eax = KEEL_HC_SIGNATURE, .ecx = function, .edx = arg };
	ud_seen = 0;
	if (intel)
		asm volatile(".byte 0x0f, 0x01, 0xc1"
			     : "+a"(r->eax), "+b"(r->ebx), "+c"(r->ecx), "+d"(r->edx) : : "memory");
	else
		asm volatile(".byte 0x0f, 0x01, 0xd9"
			     : "+a"(r->eax), "+b"(r->ebx), "+c"(r->ecx), "+d"(r->edx) : : "memory");
	return !ud_seen;
}

static u32 exits(void)
{
	struct bios r;

	keel_call(KEEL_HC_EXITS, KEEL_EXITS_ALL, &r);
	return r.eax;
}

static void check_keel(void)
{
	struct bios r;
	bool answers;

	LOW(u32, IVT_UD) = linear(ud_handler);
	answers = keel_call(KEEL_HC_PING, 0, &r) && r.eax == KEEL_HC_ANSWER;
	check_eq(answers, under_keel_now, "forced exit answers only under Keel");
	check_eq(LOW(u32, BDA_FREE) == 0x4c45454b, under_keel_now, "Keel's mark is there");
	if (!under_keel_now)
		return;
	check_eq(LOW(u32, BDA_FREE + 4), LOW(u32, IVT_INT15), "the mark has INT 15h's vector");
	keel_call(KEEL_HC_BOOT_FAILED, 0x180, &r);
	check_eq(r.eax, KEEL_HC_UNKNOWN, "the stub's call is the stub's only");
	keel_call(KEEL_HC_REGION, 0, &r);
	region = (u64)r.ebx << 32 | r.eax;
	printf("REGION %llx %x\n", region, r.ecx);
}

static void check_entry(void)
{
	volatile u32 *low = (u32 *)linear(buffer);
	u32 wrapped;
	u16 high_offset = linear(buffer) + 0x10;

	printf("entry: ds %x es %x ss:esp %x:%x edx %x flags %x\n", entry.ds, entry.es, entry.ss,
	       entry.esp, entry.edx, entry.flags);
	check_eq(entry.cs, 0, "CS at entry");
	check_eq((u8)entry.edx, has_word("hd1") ? 0x81 : 0x80, "DL at entry");
	check_eq(entry.flags & FLAG_DF, 0, "DF at entry");
	check((u64)entry.ss * 16 + (u16)entry.esp >= 0x600, "a stack at entry");
	same(entry.flags & FLAG_IF, "IF at entry");
	same(entry.cr0, "CR0 at entry");
	/* With A20 off FFFF:0010 is 0000:0000. */
	*low = 0x600df00d;
	asm volatile("movw $0xffff, %%ax\n\tmovw %%ax, %%fs\n\tmovl %%fs:(%1), %0\n\t"
		     "xorw %%ax, %%ax\n\tmovw %%ax, %%fs"
		     : "=&r"(wrapped) : "b"((u32)high_offset) : "eax", "memory");
	same(wrapped != 0x600df00d, "A20");
}

/* A call with odd registers all around, to see what stays. */
static void call15(struct bios *r, u32 eax, u32 ebx, u32 ecx, u32 edx, u16 flags)
{
	*r = (struct bios){ .eax = eax, .ebx = ebx, .ecx = ecx, .edx = edx,
			    .esi = 0x12345678, .edi = 0xabcd0000 | linear(buffer), .ebp = 0x87654321,
			    .ds = 0x1111, .flags = flags | FLAGS_ALWAYS };
	bios_call(0x15, r);
}

static u32 changed(const struct bios *r, u32 edx)
{
	return (r->edx != edx) * KEPT_EDX | (r->esi != 0x12345678) * KEPT_ESI |
	       (r->edi != (0xabcd0000 | linear(buffer))) * KEPT_EDI |
	       (r->ebp != 0x87654321) * KEPT_EBP | (r->ds != 0x1111) * KEPT_DS |
	       (r->es != 0) * KEPT_ES;
}

/* The whole map with @size bytes of room. The keys are the same for each number of entries. */
static void walk(u32 size, u16 flags)
{
	u32 ebx = 0, kept = 0, beyond = 0, got = 0, eax_bad = 0, attributes = 0;
	u16 flags_changed = 0;
	struct bios r;

	map_count = 0;
	do {
		memset(buffer, 0xee, sizeof(buffer));
		call15(&r, 0xe820, ebx, size, SMAP, flags);
		flags_changed |= r.flags ^ (flags | FLAGS_ALWAYS);
		if (r.flags & FLAG_CF)
			break;
		memcpy(&map[map_count], buffer, sizeof(map[0]));
		eax_bad |= r.eax ^ SMAP;
		got |= r.ecx;
		kept |= changed(&r, SMAP);
		attributes |= *(u32 *)&buffer[20];
		for (u32 i = r.ecx; i < sizeof(buffer); i++)
			beyond += buffer[i] != 0xee;
		ebx = r.ebx;
		map_count++;
	} while (ebx && map_count < ENTRIES_MAX);
	same(r.flags & FLAG_CF, "E820 for %u bytes, flags %x: CF at the end", size, flags);
	same(ebx != 0, "E820 for %u bytes, flags %x: no EBX = 0 at the end", size, flags);
	same(flags_changed, "E820 for %u bytes, flags %x: flags changed", size, flags);
	same(kept, "E820 for %u bytes, flags %x: registers changed", size, flags);
	same(eax_bad, "E820 for %u bytes, flags %x: EAX", size, flags);
	same(got, "E820 for %u bytes, flags %x: ECX", size, flags);
	same(attributes, "E820 for %u bytes, flags %x: attributes", size, flags);
	check_eq(beyond, 0, "E820 for %u bytes, flags %x: bytes written beyond", size, flags);
}

static void e820_error(u32 ebx, u32 ecx, u32 edx, const char *name)
{
	struct bios r;

	memset(buffer, 0xee, sizeof(buffer));
	call15(&r, 0xe820, ebx, ecx, edx, 0);
	same(r.eax, "E820 with %s: EAX", name);
	same(r.flags, "E820 with %s: flags", name);
	same(r.ebx ^ ebx, "E820 with %s: EBX changed", name);
	same(r.ecx ^ ecx, "E820 with %s: ECX changed", name);
	same(changed(&r, edx), "E820 with %s: registers changed", name);
	same(buffer[0], "E820 with %s: the buffer", name);
}

static u64 usable_end(u64 start)
{
	for (u32 i = 0; i < map_count; i++)
		if (map[i].type == E820_RAM && map[i].start <= start &&
		    start < map[i].start + map[i].size)
			return map[i].start + map[i].size;
	return start;
}

static void check_map(void)
{
	u64 end = 0;
	bool sorted = true;

	for (u32 i = 0; i < map_count; i++) {
		printf("E820 %llx %llx %u\n", map[i].start, map[i].size, map[i].type);
		sorted &= map[i].start >= end && map[i].size;
		end = map[i].start + map[i].size;
		if (under_keel_now && map[i].type == E820_RAM)
			check(end <= region || map[i].start > region, "no RAM where Keel is");
	}
	check(sorted, "the map is sorted and without overlaps");
}

static void check_e820(void)
{
	static struct e820 first[ENTRIES_MAX];
	u32 count, before = 0, after = 0;
	struct bios r;

	walk(20, FLAG_IF);
	check_map();
	count = map_count;
	memcpy(first, map, sizeof(map));
	if (under_keel_now)
		before = exits();
	walk(24, FLAG_DF | FLAG_CF);
	walk(256, 0x8d5); /* all arithmetic flags */
	if (under_keel_now)
		after = exits();
	check_eq(map_count, count, "as many entries each time");
	check_eq(memcmp(first, map, count * sizeof(map[0])), 0, "the same entries each time");
	if (under_keel_now)
		check_eq(after - before, 1, "exits of the walks, and of asking for them");
	/* The upper half of EAX is not the function's. */
	call15(&r, 0x1234e820, 0, 20, SMAP, 0);
	same(r.eax, "E820 with more in EAX");
	e820_error(0, 20, 0x12345678, "another signature");
	e820_error(0x7fff, 20, SMAP, "an EBX too large");
	/* Not every BIOS looks so closely, but ours must not give the call to it. */
	if (!under_keel_now)
		return;
	call15(&r, 0xe820, 0, 19, SMAP, 0);
	check_eq(r.flags & FLAG_CF, FLAG_CF, "E820 for 19 bytes fails");
	call15(&r, 0xe820, count, 20, SMAP, 0);
	check_eq(r.flags & FLAG_CF, FLAG_CF, "E820 behind the last entry fails");
}

static void check_older(void)
{
	struct bios r;

	call15(&r, 0x5555e801, 0x10000, 0x20000, 0x30000, FLAG_IF | FLAG_CF);
	printf("E801 %x %x %x %x\n", (u16)r.eax, (u16)r.ebx, (u16)r.ecx, (u16)r.edx);
	same(r.flags, "E801: flags");
	same(r.eax >> 16, "E801: upper EAX");
	same(r.ebx >> 16 | r.ecx >> 16 << 4 | r.edx >> 16 << 8, "E801: upper halves");
	same(changed(&r, r.edx), "E801: registers changed");
	check(((u64)(u16)r.eax << 10) + 0x100000 <= usable_end(0x100000) ||
	      !under_keel_now, "E801: AX is RAM");
	check(((u64)(u16)r.ebx << 16) + 0x1000000 <= usable_end(0x1000000) ||
	      !under_keel_now, "E801: BX is RAM");

	call15(&r, 0x55558800, 0x10000, 0x20000, 0x30000, FLAG_DF);
	printf("EXT88 %x\n", (u16)r.eax);
	same(r.flags, "88h: flags");
	same(r.ebx ^ 0x10000, "88h: EBX changed");
	same(r.ecx ^ 0x20000, "88h: ECX changed");
	same(changed(&r, 0x30000), "88h: registers changed");
	same(r.eax >> 16, "88h: upper EAX");
	check(((u64)(u16)r.eax << 10) + 0x100000 <= usable_end(0x100000) || !under_keel_now,
	      "88h: AX is RAM");

	r = (struct bios){ .flags = FLAG_IF };
	bios_call(0x12, &r);
	printf("INT12 %x\n", (u16)r.eax);
	check_eq((u16)r.eax, LOW(u16, BDA_KIB), "INT 12h is what the BIOS data area has");
	check_eq((u16)r.eax * 1024 < 0xa0000 && usable_end((u16)r.eax * 1024) != (u16)r.eax * 1024,
		 0, "no usable memory from INT 12h's end on");
}

/* Keel's memory may be in their numbers, so they are not there. */
static void check_rare(void)
{
	static const u16 calls[] = { 0xe881, 0xda88, 0x8a00, 0xc700 };
	struct bios r;

	for (u32 i = 0; under_keel_now && i < sizeof(calls) / sizeof(*calls); i++) {
		call15(&r, calls[i], 0, 0, 0, 0);
		check_eq(r.flags & FLAG_CF, FLAG_CF, "INT 15 %x fails", calls[i]);
		check_eq(r.eax >> 8 & 0xff, 0x86, "INT 15 %x is not supported", calls[i]);
	}
}

static void same_call(u32 number, u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	struct bios r = { .eax = eax, .ebx = ebx, .ecx = ecx, .edx = edx,
			  .esi = 1, .edi = 2, .ebp = 3, .flags = FLAG_IF };

	bios_call(number, &r);
	same(r.eax, "INT %x %x %x: EAX", number, eax, edx);
	same(r.ebx, "INT %x %x %x: EBX", number, eax, edx);
	same(r.ecx, "INT %x %x %x: ECX", number, eax, edx);
	same(r.edx, "INT %x %x %x: EDX", number, eax, edx);
	same(r.flags & (FLAG_CF | FLAG_IF | FLAG_DF), "INT %x %x %x: flags", number, eax, edx);
	same(r.es, "INT %x %x %x: ES", number, eax, edx);
}

static void check_firmware(void)
{
	u32 ticks = LOW(u32, BDA_TICKS);

	same_call(0x15, 0xc000, 0, 0, 0);
	same_call(0x15, 0x2402, 0, 0, 0);
	same_call(0x15, 0x2403, 0, 0, 0);
	same_call(0x15, 0xe8ff, 0, 0, 0);
	same_call(0x15, 0xff00, 0, 0, 0);
	same_call(0x11, 0, 0, 0, 0);
	same_call(0x10, 0x0f00, 0, 0, 0);
	same_call(0x13, 0x4100, 0x55aa, 0, entry.edx & 0xff);
	same_call(0x13, 0x0800, 0, 0, 0x80);
	same_call(0x13, 0x0800, 0, 0, 0x81);
	same_call(0x13, 0x0800, 0, 0, 0x82);
	same_call(0x16, 0x0200, 0, 0, 0);
	same(inb(0x21), "the first PIC's mask");
	same(inb(0xa1), "the second PIC's mask");
	same(LOW(u8, BDA_DISKS), "hard disks");
	while (LOW(volatile u32, BDA_TICKS) - ticks < 3)
		asm volatile("sti; hlt");
	check(true, "the timer's interrupt arrives");
}

static u32 sum(void)
{
	u32 v = 0;

	for (u32 i = 0; i < sizeof(buffer); i++)
		v = v * 31 + buffer[i];
	return v;
}

static void check_disks(void)
{
	for (u32 drive = 0x80; drive < 0x82; drive++) {
		struct bios r = { .eax = 0x0201, .ebx = linear(buffer), .ecx = 1, .edx = drive,
				  .flags = FLAG_IF };

		memset(buffer, 0, sizeof(buffer));
		bios_call(0x13, &r);
		same(r.flags & FLAG_CF, "reading disk %x: CF", drive);
		same(r.eax, "reading disk %x: EAX", drive);
		if (drive == (entry.edx & 0xff))
			check_eq(memcmp(buffer, sector_start, 32), 0, "disk %x is ours", drive);
		else
			same(sum(), "reading disk %x: content", drive);
	}
}

const char payload_name[] = "bios";

void bios_main(void)
{
	console_init();
	under_keel_now = has_word("keel");
	intel = cpuid(0, 0).ecx == 0x6c65746e; /* "ntel"; CPUID may exit, so once */
	printf("BEGIN %s %s\n", payload_name, words);
	check_keel();
	check_entry();
	check_e820();
	check_older();
	check_rare();
	check_firmware();
	check_disks();
	finish();
}
