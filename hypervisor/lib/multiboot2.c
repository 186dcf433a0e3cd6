/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parses the Multiboot2 boot information (specification 2.0, section 3.6). Fields are copied out of
 * the tags, which need not be aligned then.
 */
#include <keel/errno.h>

#include "multiboot2.h"
#include "string.h"

#define STR(x)	STR_(x)
#define STR_(x) #x

/* Section 3.6: the numbers of the tags that Keel reads. */
enum {
	TAG_END = 0,
	TAG_CMDLINE = 1,
	TAG_MODULE = 3,
	TAG_BIOS_DEVICE = 5,
	TAG_MEMORY_MAP = 6,
	TAG_FRAMEBUFFER = 8,
	TAG_ACPI_OLD = 14,
	TAG_ACPI_NEW = 15,
};

/* ACPI 5.2.5.3: an RSDP of revision 0 has 20 bytes. */
#define RSDP_V1_SIZE 20u

struct fixed_part {
	u32 total_size;
	u32 reserved;
};

struct tag {
	u32 type;
	u32 size; /* with this header, without the padding to 8 bytes */
};

struct module_tag {
	struct tag tag;
	u32 start;
	u32 end;
	/* A string follows. */
};

struct memory_tag {
	struct tag tag;
	u32 entry_size;
	u32 entry_version;
	/* Entries follow. */
};

struct memory_entry {
	u64 base;
	u64 length;
	u32 type;
	u32 reserved;
} __attribute__((packed));

struct framebuffer_tag {
	struct tag tag;
	u64 addr;
	u32 pitch;
	u32 width;
	u32 height;
	u8 bpp;
	u8 type;
	u16 reserved;
	/* For type 1 only. */
	u8 red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
} __attribute__((packed));

#define FRAMEBUFFER_RGB 1

_Static_assert(sizeof(struct module_tag) == 16, "Multiboot2 3.6.6");
_Static_assert(sizeof(struct memory_tag) == 16, "Multiboot2 3.6.8");
_Static_assert(sizeof(struct memory_entry) == 24, "Multiboot2 3.6.8");
_Static_assert(offsetof(struct framebuffer_tag, red_pos) == 32, "Multiboot2 3.6.12");

/* The string at the end of a tag: @len bytes in which a NUL must be. NULL if all is well. */
static const char *copy_string(char *out, const u8 *s, size_t len)
{
	size_t n = strnlen((const char *)s, len);

	if (n == len)
		return "The boot information is malformed: a string has no end.";
	if (n >= BOOT_CMDLINE_MAX)
		return "A command line from the boot loader is too long (limit " STR(
			BOOT_CMDLINE_MAX) " bytes).";
	memcpy(out, s, n + 1);
	return NULL;
}

static const char *parse_module(const u8 *tag, size_t size, struct boot_info *out)
{
	struct module_tag module;
	struct boot_module *m = &out->module[out->module_count];

	if (size < sizeof(module))
		return "The boot information is malformed: a module's tag is too short.";
	if (out->module_count == BOOT_MODULES_MAX)
		return "Too many boot modules (limit " STR(BOOT_MODULES_MAX) ").";
	memcpy(&module, tag, sizeof(module));
	if (module.end < module.start)
		return "The boot information is malformed: a module ends before it starts.";
	m->start = module.start;
	m->end = module.end;
	out->module_count++;
	return copy_string(m->string, tag + sizeof(module), size - sizeof(module));
}

/* Adds one entry of the memory map; what the specification does not know is reserved. */
static int add_memory(struct range_list *memory, const struct memory_entry *entry)
{
	u64 end = entry->base + entry->length;
	u32 type = RANGE_RESERVED;

	if (end < entry->base)
		end = UINT64_MAX;
	if (entry->type == RANGE_USABLE || entry->type == RANGE_ACPI || entry->type == RANGE_NVS ||
	    entry->type == RANGE_UNUSABLE)
		type = entry->type;
	return range_add(memory, entry->base, end, type);
}

static const char *parse_memory(const u8 *tag, size_t size, struct boot_info *out)
{
	struct memory_tag map;
	struct memory_entry entry;
	size_t pos = sizeof(map);

	if (size < sizeof(map))
		return "The boot information is malformed: the memory map's tag is too short.";
	memcpy(&map, tag, sizeof(map));
	if (map.entry_size < sizeof(entry))
		return "The boot information is malformed: the memory map's entries are too short.";
	for (; size - pos >= map.entry_size; pos += map.entry_size) {
		memcpy(&entry, tag + pos, sizeof(entry));
		if (add_memory(&out->memory, &entry))
			return "The memory map has too many ranges (limit " STR(RANGE_MAX) ").";
	}
	if (pos != size)
		return "The boot information is malformed: the memory map is truncated.";
	return NULL;
}

static const char *parse_framebuffer(const u8 *tag, size_t size, struct boot_info *out)
{
	struct framebuffer_tag in = {0};
	struct boot_framebuffer *fb = &out->framebuffer;

	if (size < offsetof(struct framebuffer_tag, red_pos))
		return "The boot information is malformed: the frame buffer's tag is too short.";
	memcpy(&in, tag, size < sizeof(in) ? size : sizeof(in));
	if (in.type == FRAMEBUFFER_RGB && size < sizeof(in))
		return "The boot information is malformed: the frame buffer has no colours.";
	*fb = (struct boot_framebuffer){
		.present = true,
		.addr = in.addr,
		.pitch = in.pitch,
		.width = in.width,
		.height = in.height,
		.bpp = in.bpp,
		.type = in.type,
	};
	if (in.type == FRAMEBUFFER_RGB) {
		fb->red_pos = in.red_pos;
		fb->red_size = in.red_size;
		fb->green_pos = in.green_pos;
		fb->green_size = in.green_size;
		fb->blue_pos = in.blue_pos;
		fb->blue_size = in.blue_size;
	}
	return NULL;
}

/* Section 3.6.7: the device, then its partitions. */
static void parse_device(const u8 *tag, size_t size, struct boot_info *out)
{
	if (size >= sizeof(struct tag) + sizeof(out->bios_device))
		memcpy(&out->bios_device, tag + sizeof(struct tag), sizeof(out->bios_device));
}

/* The RSDP's copy. The longer one of the two tags counts; one too short to be an RSDP does not. */
static void parse_rsdp(const u8 *tag, size_t size, struct boot_info *out)
{
	size_t len = size - sizeof(struct tag);

	if (len > sizeof(out->rsdp))
		len = sizeof(out->rsdp);
	if (len < RSDP_V1_SIZE || len < out->rsdp_len)
		return;
	memcpy(out->rsdp, tag + sizeof(struct tag), len);
	out->rsdp_len = (u32)len;
}

/* NULL if the tag is right or not one that Keel reads. */
static const char *parse_tag(u32 type, const u8 *tag, size_t size, struct boot_info *out)
{
	switch (type) {
	case TAG_CMDLINE:
		return copy_string(out->cmdline, tag + sizeof(struct tag),
				   size - sizeof(struct tag));
	case TAG_MODULE:
		return parse_module(tag, size, out);
	case TAG_BIOS_DEVICE:
		parse_device(tag, size, out);
		return NULL;
	case TAG_MEMORY_MAP:
		return parse_memory(tag, size, out);
	case TAG_FRAMEBUFFER:
		return parse_framebuffer(tag, size, out);
	case TAG_ACPI_OLD:
	case TAG_ACPI_NEW:
		parse_rsdp(tag, size, out);
		return NULL;
	default:
		return NULL;
	}
}

static const char *parse_tags(const u8 *mbi, size_t size, struct boot_info *out)
{
	size_t pos = sizeof(struct fixed_part);
	const char *why;
	struct tag tag;

	while (size - pos >= sizeof(tag)) {
		size_t left = size - pos;
		size_t padded;

		memcpy(&tag, mbi + pos, sizeof(tag));
		if (tag.type == TAG_END)
			return NULL;
		if (tag.size < sizeof(tag))
			return "The boot information is malformed: a tag is too short.";
		if (tag.size > left)
			break;
		why = parse_tag(tag.type, mbi + pos, tag.size, out);
		if (why)
			return why;
		/* Tags start at multiples of 8. */
		padded = tag.size + (-tag.size & 7);
		if (padded < tag.size || padded > left)
			break;
		pos += padded;
	}
	return "The boot information is truncated.";
}

int multiboot2_parse(const void *mbi, size_t size, struct boot_info *out, const char **why)
{
	struct fixed_part fixed;

	memset(out, 0, sizeof(*out));
	out->bios_device = BOOT_NO_DEVICE;
	*why = "The boot information is truncated.";
	if (size < sizeof(fixed))
		return -EINVAL;
	memcpy(&fixed, mbi, sizeof(fixed));
	if (fixed.total_size > size || fixed.total_size < sizeof(fixed))
		return -EINVAL;
	*why = parse_tags(mbi, fixed.total_size, out);
	if (!*why && !out->memory.count)
		*why = "The boot loader gave no memory map.";
	return *why ? -EINVAL : 0;
}

/* The end of the first word of @s. */
static const char *word_end(const char *s)
{
	while (*s && *s != ' ' && *s != '\t')
		s++;
	return s;
}

static const char *skip_blanks(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

bool boot_module_is(const struct boot_module *module, const char *role)
{
	const char *word = skip_blanks(module->string);
	size_t len = strlen(role);

	return (size_t)(word_end(word) - word) == len && !strncmp(word, role, len);
}

const struct boot_module *boot_module_find(const struct boot_info *info, const char *role)
{
	for (u32 i = 0; i < info->module_count; i++) {
		if (boot_module_is(&info->module[i], role))
			return &info->module[i];
	}
	return NULL;
}

const char *boot_module_args(const struct boot_module *module)
{
	return skip_blanks(word_end(skip_blanks(module->string)));
}
