/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Linux/x86 boot protocol (Documentation/x86/boot.rst) as a loader of a bzImage, entered by its
 * 32-bit or 64-bit entry point. The setup header is little-endian and packed.
 */
#include <keel/bits.h>
#include <keel/errno.h>

#include "linux_boot.h"
#include "linux_params.h"
#include "string.h"

/* The kernel's protected-mode part starts no lower (boot.rst, "Memory layout"). */
#define HIGH_START	    MIB(1)
/* Below this, conventional memory; what the firmware uses there is not in the e820 as usable. */
#define LOW_END		    KIB(640)
/* The interrupt vectors and the BIOS data area. */
#define LOW_START	    KIB(4)
/* The setup header's fields for addresses have 32 bits. */
#define HIGH_END	    GIB(4)

#define GDT_BYTES	    32u

#define PROTOCOL_MIN	    0x020a /* the first with pref_address and init_size */
#define PROTOCOL_XLOADFLAGS 0x020c /* the first with xloadflags */

/* A kernel above its alignment would move itself: pref_address must be a multiple of it. */
static bool bad_alignment(const struct setup_header *hdr)
{
	u32 align = hdr->kernel_alignment;

	return align < PAGE_SIZE || (align & (align - 1)) || (hdr->pref_address & (align - 1));
}

/* What is wrong with the places of things in a kernel @file whose setup header is whole. */
static const char *check_sizes(const struct setup_header *hdr, u64 size, u32 setup_bytes)
{
	u64 payload = size - setup_bytes;

	if (size <= setup_bytes || (u64)hdr->syssize * 16 > payload ||
	    (u64)hdr->payload_offset + hdr->payload_length > payload)
		return "The kernel file is truncated.";
	if (size > UINT32_MAX)
		return "The kernel file is larger than 4 GiB.";
	if (!hdr->init_size || hdr->pref_address < HIGH_START || hdr->pref_address >= HIGH_END ||
	    hdr->pref_address % PAGE_SIZE)
		return "The kernel's setup header is malformed: its load address makes no sense.";
	if (hdr->relocatable_kernel && bad_alignment(hdr))
		return "The kernel's setup header is malformed: its alignment makes no sense.";
	return NULL;
}

/* Reads the setup header, first what tells whether it is one. Bytes past the file's end are 0. */
static const char *read_header(const void *file, u64 size, struct setup_header *hdr)
{
	if (size < SETUP_HEADER + sizeof(*hdr))
		return "The kernel file is truncated: it has no whole setup header.";
	memcpy(hdr, (const u8 *)file + SETUP_HEADER, sizeof(*hdr));
	if (hdr->boot_flag != 0xaa55)
		return "Not a Linux kernel: the file has no boot sector signature.";
	if (memcmp(hdr->header, "HdrS", sizeof(hdr->header)))
		return "Not a Linux kernel: the file has no HdrS signature.";
	if (hdr->version < PROTOCOL_MIN)
		return "The kernel is too old: boot protocol 2.10 (Linux 2.6.31) is needed.";
	if (!(hdr->loadflags & LOADFLAGS_LOADED_HIGH))
		return "The kernel is a zImage: a bzImage is needed.";
	return NULL;
}

int linux_parse(const void *file, size_t size, struct linux_image *out, const char **why)
{
	struct setup_header hdr;
	u32 setup_bytes;

	memset(out, 0, sizeof(*out));
	*why = read_header(file, size, &hdr);
	if (*why)
		return -EINVAL;
	/* boot.rst: 0 stands for 4. */
	setup_bytes = ((hdr.setup_sects ? hdr.setup_sects : 4u) + 1) * 512;
	*why = check_sizes(&hdr, size, setup_bytes);
	if (*why)
		return -EINVAL;
	out->setup_bytes = setup_bytes;
	out->payload_bytes = (u32)(size - setup_bytes);
	out->pref_address = hdr.pref_address;
	/* What is copied there must fit, too: a signature may follow the kernel. */
	out->init_size = hdr.init_size > out->payload_bytes ? hdr.init_size : out->payload_bytes;
	out->relocatable = hdr.relocatable_kernel;
	out->alignment = out->relocatable ? hdr.kernel_alignment : PAGE_SIZE;
	out->is_64bit =
		hdr.version >= PROTOCOL_XLOADFLAGS && (hdr.xloadflags & XLOADFLAGS_KERNEL_64);
	out->initrd_addr_max = hdr.initrd_addr_max;
	out->cmdline_size = hdr.cmdline_size;
	out->version = hdr.version;
	return 0;
}

/*
 * boot.rst, "pref_address" and "init_size": a relocatable kernel runs where it is loaded, but never
 * below pref_address; one that is not relocatable moves itself to pref_address.
 */
static bool place_kernel(const struct linux_image *image, const struct range_list *ram, u64 *at)
{
	u64 pref = image->pref_address;

	*at = pref;
	if (pref + image->init_size <= HIGH_END &&
	    range_covered(ram, pref, pref + image->init_size, RANGE_USABLE))
		return true;
	return image->relocatable && !range_find_low(ram, RANGE_USABLE, image->init_size,
						     image->alignment, pref, HIGH_END, NULL, 0, at);
}

static bool overlap(const struct range *a, const struct range *b)
{
	return a->start < b->end && b->start < a->end;
}

/* boot.rst, "initrd_addr_max": the highest address that a byte of the initrd may have. */
static bool place_initrd(const struct linux_image *image, const struct range_list *ram,
			 const struct range *kernel, const struct range *kernel_file,
			 const struct range *initrd, u64 *at)
{
	struct range avoid[] = {*kernel, *kernel_file};
	u64 limit = (u64)image->initrd_addr_max + 1;
	u64 size = initrd->end - initrd->start;

	*at = initrd->start;
	if (initrd->start % PAGE_SIZE == 0 && initrd->end <= limit && !overlap(initrd, kernel) &&
	    range_covered(ram, initrd->start, initrd->end, RANGE_USABLE))
		return true;
	return size < HIGH_END &&
	       !range_find_high(ram, RANGE_USABLE, align_up(size, PAGE_SIZE), PAGE_SIZE, HIGH_START,
				limit, avoid, ARRAY_SIZE(avoid), at);
}

/*
 * One block for what must be in low memory. It may be filled while the modules are still where the
 * loader put them; what moves goes above HIGH_START.
 */
static bool place_low(const struct range_list *ram, const struct range *kernel_file,
		      const struct range *initrd, size_t cmdline_len, struct linux_layout *out)
{
	struct range avoid[] = {*kernel_file, *initrd};
	u64 size = BOOT_PARAMS_SIZE + GDT_BYTES + (u64)cmdline_len + 1;

	if (range_find_high(ram, RANGE_USABLE, align_up(size, PAGE_SIZE), PAGE_SIZE, LOW_START,
			    LOW_END, avoid, ARRAY_SIZE(avoid), &out->boot_params))
		return false;
	out->gdt = out->boot_params + BOOT_PARAMS_SIZE;
	out->cmdline = out->gdt + GDT_BYTES;
	return true;
}

int linux_plan(const struct linux_image *image, const struct range_list *ram,
	       const struct range *kernel_file, const struct range *initrd, size_t cmdline_len,
	       struct linux_layout *out, const char **why)
{
	const struct range none = {0};
	struct range kernel;

	memset(out, 0, sizeof(*out));
	if (!initrd || initrd->start >= initrd->end)
		initrd = &none;
	*why = "The command line is too long for this kernel.";
	if (cmdline_len > image->cmdline_size)
		return -EINVAL;
	*why = "There is not enough memory for the kernel.";
	if (!place_kernel(image, ram, &out->kernel))
		return -ENOMEM;
	kernel = (struct range){out->kernel, out->kernel + image->init_size, 0};
	*why = "The initrd is too large for this machine's memory.";
	if (initrd != &none &&
	    !place_initrd(image, ram, &kernel, kernel_file, initrd, &out->initrd))
		return -ENOMEM;
	*why = "There is no free memory below 640 KiB.";
	if (!place_low(ram, kernel_file, initrd, cmdline_len, out))
		return -ENOMEM;
	*why = NULL;
	return 0;
}
