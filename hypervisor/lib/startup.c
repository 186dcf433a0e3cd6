/* SPDX-License-Identifier: BSD-2-Clause */
/* INIT and SIPI of one CPU. */
#include "startup.h"

#include <keel/bits.h>

#define STATE	     3u
#define INIT_PENDING BIT(2)
#define SIPI_PENDING BIT(3)
#define VECTOR_SHIFT 8
#define VECTOR	     (0xffu << VECTOR_SHIFT) /* 0 unless SIPI_PENDING */

enum startup_state startup_state(u32 word)
{
	return (enum startup_state)(word & STATE);
}

bool startup_is_reset(u32 word)
{
	return startup_state(word) == STARTUP_WAIT || word & INIT_PENDING;
}

u32 startup_send_init(u32 word)
{
	return (word & ~(SIPI_PENDING | VECTOR)) | INIT_PENDING;
}

u32 startup_send_sipi(u32 word, u8 vector)
{
	if (!startup_is_reset(word) || word & SIPI_PENDING)
		return word;
	return word | SIPI_PENDING | (u32)vector << VECTOR_SHIFT;
}

enum startup_action startup_take(u32 word, u32 *after, u8 *vector)
{
	*after = word;
	*vector = 0;
	if (word & INIT_PENDING) {
		*after = (word & ~(STATE | INIT_PENDING)) | STARTUP_WAIT;
		return STARTUP_INIT;
	}
	if (word & SIPI_PENDING && startup_state(word) == STARTUP_WAIT) {
		*after = STARTUP_RUN;
		*vector = (u8)((word & VECTOR) >> VECTOR_SHIFT);
		return STARTUP_START;
	}
	return STARTUP_NOTHING;
}
