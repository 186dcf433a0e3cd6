/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEEL_CPU_EXCEPTION_H
#define KEEL_CPU_EXCEPTION_H

#include "mode/mode.h"

/*
 * Given the address an NMI interrupted, gives the address to go on at: the same, or, if that lies
 * between the last look at percpu.nmi_pending and the entry into the guest, the place that looks
 * again.
 */
typedef unsigned long (*nmi_window_fn)(unsigned long ip);

/* The backend's entry window. NULL where NMIs cannot arrive in Keel (SVM: GIF = 0). */
void exception_set_nmi_window(nmi_window_fn fn);

/* Called by isr.S. May change @frame. */
void isr_handle(struct isr_frame *frame);

#endif
