/* SPDX-License-Identifier: BSD-2-Clause */
/* Two levels of 32-bit entries. */
#include "mode/paging.h"

#include "mode/pte.h"

/* PSE-36's further bits in a 4 MiB entry (SDM volume 3, table 4-4) stay 0. */
#define PTE_ADDR_32 0xfffff000ull

const struct pt_format host_pt_format = {
	.levels = 2,
	.entry_bytes = 4,
	.present = PTE_P,
	.large = PTE_PS,
	.addr_mask = PTE_ADDR_32,
	.level =
		{
			{.shift = 12, .index_bits = 10, .leaf = true},
			{.shift = 22,
			 .index_bits = 10,
			 .leaf = true,
			 .leaf_attrs = PTE_PS,
			 .table_attrs = PTE_P | PTE_RW},
		},
};

struct pt_format host_nested_format = {
	.levels = 2,
	.entry_bytes = 4,
	.present = PTE_P,
	.large = PTE_PS,
	.addr_mask = PTE_ADDR_32,
	.level =
		{
			{.shift = 12, .index_bits = 10, .leaf = true},
			{.shift = 22,
			 .index_bits = 10,
			 .leaf = true,
			 .leaf_attrs = PTE_PS,
			 .table_attrs = PTE_P | PTE_RW | PTE_US},
		},
};
