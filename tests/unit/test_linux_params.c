/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/linux_params.c: the zero page, byte by byte as zero-page.rst lists it. */
#include "test.h"

#include "lib/linux_boot.h"

#define FILE_SIZE 4096u

static u8 file[FILE_SIZE];
static u8 *page; /* ends where the sanitizer sees the next byte */
static struct linux_layout layout;
static struct range_list ram;
static struct boot_framebuffer framebuffer;

static u64 field(u32 at, u32 bytes)
{
	u64 v = 0;

	for (u32 i = 0; i < bytes; i++)
		v |= (u64)page[at + i] << (i * 8);
	return v;
}

static int set_up(void **state)
{
	(void)state;
	for (u32 i = 0; i < FILE_SIZE; i++)
		file[i] = (u8)(i * 7 + 1);
	file[0x201] = 0x6a; /* the header ends at 0x26c */
	file[0x211] = 0x01;
	page = calloc(1, BOOT_PARAMS_SIZE);
	memset(&ram, 0, sizeof(ram));
	memset(&framebuffer, 0, sizeof(framebuffer));
	range_set(&ram, 0, 0x9fc00, RANGE_USABLE);
	range_set(&ram, 0x9fc00, MIB(1), RANGE_RESERVED);
	range_set(&ram, MIB(1), MIB(256), RANGE_USABLE);
	range_set(&ram, MIB(256), MIB(257), RANGE_ACPI);
	range_set(&ram, GIB(4), GIB(6), RANGE_USABLE);
	layout = (struct linux_layout){.kernel = 0x1200000,
				       .initrd = 0x5000000,
				       .boot_params = 0x90000,
				       .cmdline = 0x91020};
	return page ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(page);
	return 0;
}

static void fill(u64 initrd_size, u64 rsdp)
{
	struct linux_image image = {0};
	struct linux_handover handover = {&image, &layout, &ram, &framebuffer, initrd_size, rsdp};

	memset(page, 0, BOOT_PARAMS_SIZE);
	linux_fill_boot_params(page, file, &handover);
}

static void the_setup_header_is_copied_to_its_end(void **state)
{
	(void)state;
	for (u32 length = 0; length < 256; length++) {
		u32 end = 0x202 + length < 0x290 ? 0x202 + length : 0x290;

		file[0x201] = (u8)length;
		fill(0, 0);
		assert_memory_equal(page + 0x1f1, file + 0x1f1, 0x202 - 0x1f1);
		for (u32 i = 0x22c; i < 0x2d0; i++)
			assert_int_equal(page[i], i < end ? file[i] : 0);
	}
}

static void the_loader_fills_its_fields(void **state)
{
	(void)state;
	fill(0x1234567, 0xf68d0);
	assert_int_equal(field(0x210, 1), 0xff);
	assert_int_equal(field(0x211, 1), 0x01);
	assert_int_equal(field(0x214, 4), 0x1200000);
	assert_int_equal(field(0x218, 4), 0x5000000);
	assert_int_equal(field(0x21c, 4), 0x1234567);
	assert_int_equal(field(0x228, 4), 0x91020);
	assert_int_equal(field(0x070, 8), 0xf68d0);
	layout.initrd = 0;
	fill(0, 0);
	assert_int_equal(field(0x218, 4), 0);
	assert_int_equal(field(0x21c, 4), 0);
	assert_int_equal(field(0x070, 8), 0);
}

static void the_memory_map_is_handed_over(void **state)
{
	(void)state;
	fill(0, 0);
	assert_int_equal(field(0x1e8, 1), 5);
	for (u32 i = 0; i < 5; i++) {
		assert_int_equal(field(0x2d0 + i * 20, 8), ram.at[i].start);
		assert_int_equal(field(0x2d8 + i * 20, 8), ram.at[i].end - ram.at[i].start);
		assert_int_equal(field(0x2e0 + i * 20, 4), ram.at[i].type);
	}
	assert_int_equal(field(0x2d0 + 5 * 20, 8), 0);
	assert_int_equal(field(0x1e0, 4), 255 * 1024); /* alt_mem_k */
	assert_int_equal(field(0x002, 2), 0xffff);     /* ext_mem_k */
	range_set(&ram, MIB(10), GIB(4), RANGE_RESERVED);
	fill(0, 0);
	assert_int_equal(field(0x1e0, 4), 9 * 1024);
	assert_int_equal(field(0x002, 2), 9 * 1024);
	range_set(&ram, MIB(1), MIB(2), RANGE_RESERVED);
	fill(0, 0);
	assert_int_equal(field(0x1e0, 4), 0);
}

static void a_full_memory_map_fits(void **state)
{
	(void)state;
	memset(&ram, 0, sizeof(ram));
	for (u32 i = 0; i < RANGE_MAX; i++)
		range_set(&ram, i * 0x2000, i * 0x2000 + 0x1000, RANGE_USABLE);
	fill(0, 0);
	assert_int_equal(field(0x1e8, 1), 128);
	assert_int_equal(field(0x2d0 + 127 * 20, 8), 127 * 0x2000);
	assert_int_equal(field(0x2d0 + 128 * 20, 8), 0);
}

static void memory_without_end_does_not_wrap(void **state)
{
	(void)state;
	memset(&ram, 0, sizeof(ram));
	range_set(&ram, 0, UINT64_MAX, RANGE_USABLE);
	fill(0, 0);
	assert_int_equal(field(0x1e0, 4), 0xffffffff);
	assert_int_equal(field(0x2d8, 8), UINT64_MAX);
}

static void without_a_frame_buffer_it_is_vga_text(void **state)
{
	(void)state;
	fill(0, 0);
	assert_int_equal(field(0x06, 1), 3);
	assert_int_equal(field(0x07, 1), 80);
	assert_int_equal(field(0x0e, 1), 25);
	assert_int_equal(field(0x0f, 1), 1);
	assert_int_equal(field(0x10, 2), 16);
	assert_int_equal(field(0x01, 1), 24);
	framebuffer = (struct boot_framebuffer){
		.present = true, .type = FRAMEBUFFER_EGA_TEXT, .width = 132, .height = 50};
	fill(0, 0);
	assert_int_equal(field(0x07, 1), 132);
	assert_int_equal(field(0x0e, 1), 50);
	assert_int_equal(field(0x0f, 1), 1);
	framebuffer.width = 70000;
	fill(0, 0);
	assert_int_equal(field(0x07, 1), 80);
}

static void a_frame_buffer_is_handed_over(void **state)
{
	(void)state;
	framebuffer = (struct boot_framebuffer){.present = true,
						.addr = 0x40fd000000,
						.pitch = 4100,
						.width = 1024,
						.height = 768,
						.bpp = 32,
						.type = 1,
						.red_pos = 16,
						.red_size = 8,
						.green_pos = 8,
						.green_size = 8,
						.blue_size = 8};
	fill(0, 0);
	assert_int_equal(field(0x0f, 1), 0x23);
	assert_int_equal(field(0x12, 2), 1024);
	assert_int_equal(field(0x14, 2), 768);
	assert_int_equal(field(0x16, 2), 32);
	assert_int_equal(field(0x18, 4), 0xfd000000);
	assert_int_equal(field(0x1c, 4), (4100 * 768 + 65535) / 65536);
	assert_int_equal(field(0x24, 2), 4100);
	assert_int_equal(field(0x26, 8), 0x1808000808081008);
	assert_int_equal(field(0x36, 4), 2);
	assert_int_equal(field(0x3a, 4), 0x40);
	framebuffer.addr = 0xfd000000;
	framebuffer.bpp = 24;
	fill(0, 0);
	assert_int_equal(field(0x26, 8), 0x0000000808081008);
	assert_int_equal(field(0x36, 4), 0);
}

static void the_rest_of_the_page_stays_zero(void **state)
{
	(void)state;
	fill(0x1000, 0x1000);
	for (u32 i = 0; i < BOOT_PARAMS_SIZE; i++) {
		bool ours = i < 0x40 || (i >= 0x70 && i < 0x78) || (i >= 0x1e0 && i < 0x1e4) ||
			    i == 0x1e8 || (i >= 0x1f1 && i < 0x26c) || (i >= 0x2d0 && i < 0xcd0);

		if (!ours)
			assert_int_equal(page[i], 0);
	}
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	test(the_setup_header_is_copied_to_its_end), test(the_loader_fills_its_fields),
	test(the_memory_map_is_handed_over),	     test(a_full_memory_map_fits),
	test(memory_without_end_does_not_wrap),	     test(without_a_frame_buffer_it_is_vga_text),
	test(a_frame_buffer_is_handed_over),	     test(the_rest_of_the_page_stays_zero),
};

TEST_MAIN(tests)
