/* SPDX-License-Identifier: BSD-2-Clause */
/* The format of Keel's own page tables: 4-level paging (SDM volume 3, 4.5). */
#include "mode/paging.h"

#include "mode/pte.h"

const struct pt_format host_pt_format = {
	.levels = 4,
	.entry_bytes = 8,
	.present = PTE_P,
	.large = PTE_PS,
	.addr_mask = PTE_ADDR,
	.level =
		{
			{.shift = 12, .index_bits = 9, .leaf = true},
			{.shift = 21,
			 .index_bits = 9,
			 .leaf = true,
			 .leaf_attrs = PTE_PS,
			 .table_attrs = PTE_P | PTE_RW},
			{.shift = 30, .index_bits = 9, .table_attrs = PTE_P | PTE_RW},
			{.shift = 39, .index_bits = 9, .table_attrs = PTE_P | PTE_RW},
		},
};

struct pt_format host_nested_format = {
	.levels = 4,
	.entry_bytes = 8,
	.present = PTE_P,
	.large = PTE_PS,
	.addr_mask = PTE_ADDR,
	.level =
		{
			{.shift = 12, .index_bits = 9, .leaf = true},
			{.shift = 21,
			 .index_bits = 9,
			 .leaf = true,
			 .leaf_attrs = PTE_PS,
			 .table_attrs = PTE_P | PTE_RW | PTE_US},
			{.shift = 30,
			 .index_bits = 9,
			 .leaf_attrs = PTE_PS,
			 .table_attrs = PTE_P | PTE_RW | PTE_US},
			{.shift = 39, .index_bits = 9, .table_attrs = PTE_P | PTE_RW | PTE_US},
		},
};

void paging_load(unsigned long root)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}
