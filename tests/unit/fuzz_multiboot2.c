/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes multiboot2_parse() and what is done with its result. */
#include <stdlib.h>
#include <string.h>

#include "lib/multiboot2.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct boot_info info;

static void check(bool ok)
{
	if (!ok)
		abort();
}

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

/*
 * The input as it is, or, where its first byte is odd, as a list of short records that become
 * well-formed tags: length and type of each in one byte.
 */
static size_t make_tags(const u8 *data, size_t size, u8 *mbi, size_t limit)
{
	static const u32 types[] = { 1, 3, 6, 8, 14, 15, 6, 3 };
	size_t used = 8;

	while (size && used + 80 < limit) {
		u32 len = data[0] >> 3 & 31;
		u32 tag[2] = { types[data[0] & 7], 8 + len * 2 };

		data++;
		size--;
		if (len * 2 > size)
			len = (u32)size / 2;
		memcpy(mbi + used, tag, 8);
		memcpy(mbi + used + 8, data, len * 2);
		if (tag[0] == 6 && data[0] & 1 && len > 4)
			memcpy(mbi + used + 8, &(u32){ 24 }, 4);
		data += len * 2;
		size -= len * 2;
		used += (tag[1] + 7) & ~7u;
	}
	memcpy(mbi + used, &(u32[2]){ 0, 8 }, 8);
	used += 8;
	memcpy(mbi, &(u32){ (u32)used }, 4);
	return used;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u8 tags[8192];
	const char *why = "";
	u8 *copy;

	if (size && data[0] & 1) {
		memset(tags, 0, sizeof(tags));
		size = make_tags(data + 1, size - 1, tags, sizeof(tags));
		data = tags;
	}
	copy = malloc(size ? size : 1);
	check(copy != NULL);
	memcpy(copy, data, size);
	if (multiboot2_parse(copy, size, &info, &why) == 0)
		use_result();
	else
		check(why && *why);
	free(copy);
	return 0;
}
