/* SPDX-License-Identifier: BSD-2-Clause */
/* Relocations of the position-independent image (System V ABI, AMD64 supplement, 4.4). */
#include "mode/image.h"

#define R_X86_64_RELATIVE 8

struct rela {
	u64 offset;
	u64 info;
	u64 addend;
};

extern const struct rela image_rela_start[], image_rela_end[];

/* Called before anything is relocated: reaches everything relative to RIP. */
void image_apply_relocations(void)
{
	u64 delta = (u64)image_start - KEEL_LINK_BASE;

	for (const struct rela *r = image_rela_start; r < image_rela_end; r++) {
		if ((u32)r->info == R_X86_64_RELATIVE)
			*(u64 *)(r->offset + delta) = r->addend + delta;
	}
}
