/* SPDX-License-Identifier: BSD-2-Clause */
#include "dev/log.h"

#include <keel/live.h>

/* Until there are page frames. It moves with the image; a pointer to it would not. */
static _Alignas(struct keel_log) u8 early[LOG_SIZE];
static struct keel_log *moved;

static struct keel_log *current(void)
{
	return moved ? moved : (struct keel_log *)early;
}

static void put(struct keel_log *log, u8 byte)
{
	u64 at = log->written.value % LOG_BYTES;

	log->bytes[at] = byte;
	log->bytes[at + LOG_BYTES] = (u8)~byte;
	live_set(&log->written, log->written.value + 1);
}

void log_keep(char c)
{
	put(current(), (u8)c);
}

void log_move(struct keel_log *log)
{
	const struct keel_log *old = current();
	u64 written = old->written.value;

	for (u32 i = 0; i < LOG_BYTES; i++)
		log->bytes[i + LOG_BYTES] = (u8)~log->bytes[i];
	live_set(&log->written, written > LOG_BYTES ? written - LOG_BYTES : 0);
	while (log->written.value < written)
		put(log, old->bytes[log->written.value % LOG_BYTES]);
	moved = log;
}
