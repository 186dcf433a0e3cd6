/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSR and I/O bitmaps (SDM 25.6.9 and 25.6.4). A set bit makes the access exit. */
#include <generated/autoconf.h>
#include <keel/errno.h>

#include "lib/string.h"
#include "mm/frame.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"

/* The MSR bitmap: four maps of 8192 bits, for reads and writes of two ranges of MSRs. */
#define MSR_MAP_BYTES	1024u
#define MSR_HIGH_BASE	0xc0000000u
#define MSR_MAP_MSRS	8192u
#define MSR_WRITE_MAPS	(2 * MSR_MAP_BYTES)

/* I/O bitmap A has ports 0 to 0x7fff, B the rest. They lie one after the other. */
#define IO_BITMAP_PAGES 2

/* What Keel looks at, and what exits: the same, if MSRs are left to the guest. */
static u8 *msr_bitmap;
static u8 *exiting_msrs;
static u8 *io_bitmap;

int vmx_bitmaps_init(void)
{
	msr_bitmap = frame_alloc();
	exiting_msrs = msr_bitmap;
#ifndef CONFIG_MSR_MAP
	exiting_msrs = frame_alloc();
	if (exiting_msrs)
		memset(exiting_msrs, 0xff, PAGE_SIZE);
#endif
	io_bitmap = frame_alloc_many(IO_BITMAP_PAGES, PAGE_SIZE);
	return msr_bitmap && exiting_msrs && io_bitmap ? 0 : -ENOMEM;
}

void vmx_bitmaps_use(void)
{
	vmcs_write64(VMCS_MSR_BITMAPS, (unsigned long)exiting_msrs);
	vmcs_write64(VMCS_IO_BITMAP_A, (unsigned long)io_bitmap);
	vmcs_write64(VMCS_IO_BITMAP_B, (unsigned long)io_bitmap + PAGE_SIZE);
}

static void put_bit(u8 *map, u32 n, bool set)
{
	u8 bit = BIT(n % 8);

	map[n / 8] = set ? map[n / 8] | bit : map[n / 8] & ~bit;
}

void vmx_trap_msr(u32 msr, u8 trap)
{
	u8 *map = msr_bitmap;

	if (msr >= MSR_HIGH_BASE) {
		msr -= MSR_HIGH_BASE;
		map += MSR_MAP_BYTES;
	}
	if (msr >= MSR_MAP_MSRS)
		return; /* outside both ranges: always exits */
	put_bit(map, msr, trap & MSR_READ);
	put_bit(map + MSR_WRITE_MAPS, msr, trap & MSR_WRITE);
}

const u8 *vmx_own_msrs(void)
{
	return msr_bitmap + MSR_WRITE_MAPS;
}

void vmx_trap_ports(u16 first, u16 count)
{
	for (u32 port = first; port < (u32)first + count; port++)
		put_bit(io_bitmap, port, true);
}
