/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the last of Keel's messages for keelctl log. */
#ifndef KEEL_DEV_LOG_H
#define KEEL_DEV_LOG_H

#include <keel/abi.h>

/* Bytes that are kept: a boot's messages and some more. */
#define LOG_BYTES 4096u
/* What a struct keel_log takes with them. */
#define LOG_SIZE  (sizeof(struct keel_log) + 2 * LOG_BYTES)

/* One byte more. Only while the console is locked. */
void log_keep(char c);

/* From now on in @log, of LOG_SIZE bytes, with what has been kept so far. Before the guest runs. */
void log_move(struct keel_log *log);

#endif
