/* SPDX-License-Identifier: BSD-2-Clause */
/* What a panic prints of the other CPUs, one after the other. */
#ifndef KEEL_VMM_PANIC_DUMP_H
#define KEEL_VMM_PANIC_DUMP_H

#include <keel/percpu.h>

/* @cpu, which runs this, has been stopped by another CPU's panic. */
void panic_dump_stopped(struct percpu *cpu);

/* @cpu does not come to print its state itself. */
void panic_dump_silent(const struct percpu *cpu);

#endif
