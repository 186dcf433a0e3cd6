/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes linux_parse(), linux_plan() and linux_fill_boot_params(): a good kernel that the input
 * damages, on a machine that the input describes.
 */
#include "fuzz.h"

#include "lib/linux_boot.h"

#define SETUP_SIZE 1024u
#define FILE_SIZE  (SETUP_SIZE + 512u)

static struct range_list ram;
static struct boot_framebuffer framebuffer;

static void make_ram(struct input *in)
{
	memset(&ram, 0, sizeof(ram));
	range_set(&ram, 0, KIB(640), RANGE_USABLE);
	range_set(&ram, MIB(1), MIB(take(in, 2) + 1), RANGE_USABLE);
	for (u32 n = (u32)take(in, 1) & 7; n; n--) {
		u64 start = take(in, 4) << 4;

		range_set(&ram, start, start + take(in, 3), (u32)take(in, 1) & 3);
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

static void plan_and_fill(const u8 *file, const struct linux_image *image, struct input *in)
{
	struct linux_layout layout;
	struct linux_handover handover = {image, &layout, &ram, &framebuffer, 0, 0};
	struct range kernel, initrd;
	u64 cmdline_len = take(in, 1) * 16;
	const char *why = "";
	void *params;

	make_ram(in);
	kernel.start = take(in, 4);
	kernel.end = kernel.start + image->setup_bytes + image->payload_bytes;
	initrd.start = take(in, 4) << 8;
	initrd.end = initrd.start + take(in, 1 + (take(in, 1) & 3));
	handover.initrd_size = initrd.end - initrd.start;
	framebuffer.present = take(in, 1) & 1;
	framebuffer.height = (u32)take(in, 4);
	framebuffer.pitch = (u32)take(in, 4);
	framebuffer.bpp = (u8)take(in, 1);
	framebuffer.red_size = (u8)take(in, 1);
	if (linux_plan(image, &ram, &kernel, &initrd, cmdline_len, &layout, &why)) {
		check(why && *why);
		return;
	}
	check_layout(image, &layout, handover.initrd_size, cmdline_len);
	params = calloc(1, BOOT_PARAMS_SIZE);
	check(params != NULL);
	linux_fill_boot_params(params, file, &handover);
	free(params);
}

static void put(u8 *file, u32 at, u64 v, u32 bytes)
{
	memcpy(file + at, &v, bytes);
}

static void good_kernel(u8 *file)
{
	put(file, 0x1f1, SETUP_SIZE / 512 - 1, 1);
	put(file, 0x1f4, (FILE_SIZE - SETUP_SIZE) / 16, 4);
	put(file, 0x1fe, 0xaa55, 2);
	put(file, 0x200, 0x6aeb, 2);
	put(file, 0x202, 0x53726448, 4);
	put(file, 0x206, 0x20f, 2);
	put(file, 0x211, 1, 1);
	put(file, 0x22c, 0x7fffffff, 4);
	put(file, 0x230, 0x200000, 4);
	put(file, 0x234, 1, 1);
	put(file, 0x236, 0x7f, 2);
	put(file, 0x238, 2047, 4);
	put(file, 0x248, 0x100, 4);
	put(file, 0x24c, 0x100, 4);
	put(file, 0x258, 0x1000000, 8);
	put(file, 0x260, 0x1800000, 4);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = {data, size};
	size_t file_size = FILE_SIZE - (take(&in, 1) & 1 ? take(&in, 2) % FILE_SIZE : 0);
	struct linux_image image;
	u8 good[FILE_SIZE] = {0};
	const char *why = "";
	u8 *file = malloc(file_size);

	check(file != NULL);
	good_kernel(good);
	damage(&in, good + 0x1f1, 0x264 - 0x1f1, 3);
	memcpy(file, good, file_size);
	if (linux_parse(file, file_size, &image, &why) == 0)
		plan_and_fill(file, &image, &in);
	else
		check(why && *why);
	free(file);
	return 0;
}
