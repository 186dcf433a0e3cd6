/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three levels of 64-bit entries. The four at the top have neither R/W nor U/S (SDM volume 3, table
 * 4-8).
 */
#include "mode/paging.h"

#include "mode/pte.h"

const struct pt_format host_pt_format = {
	.levels = 3,
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
			{.shift = 30, .index_bits = 2, .table_attrs = PTE_P},
		},
};

struct pt_format host_nested_format = {
	.levels = 3,
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
			{.shift = 30, .index_bits = 2, .table_attrs = PTE_P},
		},
};
