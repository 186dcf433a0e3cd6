/* SPDX-License-Identifier: BSD-2-Clause */
/* The two ways in which Keel gives up, loudly. */
#ifndef KEEL_PANIC_H
#define KEEL_PANIC_H

#include <keel/types.h>

struct isr_frame;

/* A fault of Keel's own: prints the sentence, registers, the last exit and a backtrace; halts. */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* As panic(), for an exception taken in Keel: @frame is where it hit. */
_Noreturn void panic_exception(const struct isr_frame *frame);

/*
 * Something outside Keel is wrong (CPU, firmware, module, configuration): one line that names cause
 * and remedy, then a halt. Before the guest's own code runs.
 */
_Noreturn void refuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
