/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes multiboot2_parse() and what is done with its result. */
#include "fuzz.h"

#include "lib/multiboot2.h"

static struct boot_info info;

static void use_result(void)
{
	check(info.module_count <= BOOT_MODULES_MAX && info.memory.count <= RANGE_MAX);
	check(info.memory.count > 0 && info.rsdp_len <= sizeof(info.rsdp));
	check(strlen(info.cmdline) < BOOT_CMDLINE_MAX);
	for (u32 i = 0; i < info.memory.count; i++) {
		const struct range *r = &info.memory.at[i];

		check(r->start < r->end && (!i || r[-1].end <= r->start));
		check(!i || r[-1].end < r->start || r[-1].type != r->type);
	}
	for (u32 i = 0; i < info.module_count; i++) {
		check(info.module[i].start <= info.module[i].end);
		check(strlen(boot_module_args(&info.module[i])) < BOOT_CMDLINE_MAX);
	}
	boot_module_find(&info, "vmlinuz");
}

/* Tags with bodies from the input: well-formed on the outside. Returns the size. */
static size_t make_tags(struct input *in, u8 *mbi, size_t limit)
{
	static const u32 types[] = {1, 3, 6, 8, 14, 15, 6, 0x55};
	size_t used = 8;

	while (in->size && used + 300 < limit) {
		u32 len = (u32)take(in, 1);
		u32 tag[2] = {types[take(in, 1) & 7], 8 + len};

		memcpy(mbi + used, tag, 8);
		for (u32 i = 0; i < len; i++)
			mbi[used + 8 + i] = (u8)take(in, 1);
		if (tag[0] == 6 && len > 8)
			memcpy(mbi + used + 8, &(u32){24 + (len & 1) * 8}, 4);
		if (len && (tag[0] == 1 || tag[0] == 3))
			mbi[used + 7 + len] = '\0';
		used += align_up(tag[1], 8);
	}
	memcpy(mbi + used, &(u32[2]){0, 8}, 8);
	used += 8;
	memcpy(mbi, &(u32){(u32)used}, 4);
	return used;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u8 mbi[8192];
	struct input in = {data, size};
	const char *why = "";
	u8 how = (u8)take(&in, 1);
	u8 *copy;

	memset(mbi, 0, sizeof(mbi));
	if (how & 3) {
		u8 damaged = (u8)take(&in, 1);
		struct input patches = {in.data, in.size < 24 ? in.size : 24};

		size = make_tags(&in, mbi, sizeof(mbi));
		if (damaged & 1)
			damage(&patches, mbi, size, 3);
		if (damaged & 2)
			size -= damaged >> 2;
	} else {
		size = in.size < sizeof(mbi) ? in.size : sizeof(mbi);
		if (size)
			memcpy(mbi, in.data, size);
	}
	size = size < sizeof(mbi) ? size : 0;
	copy = malloc(size ? size : 1);
	check(copy != NULL);
	memcpy(copy, mbi, size);
	if (multiboot2_parse(copy, size, &info, &why) == 0)
		use_result();
	else
		check(why && *why);
	free(copy);
	return 0;
}
