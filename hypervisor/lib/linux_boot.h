/* SPDX-License-Identifier: BSD-2-Clause */
/* The Linux/x86 boot protocol (Linux Documentation/x86/boot.rst), as a loader of a bzImage. */
#ifndef KEEL_LIB_LINUX_BOOT_H
#define KEEL_LIB_LINUX_BOOT_H

#include <keel/types.h>
#include "multiboot2.h"
#include "range.h"

#define BOOT_PARAMS_SIZE 4096u

/* What a kernel image says of itself. */
struct linux_image {
	u32 setup_bytes;   /* real-mode part including the boot sector: (setup_sects + 1) * 512 */
	u32 payload_bytes; /* protected-mode part: the rest of the file */
	u64 pref_address;
	u32 init_size;
	u32 alignment;
	bool relocatable;
	bool is_64bit; /* XLF_KERNEL_64: the kernel inside is a 64-bit one */
	u32 initrd_addr_max;
	u32 cmdline_size;
	u16 version;
};

/*
 * Reads the setup header of the bzImage @file of @size bytes. 0, or -EINVAL with *@why one clear
 * constant sentence: too short (truncated), no boot sector signature or "HdrS" (not a Linux
 * kernel), protocol older than 2.10 (too old; says Linux 2.6.31), not LOADED_HIGH, setup part or
 * payload longer than the file (truncated: syssize says more than the file has),
 * pref_address/alignment nonsense. init_size is never less than payload_bytes.
 */
int linux_parse(const void *file, size_t size, struct linux_image *out, const char **why);

/* Where everything goes; all HPA = GPA. Moves must be done in the order initrd, kernel. */
struct linux_layout {
	u64 kernel;	 /* protected-mode part goes here; init_size bytes are free there */
	u64 initrd;	 /* may equal where it is; 0 if there is none */
	u64 boot_params; /* one page, below 640 KiB */
	u64 cmdline;	 /* follows, below 640 KiB, NUL-terminated */
	u64 gdt;	 /* 32 bytes, below 640 KiB */
};

/*
 * Plans where the guest goes. @ram: the guest's e820 (Keel's region already removed). @kernel_file,
 * @initrd (may be NULL): where the modules lie now. @cmdline_len without NUL.
 *
 * The kernel goes to pref_address where init_size bytes are free there, else (relocatable) to the
 * lowest aligned free place above it: a kernel loaded below pref_address moves itself up to it. Its
 * init_size never overlaps the initrd's final place.
 * The initrd stays where it is if it lies wholly in usable RAM, page-aligned, at or below
 * initrd_addr_max, and clear of the kernel's place; else it goes as high as allowed, clear of the
 * kernel's place and of @kernel_file (it may overlap its own old place: memmove).
 * The kernel's place may overlap the old place of the initrd and its own file (memmove), since the
 * initrd moves first.
 * boot_params, cmdline and gdt are clear of all of these, so they can be filled before the moves.
 *
 * 0, or -ENOMEM / -EINVAL with *@why one clear constant sentence: not enough memory for the kernel;
 * initrd does not fit (too large for this machine's memory); command line too long for this kernel;
 * no low memory.
 */
int linux_plan(const struct linux_image *image, const struct range_list *ram,
	       const struct range *kernel_file, const struct range *initrd, size_t cmdline_len,
	       struct linux_layout *out, const char **why);

struct linux_handover {
	const struct linux_image *image;
	const struct linux_layout *layout;
	const struct range_list *ram;
	const struct boot_framebuffer *framebuffer;
	u64 initrd_size;
	u64 rsdp; /* HPA of the RSDP, 0 if unknown */
};

/*
 * Fills the zero page @params (BOOT_PARAMS_SIZE bytes, cleared by the caller) from the setup header
 * of @file and @handover: type_of_loader 0xff, ramdisk, cmd_line_ptr, e820 (at most 128 entries;
 * more: the highest ones are dropped), alt_mem_k, ext_mem_k, screen_info (EGA text 80x25 with
 * orig_video_isVGA=1, or VIDEO_TYPE_VLFB from the frame buffer), acpi_rsdp_addr (offset 0x70).
 */
void linux_fill_boot_params(void *params, const void *file, const struct linux_handover *handover);

#endif
