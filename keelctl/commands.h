/* SPDX-License-Identifier: BSD-2-Clause */
/* What keelctl's commands print of a table. Each writes to @out, so that tests can look at it. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdio.h>

#include "table.h"

void print_info(FILE *out, const struct table *table);

/* Names of KEEL_BACKEND_* and KEEL_START_*. */
const char *backend_name(uint32_t backend);
const char *start_name(uint32_t policy);

/* stat.c: what is counted, of one CPU or all, at one moment or between two. */

struct stat_key {
	uint64_t key, count;
};

struct stat {
	uint64_t exits[KEEL_REASONS_MAX];
	uint64_t events[KEEL_EVENTS_MAX];
	uint64_t lost[KEEL_TALLIES_MAX];
	uint64_t times[KEEL_REASONS_MAX][KEEL_HISTOGRAM_BUCKETS];
	/* By kind, most frequent first. */
	struct stat_key *keys[KEEL_TALLIES_MAX];
	size_t key_count[KEEL_TALLIES_MAX];
	uint64_t total; /* of exits */
};

/* What CPU @index (STAT_ALL: all) counted, less what it had counted in @before, which may be NULL. */
#define STAT_ALL UINT32_MAX
void stat_take(struct stat *stat, const struct table *now, const struct table *before,
	       uint32_t index);
void stat_free(struct stat *stat);

struct stat_format {
	bool per_cpu;
	bool json;
	unsigned width; /* of the terminal, in columns; 0: no limit */
	double seconds; /* what was counted between two moments: how far apart; 0: from the start */
};

void print_stat(FILE *out, const struct table *now, const struct table *before,
		const struct stat_format *format);

/* json.c */
void print_json(FILE *out, const struct table *now, const struct table *before,
		const struct stat_format *format);

/* trace.c: where in the rings one has got to. */
struct trace_place {
	uint64_t *next; /* by CPU, the number of the entry that comes next */
	uint64_t lost;	/* entries that were overwritten before they were seen, in all */
	uint64_t said;	/* of these */
};

bool trace_begin(struct trace_place *place, const struct table *table);
void trace_end(struct trace_place *place);
/* Prints what is new, and how many were lost. @symbols: /proc/kallsyms, or NULL. */
struct symbols;
void print_trace(FILE *out, const struct table *table, struct trace_place *place,
		 const struct symbols *symbols, unsigned width);

/* symbols.c. NULL if the file names none, or no memory is left. */
struct symbols *symbols_read(const char *path);
void symbols_free(struct symbols *symbols);
/* The symbol that @address lies in, "" if none does. */
const char *symbols_find(const struct symbols *symbols, uint64_t address, uint64_t *offset);

#endif
