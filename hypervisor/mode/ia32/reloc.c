/* SPDX-License-Identifier: BSD-2-Clause */
/* Relocations of the position-independent image (System V ABI, Intel386 supplement, 4.4). */
#include "mode/image.h"

#define R_386_RELATIVE 8

/* The addend is where the sum goes. */
struct rel {
	u32 offset;
	u32 info;
};

/* Reached relative to EIP, not by the table of addresses that is yet to be relocated. */
#define LOCAL __attribute__((visibility("hidden")))

extern const struct rel image_rela_start[] LOCAL, image_rela_end[] LOCAL;
extern u8 image_start[] LOCAL;

/* How far the sums are from the link address. A copy of the image carries it over. */
static u32 applied;

/* Called before anything is relocated. */
void image_apply_relocations(void)
{
	u32 delta = (u32)image_start - KEEL_LINK_BASE;

	for (const struct rel *r = image_rela_start; r < image_rela_end; r++) {
		if ((u8)r->info == R_386_RELATIVE)
			*(u32 *)(r->offset + delta) += delta - applied;
	}
	applied = delta;
}
