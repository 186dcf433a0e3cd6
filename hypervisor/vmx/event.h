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

/* Before each entry with cpu->nmi_pending or cpu->kick_coming. For run.S. */
void vmx_before_entry(struct percpu *cpu);

/* Has the INIT that was to kick this CPU got lost? */
bool vmx_kick_is_lost(const struct percpu *cpu);

/* After an exit for which a kick was expected. */
void vmx_expect_kick(struct percpu *cpu);

#endif
