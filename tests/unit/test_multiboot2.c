/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/multiboot2.c with what GRUB gives and with what it never should. */
#include "test.h"

#include "lib/multiboot2.h"

#define SIZE_MAX_MBI 65536u

static u8 mbi[SIZE_MAX_MBI];
static u32 used;
static struct boot_info info;
static const char *why;

static void put(const void *data, u32 size)
{
	assert_true(used + size <= sizeof(mbi));
	memcpy(mbi + used, data, size);
	used += size;
}

static void put32(u32 v)
{
	put(&v, 4);
}

static void put64(u64 v)
{
	put(&v, 8);
}

/* Starts a tag; returns where it is, for finish(). */
static u32 tag(u32 type)
{
	put32(type);
	put32(0);
	return used - 8;
}

static void finish(u32 at)
{
	u32 size = used - at;

	memcpy(mbi + at + 4, &size, 4);
	while (used % 8)
		mbi[used++] = 0xcc;
}

static void start(void)
{
	used = 0;
	put64(0);
}

static void end_tags(void)
{
	finish(tag(0));
	memcpy(mbi, &used, 4);
}

static void put_string(u32 type, const char *s)
{
	u32 at = tag(type);

	put(s, (u32)strlen(s) + 1);
	finish(at);
}

static void put_module(u32 from, u32 to, const char *s)
{
	u32 at = tag(3);

	put32(from);
	put32(to);
	put(s, (u32)strlen(s) + 1);
	finish(at);
}

struct entry {
	u64 base, length;
	u32 type;
};

static void put_map(const struct entry *entries, u32 n, u32 entry_size)
{
	u32 at = tag(6);

	put32(entry_size);
	put32(0);
	for (u32 i = 0; i < n; i++) {
		put64(entries[i].base);
		put64(entries[i].length);
		put32(entries[i].type);
		for (u32 k = 20; k < entry_size; k += 4)
			put32(0xdddddddd);
	}
	finish(at);
}

static void put_framebuffer(u8 type, bool colours)
{
	static const u8 rgb[] = {16, 8, 8, 8, 0, 8};
	u32 at = tag(8);

	put64(0x1234500000ull);
	put32(4096);
	put32(1024);
	put32(768);
	put((u8[]){32, type, 0, 0}, 4);
	if (colours)
		put(rgb, sizeof(rgb));
	finish(at);
}

static void put_rsdp(u32 type, u32 size, u8 fill)
{
	u8 data[128];
	u32 at = tag(type);

	memset(data, fill, sizeof(data));
	put(data, size);
	finish(at);
}

static void put_device(u32 drive)
{
	u32 at = tag(5);

	put32(drive);
	put32(0);
	put32(0xffffffff);
	finish(at);
}

static const struct entry map[] = {
	{0, 0x9fc00, 1},	  {0x9fc00, 0x400, 2},
	{0xf0000, 0x10000, 2},	  {0x100000, 0x3fee0000, 1},
	{0x3ffe0000, 0x10000, 3}, {0x3fff0000, 0x10000, 4},
	{0xfffc0000, 0x40000, 2}, {0x50000000, 0x1000, 5},
	{0x60000000, 0x1000, 7},  {0x100000000, 0x40000000, 1},
};

static void good_mbi(void)
{
	start();
	put_string(1, "console=ttyS0 log=debug");
	put_string(2, "GRUB 2.06");
	put_module(0x1000000, 0x1700000, "vmlinuz root=/dev/vda1 ro");
	put_module(0x2000000, 0x4500123, "  initrd");
	put_device(0x81);
	put_map(map, ARRAY_SIZE(map), 24);
	put_framebuffer(1, true);
	put_rsdp(14, 20, 0x11);
	put_rsdp(15, 36, 0x22);
	put_string(0x7777, "some tag of the future");
	end_tags();
}

/* Parses the first @size bytes, with nothing readable behind them. */
static int parse(u32 size)
{
	void *copy = exact_copy(mbi, size);
	int error;

	why = "nothing said";
	memset(&info, 0xee, sizeof(info));
	error = multiboot2_parse(copy, size, &info, &why);
	free(copy);
	if (error) {
		assert_int_equal(error, -EINVAL);
		check_why(why);
	} else {
		assert_null(why);
	}
	return error;
}

/* Whatever was accepted must be sane. */
static void check_sane(void)
{
	assert_true(info.module_count <= BOOT_MODULES_MAX);
	assert_true(info.memory.count > 0 && info.memory.count <= RANGE_MAX);
	assert_true(strnlen(info.cmdline, BOOT_CMDLINE_MAX) < BOOT_CMDLINE_MAX);
	for (u32 i = 0; i < info.module_count; i++) {
		assert_true(info.module[i].start <= info.module[i].end);
		assert_true(strnlen(info.module[i].string, BOOT_CMDLINE_MAX) < BOOT_CMDLINE_MAX);
	}
	for (u32 i = 0; i < info.memory.count; i++) {
		assert_true(info.memory.at[i].start < info.memory.at[i].end);
		assert_true(!i || info.memory.at[i - 1].end <= info.memory.at[i].start);
	}
	assert_true(info.rsdp_len <= sizeof(info.rsdp));
}

static void refused(const char *part)
{
	end_tags();
	assert_int_equal(parse(used), -EINVAL);
	assert_non_null(strstr(why, part));
}

static void what_grub_gives_is_read(void **state)
{
	(void)state;
	good_mbi();
	assert_int_equal(parse(used), 0);
	check_sane();
	assert_string_equal(info.cmdline, "console=ttyS0 log=debug");
	assert_int_equal(info.module_count, 2);
	assert_int_equal(info.module[0].start, 0x1000000);
	assert_int_equal(info.module[0].end, 0x1700000);
	assert_string_equal(info.module[0].string, "vmlinuz root=/dev/vda1 ro");
	assert_int_equal(info.module[1].end, 0x4500123);
	assert_int_equal(info.bios_device, 0x81);
	assert_true(info.framebuffer.present);
	assert_int_equal(info.framebuffer.addr, 0x1234500000ull);
	assert_int_equal(info.framebuffer.pitch, 4096);
	assert_int_equal(info.framebuffer.width, 1024);
	assert_int_equal(info.framebuffer.height, 768);
	assert_int_equal(info.framebuffer.bpp, 32);
	assert_int_equal(info.framebuffer.type, 1);
	assert_int_equal(info.framebuffer.red_pos, 16);
	assert_int_equal(info.framebuffer.green_pos, 8);
	assert_int_equal(info.framebuffer.blue_size, 8);
	assert_int_equal(info.rsdp_len, 36);
	assert_int_equal(info.rsdp[35], 0x22);
}

static void the_memory_map_is_sorted_and_typed(void **state)
{
	static const struct range want[] = {
		{0, 0x9fc00, 1},
		{0x9fc00, 0xa0000, 2},
		{0xf0000, 0x100000, 2},
		{0x100000, 0x3ffe0000, 1},
		{0x3ffe0000, 0x3fff0000, 3},
		{0x3fff0000, 0x40000000, 4},
		{0x50000000, 0x50001000, 5},
		{0x60000000, 0x60001000, 2},
		{0xfffc0000, 0x100000000, 2},
		{0x100000000, 0x140000000, 1},
	};

	(void)state;
	good_mbi();
	assert_int_equal(parse(used), 0);
	assert_int_equal(info.memory.count, ARRAY_SIZE(want));
	for (u32 i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(info.memory.at[i].start, want[i].start);
		assert_int_equal(info.memory.at[i].end, want[i].end);
		assert_int_equal(info.memory.at[i].type, want[i].type);
	}
}

static void modules_are_found_by_role(void **state)
{
	(void)state;
	good_mbi();
	assert_int_equal(parse(used), 0);
	assert_ptr_equal(boot_module_find(&info, "vmlinuz"), &info.module[0]);
	assert_ptr_equal(boot_module_find(&info, "initrd"), &info.module[1]);
	assert_null(boot_module_find(&info, "vmlinu"));
	assert_null(boot_module_find(&info, "vmlinuz2"));
	assert_null(boot_module_find(&info, "root=/dev/vda1"));
	assert_null(boot_module_find(&info, ""));
	assert_string_equal(boot_module_args(&info.module[0]), "root=/dev/vda1 ro");
	assert_string_equal(boot_module_args(&info.module[1]), "");
}

/* A smaller readable size, and a smaller size that the information itself tells. */
static void truncated_anywhere_is_refused(void **state)
{
	u32 whole;

	(void)state;
	good_mbi();
	whole = used;
	for (u32 size = 0; size < whole; size++)
		assert_int_equal(parse(size), -EINVAL);
	for (u32 size = 0; size < whole; size++) {
		memcpy(mbi, &size, 4);
		/* The end tag is 8 bytes at the end, of which its type is enough. */
		assert_int_equal(parse(whole), -EINVAL);
		assert_int_equal(parse(size), -EINVAL);
	}
	memcpy(mbi, &whole, 4);
	assert_int_equal(parse(whole), 0);
}

/* Every field of 32 bits, one after the other, takes every nasty value. */
static void nasty_fields_do_no_harm(void **state)
{
	u32 accepted = 0, rejected = 0;
	u32 whole;

	(void)state;
	good_mbi();
	whole = used;
	for (u32 at = 0; at < whole; at += 4) {
		for (u32 i = 0; i < ARRAY_SIZE(nasty); i++) {
			u32 old;

			memcpy(&old, mbi + at, 4);
			memcpy(mbi + at, &nasty[i], 4);
			if (parse(whole)) {
				rejected++;
			} else {
				accepted++;
				check_sane();
			}
			memcpy(mbi + at, &old, 4);
		}
	}
	assert_true(accepted > 100 && rejected > 100);
}

static void random_bytes_do_no_harm(void **state)
{
	(void)state;
	for (u32 run = 0; run < 20000; run++) {
		u32 hits = 1 + random_below(4);

		good_mbi();
		while (hits--)
			mbi[random_below(used)] = (u8)random_u64();
		if (!parse(used))
			check_sane();
	}
}

static void no_memory_map_is_said(void **state)
{
	static const struct entry nothing = {0x1000, 0, 1};

	(void)state;
	start();
	put_string(1, "");
	refused("no memory map");
	start();
	put_map(NULL, 0, 24);
	refused("no memory map");
	start();
	put_map(&nothing, 1, 24);
	refused("no memory map");
}

static void the_limit_of_modules_is_named(void **state)
{
	(void)state;
	for (u32 n = BOOT_MODULES_MAX - 1; n <= BOOT_MODULES_MAX + 1; n++) {
		start();
		put_map(map, ARRAY_SIZE(map), 24);
		for (u32 i = 0; i < n; i++)
			put_module(i, i + 1, "x");
		end_tags();
		assert_int_equal(parse(used), n <= BOOT_MODULES_MAX ? 0 : -EINVAL);
	}
	assert_non_null(strstr(why, "(limit 8)"));
}

static void the_limit_of_strings_is_named(void **state)
{
	static char text[BOOT_CMDLINE_MAX + 2];

	(void)state;
	for (u32 n = BOOT_CMDLINE_MAX - 2; n <= BOOT_CMDLINE_MAX + 1; n++) {
		int want = n < BOOT_CMDLINE_MAX ? 0 : -EINVAL;

		memset(text, 'y', n);
		text[n] = '\0';
		for (u32 kind = 0; kind < 2; kind++) {
			start();
			put_map(map, ARRAY_SIZE(map), 24);
			if (kind)
				put_string(1, text);
			else
				put_module(0, 1, text);
			end_tags();
			assert_int_equal(parse(used), want);
			if (want)
				assert_non_null(strstr(why, "limit 2048"));
			else
				assert_string_equal(kind ? info.cmdline : info.module[0].string,
						    text);
		}
	}
}

static void the_limit_of_memory_ranges_is_named(void **state)
{
	struct entry entries[RANGE_MAX + 1];

	(void)state;
	for (u32 i = 0; i <= RANGE_MAX; i++)
		entries[i] = (struct entry){i * 0x2000, 0x1000, 1};
	start();
	put_map(entries, RANGE_MAX, 24);
	end_tags();
	assert_int_equal(parse(used), 0);
	assert_int_equal(info.memory.count, RANGE_MAX);
	start();
	put_map(entries, RANGE_MAX + 1, 24);
	refused("limit 128");
}

static void strings_need_an_end(void **state)
{
	u32 at;

	(void)state;
	start();
	at = tag(1);
	put("abc", 3);
	finish(at);
	refused("no end");
	start();
	at = tag(1);
	finish(at);
	refused("no end");
	start();
	at = tag(3);
	put64(0);
	finish(at);
	refused("no end");
}

static void malformed_tags_are_refused(void **state)
{
	(void)state;
	start();
	put_module(2, 1, "x");
	refused("before it starts");
	start();
	put_map(map, 2, 20);
	refused("too short");
	start();
	put_map(map, 2, 0);
	refused("too short");
	start();
	put_framebuffer(1, false);
	refused("frame buffer");
	for (u32 size = 0; size < 8; size++) {
		start();
		put32(99);
		put32(size);
		refused("too short");
	}
}

/* The specification lets entries grow; each is read by its own size. */
static void larger_entries_are_read(void **state)
{
	(void)state;
	start();
	put_map(map, ARRAY_SIZE(map), 40);
	end_tags();
	assert_int_equal(parse(used), 0);
	assert_int_equal(info.memory.count, ARRAY_SIZE(map));
	assert_int_equal(info.memory.at[9].end, 0x140000000ull);
}

static void overlapping_and_endless_memory(void **state)
{
	static const struct entry wild[] = {
		{0, 0x1000000, 1},
		{0x800000, 0x1000, 2},
		{0xfffffffffffff000ull, 0x2000, 1},
		{0x2000000, UINT64_MAX, 2},
	};

	(void)state;
	start();
	put_map(wild, ARRAY_SIZE(wild), 24);
	end_tags();
	assert_int_equal(parse(used), 0);
	check_sane();
	assert_int_equal(info.memory.count, 4);
	assert_int_equal(info.memory.at[1].type, 2);
	assert_int_equal(info.memory.at[3].end, UINT64_MAX);
	assert_int_equal(info.memory.at[3].type, 2);
}

static void the_longer_rsdp_counts(void **state)
{
	(void)state;
	start();
	put_map(map, 1, 24);
	put_rsdp(15, 36, 0x55);
	put_rsdp(14, 20, 0x44);
	end_tags();
	assert_int_equal(parse(used), 0);
	assert_int_equal(info.rsdp_len, 36);
	assert_int_equal(info.rsdp[0], 0x55);
	start();
	put_map(map, 1, 24);
	put_rsdp(14, 20, 0x44);
	put_rsdp(15, 19, 0x55);
	end_tags();
	assert_int_equal(parse(used), 0);
	assert_int_equal(info.rsdp_len, 20);
	assert_int_equal(info.rsdp[19], 0x44);
	start();
	put_map(map, 1, 24);
	put_rsdp(15, 100, 0x66);
	end_tags();
	assert_int_equal(parse(used), 0);
	assert_int_equal(info.rsdp_len, sizeof(info.rsdp));
}

static void the_device_may_be_unknown(void **state)
{
	u32 at;

	(void)state;
	start();
	put_map(map, 1, 24);
	at = tag(5);
	put("\x81", 1);
	finish(at);
	end_tags();
	assert_int_equal(parse(used), 0);
	assert_int_equal(info.bios_device, BOOT_NO_DEVICE);
}

static void other_frame_buffers(void **state)
{
	(void)state;
	for (u8 type = 0; type < 4; type++) {
		start();
		put_map(map, 1, 24);
		put_framebuffer(type, type == 1);
		end_tags();
		assert_int_equal(parse(used), 0);
		assert_true(info.framebuffer.present);
		assert_int_equal(info.framebuffer.type, type);
		assert_int_equal(info.framebuffer.red_size, type == 1 ? 8 : 0);
	}
	start();
	put_map(map, 1, 24);
	end_tags();
	assert_int_equal(parse(used), 0);
	assert_false(info.framebuffer.present);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_grub_gives_is_read),
	cmocka_unit_test(the_memory_map_is_sorted_and_typed),
	cmocka_unit_test(modules_are_found_by_role),
	cmocka_unit_test(truncated_anywhere_is_refused),
	cmocka_unit_test(nasty_fields_do_no_harm),
	cmocka_unit_test(random_bytes_do_no_harm),
	cmocka_unit_test(no_memory_map_is_said),
	cmocka_unit_test(the_limit_of_modules_is_named),
	cmocka_unit_test(the_limit_of_strings_is_named),
	cmocka_unit_test(the_limit_of_memory_ranges_is_named),
	cmocka_unit_test(strings_need_an_end),
	cmocka_unit_test(malformed_tags_are_refused),
	cmocka_unit_test(larger_entries_are_read),
	cmocka_unit_test(overlapping_and_endless_memory),
	cmocka_unit_test(the_longer_rsdp_counts),
	cmocka_unit_test(the_device_may_be_unknown),
	cmocka_unit_test(other_frame_buffers),
};

TEST_MAIN(tests)
