/* SPDX-License-Identifier: BSD-2-Clause */
/* Legacy prefixes of an instruction (Intel SDM volume 2, 2.1.1). */
#ifndef KEEL_LIB_PREFIX_H
#define KEEL_LIB_PREFIX_H

#include <keel/types.h>

enum prefix {
	PREFIX_NONE,
	PREFIX_SEGMENT,
	PREFIX_OPERAND_SIZE,
	PREFIX_ADDRESS_SIZE,
	PREFIX_LOCK,
	PREFIX_REPEAT,
};

static inline enum prefix prefix_of(u8 byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
		return PREFIX_SEGMENT;
	case 0x66:
		return PREFIX_OPERAND_SIZE;
	case 0x67:
		return PREFIX_ADDRESS_SIZE;
	case 0xf0:
		return PREFIX_LOCK;
	case 0xf2:
	case 0xf3:
		return PREFIX_REPEAT;
	default:
		return PREFIX_NONE;
	}
}

#endif
