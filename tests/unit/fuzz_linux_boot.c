/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes linux_parse(), linux_plan() and linux_fill_boot_params() on a machine made of the input. */
#include <stdlib.h>
#include <string.h>

#include <keel/bits.h>

#include "lib/linux_boot.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct range_list ram;

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* Takes the next number from the input; 0 when it is used up. */
static u64 take(const u8 **data, size_t *size, u32 bytes)
{
	u64 v = 0;

	for (; bytes && *size; bytes--, (*data)++, (*size)--)
		v = v << 8 | **data;
	return v;
}

static void make_ram(const u8 **data, size_t *size)
{
	memset(&ram, 0, sizeof(ram));
	range_set(&ram, 0, KIB(640), RANGE_USABLE);
	range_set(&ram, MIB(1), MIB(take(data, size, 2)) + MIB(1), RANGE_USABLE);
	for (u32 n = (u32)take(data, size, 1) & 7; n; n--) {
		u64 start = take(data, size, 4) << 4;

		range_set(&ram, start, start + take(data, size, 3), (u32)take(data, size, 1) & 3);
	}
}

static bool apart(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a + a_size <= b || b + b_size <= a;
}

static bool usable(u64 start, u64 size)
{
	return range_covered(&ram, start, start + size, RANGE_USABLE);
}

static void check_layout(const struct linux_image *image, const struct linux_layout *layout,
			 u64 initrd_size, u64 cmdline_len)
{
	u64 low = layout->boot_params;
	u64 low_size = layout->cmdline + cmdline_len + 1 - low;

	check(usable(layout->kernel, image->init_size));
	check(layout->kernel + image->init_size <= GIB(4));
	check(layout->kernel >= image->pref_address);
	check(usable(low, low_size) && low + low_size <= KIB(640));
	if (!initrd_size)
		return;
	check(usable(layout->initrd, initrd_size));
	check(layout->initrd + initrd_size - 1 <= image->initrd_addr_max);
	check(apart(layout->initrd, initrd_size, layout->kernel, image->init_size));
	check(apart(layout->initrd, initrd_size, low, low_size));
}

static void plan_and_fill(const u8 *file, const struct linux_image *image, const u8 *data,
			  size_t size)
{
	struct boot_framebuffer framebuffer = { 0 };
	struct linux_layout layout;
	struct range kernel, initrd;
	u64 cmdline_len = take(&data, &size, 2);
	const char *why = "";
	void *params;

	make_ram(&data, &size);
	kernel.start = take(&data, &size, 4);
	kernel.end = kernel.start + image->setup_bytes + image->payload_bytes;
	initrd.start = take(&data, &size, 4) & (take(&data, &size, 1) & 1 ? ~0xfffull : ~0ull);
	initrd.end = initrd.start + take(&data, &size, 4);
	framebuffer.present = take(&data, &size, 1) & 1;
	framebuffer.height = (u32)take(&data, &size, 4);
	framebuffer.pitch = (u32)take(&data, &size, 4);
	framebuffer.bpp = (u8)take(&data, &size, 1);
	framebuffer.red_size = (u8)take(&data, &size, 1);
	if (linux_plan(image, &ram, &kernel, &initrd, cmdline_len, &layout, &why)) {
		check(why && *why);
		return;
	}
	check_layout(image, &layout, initrd.end - initrd.start, cmdline_len);
	params = calloc(1, BOOT_PARAMS_SIZE);
	check(params != NULL);
	linux_fill_boot_params(params, file,
			       &(struct linux_handover){ image, &layout, &ram, &framebuffer,
							 initrd.end - initrd.start, 0 });
	free(params);
}

/* Where the first byte is odd, the file gets what it takes to be a kernel at all. */
static void make_kernel(u8 *file, size_t size, u8 how)
{
	if (!(how & 1) || size < 0x264)
		return;
	memcpy(file + 0x1fe, "\x55\xaa", 2);
	memcpy(file + 0x202, "HdrS", 4);
	memcpy(file + 0x206, "\x0f\x02", 2);
	file[0x1f1] = how >> 1 & 1;
	file[0x211] |= 1;
	memset(file + 0x1f4, 0, 4);
	memset(file + 0x248, 0, 8);
	memset(file + 0x25c, 0, 4);
	if (how & 4) {
		memcpy(file + 0x230, "\0\0\x20\0\1", 5);
		memcpy(file + 0x258, "\0\0\0\1", 4);
		memcpy(file + 0x238, "\xff\x07\0\0", 4);
		file[0x263] = 0;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct linux_image image;
	const char *why = "";
	size_t file_size;
	u8 *file, how;

	if (size < 3)
		return 0;
	how = data[0];
	/* First the machine, in a few bytes, then the file, filled up with zeroes. */
	file_size = (size_t)(data[1] * 8 + data[2]);
	data += 3;
	size -= 3;
	file = calloc(1, file_size ? file_size : 1);
	check(file != NULL);
	if (size > 60)
		memcpy(file, data + 60, size - 60 < file_size ? size - 60 : file_size);
	make_kernel(file, file_size, how);
	if (linux_parse(file, file_size, &image, &why) == 0)
		plan_and_fill(file, &image, data, size < 60 ? size : 60);
	else
		check(why && *why);
	free(file);
	return 0;
}
