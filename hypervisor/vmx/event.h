/* SPDX-License-Identifier: BSD-2-Clause */
/* Events that the next VM entry delivers, as exit.c and run.S use them. */
#ifndef KEEL_VMX_EVENT_H
#define KEEL_VMX_EVENT_H

#include <keel/percpu.h>

#include "vmx/decode.h"

/* The next VM entry delivers @event. */
void vmx_queue(const struct vmx_event *event);

/* After an exit that may have interrupted an event's delivery: that event is delivered again. */
void vmx_redeliver(const struct vmx_exit_fields *fields);

/* An NMI of the guest's arrived in Keel (cpu->nmi_pending): delivers it, now or when it can be. */
void vmx_deliver_nmi(struct percpu *cpu);

#endif
