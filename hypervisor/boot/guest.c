/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads Linux by its 32-bit boot protocol (Linux Documentation/x86/boot.rst). */
#include <keel/panic.h>

#include "boot/boot.h"
#include "lib/linux_boot.h"
#include "lib/string.h"

/* The selectors that the protocol asks for, flat 4 GiB code and data. */
#define BOOT_CS 0x10
#define BOOT_DS 0x18

static const u64 boot_gdt[] = {0, 0, 0x00cf9a000000ffffull, 0x00cf92000000ffffull};

static void *at(u64 address)
{
	return (void *)(unsigned long)address;
}

static const struct boot_module *find_kernel(const struct boot_info *info)
{
	const struct boot_module *kernel = boot_module_find(info, "vmlinuz");

	if (!kernel)
		refuse("no kernel: the GRUB entry needs a line \"module2 <file> vmlinuz "
		       "<arguments>\"");
	return kernel;
}

static void plan(const struct range_list *ram, const struct boot_module *kernel,
		 const struct boot_module *initrd, size_t args_len, struct linux_image *image,
		 struct linux_layout *layout)
{
	struct range kernel_file = {kernel->start, kernel->end, 0};
	struct range initrd_file = {0};
	const char *why = "";

	if (linux_parse(at(kernel->start), kernel->end - kernel->start, image, &why))
		refuse("kernel module: %s", why);
	if (image->is_64bit && !GUEST_LONG_MODE)
		refuse("kernel module: a 64-bit kernel, which Keel " SUBARCH_NAME
		       " cannot run: use a 32-bit kernel, or Keel amd64");
	if (initrd)
		initrd_file = (struct range){initrd->start, initrd->end, 0};
	if (linux_plan(image, ram, &kernel_file, initrd ? &initrd_file : NULL, args_len, layout,
		       &why))
		refuse("cannot place the guest: %s", why);
}

void guest_load(const struct boot_info *info, const struct range_list *ram, u64 rsdp,
		const char *first, struct guest_start *start)
{
	const struct boot_module *kernel = find_kernel(info);
	const struct boot_module *initrd = boot_module_find(info, "initrd");
	const char *args = boot_module_args(kernel);
	size_t args_len = strlen(args);
	size_t first_len = strlen(first);
	u64 initrd_size = initrd ? initrd->end - initrd->start : 0;
	struct linux_image image;
	struct linux_layout layout;

	plan(ram, kernel, initrd, first_len + args_len, &image, &layout);
	memset(at(layout.boot_params), 0, BOOT_PARAMS_SIZE);
	linux_fill_boot_params(at(layout.boot_params), at(kernel->start),
			       &(struct linux_handover){
				       .image = &image,
				       .layout = &layout,
				       .ram = ram,
				       .framebuffer = &info->framebuffer,
				       .initrd_size = initrd_size,
				       .rsdp = rsdp,
			       });
	memcpy(at(layout.cmdline), first, first_len);
	memcpy(at(layout.cmdline + first_len), args, args_len + 1);
	memcpy(at(layout.gdt), boot_gdt, sizeof(boot_gdt));
	/* The initrd first: the kernel may go where it was. */
	if (initrd && layout.initrd != initrd->start)
		memmove(at(layout.initrd), at(initrd->start), initrd_size);
	memmove(at(layout.kernel), at(kernel->start + image.setup_bytes), image.payload_bytes);
	*start = (struct guest_start){
		.eip = (u32)layout.kernel,
		.esi = (u32)layout.boot_params,
		.gdt_base = (u32)layout.gdt,
		.gdt_limit = sizeof(boot_gdt) - 1,
		.cs = BOOT_CS,
		.ds = BOOT_DS,
	};
}
