/* SPDX-License-Identifier: BSD-2-Clause */
/* Proves from inside that this system is under Keel, and under the one that it should be. */
#ifndef VERIFY_H
#define VERIFY_H

#include <stdio.h>

#include "ask.h"
#include "table.h"

/* What a CPU said when it was asked. */
enum asked {
	ASKED_ANSWERS,
	ASKED_BARE,    /* it is not under Keel */
	ASKED_OFFLINE, /* it has gone since the list was made */
};

/* Where the answers come from; tests have their own. */
struct verify_source {
	const char *table;   /* paths */
	const char *online;  /* list of CPUs, as in sysfs */
	const char *iomem;   /* memory map, as in procfs */
	const char *options; /* what scripts/describe-build says; may be missing */
	enum asked (*ask)(unsigned cpu, struct answer *answer);
};

/* The real ones. */
extern const struct verify_source verify_system;

/* A line for each thing that was looked at. STATUS_FAILED if one is wrong. */
enum status verify(FILE *out, const struct verify_source *source);

#endif
