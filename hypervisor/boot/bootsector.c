/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts a disk's boot sector in real mode, with Keel hidden from the BIOS' memory map. */
#include <keel/abi.h>
#include <keel/console.h>
#include <keel/panic.h>

#include "boot/bios_stub.h"
#include "boot/boot.h"
#include "lib/bios.h"
#include "lib/cmdline.h"
#include "lib/string.h"
#include "mm/host_map.h"
#include "vmm/boot_failed.h"

#define ROLE		  "bootsector"
#define OPTION_MAX	  64

#define SECTOR_ADDRESS	  0x7c00
#define SECTOR_SIZE	  512u
#define SECTOR_SIGNATURE  0xaa55
#define SIGNATURE_OFFSET  510

#define IVT_INT15	  (0x15 * 4)
/* BIOS data area: KiB of conventional memory, number of hard disks, free for programs. */
#define BDA_KIB		  0x413
#define BDA_HARD_DISKS	  0x475
#define BDA_COMMUNICATION 0x4f0

/* What a boot loader under Keel finds (docs/boot.md); stale if the vector is another one by then. */
struct boot_mark {
	u8 text[4];
	u32 int15;
};

static u8 read_byte(u64 pa)
{
	return *(const volatile u8 *)host_map_foreign(pa, 1);
}

static void read_low(void *to, u64 pa, size_t len)
{
	memcpy(to, host_map_foreign(pa, len), len);
}

static void write_low(u64 pa, const void *from, size_t len)
{
	memcpy(host_map_foreign(pa, len), from, len);
}

static void check_drive(const char *where, u8 drive)
{
	u32 disks = read_byte(BDA_HARD_DISKS);

	if (bios_disk(drive) >= disks)
		refuse("%shd%u: there is no such disk, the firmware has %u", where,
		       bios_disk(drive), disks);
}

/* Is a drive named on Keel's command line? */
static bool asked_drive(const struct boot_info *info, u8 *drive)
{
	char word[OPTION_MAX];

	if (!cmdline_get(info->cmdline, "boot", word, sizeof(word)))
		return false;
	if (!bios_drive(word, drive))
		refuse("boot=%s is unknown: use boot=hd0, boot=hd1 and so on, as GRUB names disks",
		       word);
	check_drive("boot=", *drive);
	return true;
}

/* The module that is the boot sector of @drive by its own arguments. */
static const struct boot_module *find_module(const struct boot_info *info, u8 drive)
{
	for (u32 i = 0; i < info->module_count; i++) {
		const struct boot_module *m = &info->module[i];
		u8 named;

		if (boot_module_is(m, ROLE) && bios_drive(boot_module_args(m), &named) &&
		    named == drive)
			return m;
	}
	return NULL;
}

/* Of which disk this module is: by its arguments, else GRUB's root, else the first. */
static u8 module_drive(const struct boot_info *info, const struct boot_module *module)
{
	const char *args = boot_module_args(module);
	u8 drive = BIOS_FIRST_DISK;

	if (*args && !bios_drive(args, &drive))
		refuse(ROLE " %s is unknown: use " ROLE " hd0, " ROLE " hd1 and so on", args);
	if (!*args && info->bios_device >= BIOS_FIRST_DISK &&
	    info->bios_device < BIOS_FIRST_DISK + read_byte(BDA_HARD_DISKS))
		drive = (u8)info->bios_device;
	check_drive(ROLE " ", drive);
	return drive;
}

static void place_sector(const struct boot_module *module, u8 drive)
{
	const u8 *sector = (const u8 *)(unsigned long)module->start;
	u16 signature;

	if (module->end - module->start < SECTOR_SIZE)
		boot_failed(drive, KEEL_BOOT_TRUNCATED);
	memcpy(&signature, &sector[SIGNATURE_OFFSET], sizeof(signature));
	if (signature != SECTOR_SIGNATURE)
		boot_failed(drive, KEEL_BOOT_NO_SIGNATURE);
	memmove(host_map_foreign(SECTOR_ADDRESS, SECTOR_SIZE), sector, SECTOR_SIZE);
}

static size_t stub_size(u32 ranges)
{
	return (size_t)(bios_stub_data - bios_stub_start) + sizeof(struct bios_stub) +
	       ranges * sizeof(struct bios_e820);
}

/* Takes the stub's memory from the guest, and says so where software looks. */
static u64 take_place(struct range_list *ram)
{
	/* At most two ranges are more afterwards. */
	u64 size = stub_size(ram->count + 2);
	u16 kib;
	u64 place;

	read_low(&kib, BDA_KIB, sizeof(kib));
	if (bios_take_top(ram, kib, size, &place))
		refuse("no free memory below 640 KiB for the BIOS' memory map");
	kib = (u16)(place >> 10);
	write_low(BDA_KIB, &kib, sizeof(kib));
	return place;
}

static void hook_int15(u64 place, struct bios_stub *stub)
{
	struct boot_mark mark = {.text = "KEEL"};

	mark.int15 = (u32)(place >> 4 << 16) | (u32)(bios_stub_int15 - bios_stub_start);
	read_low(&stub->old_vector, IVT_INT15, sizeof(stub->old_vector));
	write_low(IVT_INT15, &mark.int15, sizeof(mark.int15));
	write_low(BDA_COMMUNICATION, &mark, sizeof(mark));
}

static void place_stub(const struct range_list *ram, u64 place, u8 drive, bool read)
{
	size_t code = (size_t)(bios_stub_data - bios_stub_start);
	u8 *page = host_map_foreign(place, stub_size(ram->count));
	struct bios_stub *stub = (void *)(page + code);

	memcpy(page, bios_stub_start, code);
	*stub = (struct bios_stub){
		.drive = drive,
		.read = read,
		.intel = backend->abi_id == KEEL_BACKEND_VMX,
		.entry_size = E820_SIZE_OLD,
		.e820_count = ram->count,
	};
	bios_count(ram, &stub->most);
	bios_fill_e820(ram, stub->e820);
	hook_int15(place, stub);
}

bool bootsector_wanted(const struct boot_info *info)
{
	char word[OPTION_MAX];

	return cmdline_get(info->cmdline, "boot", word, sizeof(word)) ||
	       boot_module_find(info, ROLE);
}

u64 bootsector_load(const struct boot_info *info, struct range_list *ram)
{
	const struct boot_module *module;
	u8 drive;
	u64 place;

	if (asked_drive(info, &drive)) {
		module = find_module(info, drive);
	} else {
		module = boot_module_find(info, ROLE);
		drive = module_drive(info, module);
	}
	if (module)
		place_sector(module, drive);
	place = take_place(ram);
	place_stub(ram, place, drive, !module);
	boot_stub = place;
	log_notice("guest: the boot sector of hd%u", bios_disk(drive));
	return place;
}
