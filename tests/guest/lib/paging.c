/* SPDX-License-Identifier: BSD-2-Clause */
#include "paging.h"

#include "cpu.h"

#define PTE_KERNEL_LARGE 0x83
#define PTE_USER_LARGE 0x87

extern const char image_start[];

bool paging_on(void)
{
	return read_cr0() & CR0_PG;
}

void pae_on(void)
{
	write_cr4(read_cr4() | CR4_PAE);
	write_cr3((unsigned long)pdpt_pae);
	write_cr0(read_cr0() | CR0_PG);
}

void pae_off(void)
{
	write_cr0(read_cr0() & ~CR0_PG);
	write_cr4(read_cr4() & ~CR4_PAE);
}

void pse_on(void)
{
	static u32 pages[1024] __attribute__((aligned(4096)));

	for (u32 i = 0; i < ARRAY_SIZE(pages); i++)
		pages[i] = i << 22 | PTE_KERNEL_LARGE;
	write_cr4(read_cr4() | CR4_PSE);
	write_cr3((unsigned long)pages);
	write_cr0(read_cr0() | CR0_PG);
}

void pse_off(void)
{
	write_cr0(read_cr0() & ~CR0_PG);
	write_cr4(read_cr4() & ~CR4_PSE);
}

static void map_window(u32 va, u64 pa, u32 bits)
{
	pd_table[va / WINDOW_SIZE] = (pa & ~(u64)(WINDOW_SIZE - 1)) | bits;
	asm volatile("invlpg (%0)" : : "r"((unsigned long)va) : "memory");
}

void *map_high(u64 pa)
{
	map_window(HIGH_WINDOW, pa, PTE_KERNEL_LARGE);
	return (void *)(unsigned long)(HIGH_WINDOW + (u32)(pa & (WINDOW_SIZE - 1)));
}

void map_user(void)
{
	map_window(USER_WINDOW, (unsigned long)image_start, PTE_USER_LARGE);
}
