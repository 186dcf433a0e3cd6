/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "commands.h"

#define NAME_WIDTH   14
#define NUMBER_WIDTH 11

/* Adds @sign times what one CPU has counted. */
static void add_live(uint64_t *to, const struct keel_live *from, size_t count, uint64_t sign)
{
	for (size_t i = 0; i < count; i++)
		to[i] += sign * from[i].value;
}

static void add_key(struct stat *stat, unsigned kind, uint64_t key, uint64_t count)
{
	struct stat_key *keys = stat->keys[kind];

	for (size_t i = 0; i < stat->key_count[kind]; i++) {
		if (keys[i].key == key) {
			keys[i].count += count;
			return;
		}
	}
	keys = realloc(keys, (stat->key_count[kind] + 1) * sizeof(*keys));
	if (!keys)
		abort();
	keys[stat->key_count[kind]++] = (struct stat_key){key, count};
	stat->keys[kind] = keys;
}

static void add_cpu(struct stat *stat, const struct table *table, uint32_t index, uint64_t sign)
{
	const struct keel_cpu *cpu = table_cpu(table, index);

	add_live(stat->exits, cpu->exits, KEEL_REASONS_MAX, sign);
	add_live(stat->events, cpu->events, KEEL_EVENTS_MAX, sign);
	add_live(stat->lost, cpu->lost, KEEL_TALLIES_MAX, sign);
	for (unsigned r = 0; r < KEEL_REASONS_MAX && table_histogram(table, cpu, r); r++)
		add_live(stat->times[r], table_histogram(table, cpu, r), KEEL_HISTOGRAM_BUCKETS,
			 sign);
	for (unsigned kind = 0; kind < KEEL_TALLIES_MAX; kind++) {
		const struct keel_tally_place *place = &table->head->tally[kind];

		for (unsigned i = 0; i < place->slots; i++) {
			const struct keel_tally *slot = &cpu->tally[place->first + i];

			if (slot->count.value)
				add_key(stat, kind, slot->key.value, sign * slot->count.value);
		}
	}
}

static int more_frequent(const void *a, const void *b)
{
	const struct stat_key *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->key < y->key ? -1 : x->key > y->key;
}

/* What did not happen in between goes, and what has lost its slot: its difference is below 0. */
static void order_keys(struct stat *stat, unsigned kind)
{
	struct stat_key *keys = stat->keys[kind];
	size_t kept = 0;

	for (size_t i = 0; i < stat->key_count[kind]; i++) {
		if ((int64_t)keys[i].count > 0)
			keys[kept++] = keys[i];
	}
	stat->key_count[kind] = kept;
	if (kept)
		qsort(keys, kept, sizeof(*keys), more_frequent);
}

static void add_table(struct stat *stat, const struct table *table, uint32_t index, uint64_t sign)
{
	for (uint32_t i = 0; i < table->head->cpus; i++) {
		if (index == STAT_ALL || index == i)
			add_cpu(stat, table, i, sign);
	}
}

void stat_take(struct stat *stat, const struct table *now, const struct table *before,
	       uint32_t index)
{
	memset(stat, 0, sizeof(*stat));
	add_table(stat, now, index, 1);
	if (before)
		add_table(stat, before, index, (uint64_t)-1);
	for (unsigned r = 0; r < KEEL_REASONS_MAX; r++)
		stat->total += stat->exits[r];
	for (unsigned kind = 0; kind < KEEL_TALLIES_MAX; kind++)
		order_keys(stat, kind);
}

void stat_free(struct stat *stat)
{
	for (unsigned kind = 0; kind < KEEL_TALLIES_MAX; kind++)
		free(stat->keys[kind]);
}

/* Some columns of a table whose rows are names and whose columns are CPUs. */
struct columns {
	FILE *out;
	const struct stat *stats;
	unsigned count;
};

static void print_row(const struct columns *c, const char *name, const uint64_t *first)
{
	size_t offset = (size_t)((const char *)first - (const char *)c->stats);
	uint64_t sum = 0;

	for (unsigned i = 0; i < c->count; i++)
		sum += *(const uint64_t *)((const char *)&c->stats[i] + offset);
	if (!sum)
		return;
	fprintf(c->out, "%-*s", NAME_WIDTH, name);
	for (unsigned i = 0; i < c->count; i++)
		fprintf(c->out, "%*llu", NUMBER_WIDTH,
			(unsigned long long)*(const uint64_t *)((const char *)&c->stats[i] +
								offset));
	fputc('\n', c->out);
}

static void print_counts(const struct columns *c, const struct keel_table *head)
{
	print_row(c, "exits", &c->stats->total);
	for (unsigned r = 0; r < KEEL_REASONS_MAX; r++)
		print_row(c, *head->reason[r] ? head->reason[r] : "unnamed", &c->stats->exits[r]);
	for (unsigned e = 0; e < KEEL_EVENTS_MAX; e++)
		print_row(c, *head->event[e] ? head->event[e] : "unnamed", &c->stats->events[e]);
}

static void print_keys(FILE *out, const struct stat *stat, const struct keel_table *head)
{
	for (unsigned kind = 0; kind < KEEL_TALLIES_MAX; kind++) {
		if (!stat->key_count[kind])
			continue;
		fprintf(out, "%s\n", head->tally[kind].name);
		for (size_t i = 0; i < stat->key_count[kind]; i++)
			fprintf(out, "  %#-18llx %12llu\n",
				(unsigned long long)stat->keys[kind][i].key,
				(unsigned long long)stat->keys[kind][i].count);
		if (stat->lost[kind])
			fprintf(out, "  %-18s %12llu\n", "others",
				(unsigned long long)stat->lost[kind]);
	}
}

static void print_times(FILE *out, const struct stat *stat, const struct keel_table *head)
{
	for (unsigned r = 0; r < KEEL_REASONS_MAX; r++) {
		bool named = false;

		for (unsigned b = 0; b < KEEL_HISTOGRAM_BUCKETS; b++) {
			if (!stat->times[r][b])
				continue;
			if (!named)
				fprintf(out, "TSC ticks of %s\n", head->reason[r]);
			named = true;
			fprintf(out, "  from %-13llu %12llu\n", 1ull << b,
				(unsigned long long)stat->times[r][b]);
		}
	}
}

static void print_all(FILE *out, const struct table *now, const struct table *before)
{
	struct stat stat;
	struct columns columns = {out, &stat, 1};

	stat_take(&stat, now, before, STAT_ALL);
	print_counts(&columns, now->head);
	print_keys(out, &stat, now->head);
	print_times(out, &stat, now->head);
	stat_free(&stat);
}

static unsigned columns_that_fit(const struct stat_format *format, unsigned cpus)
{
	unsigned fit = cpus;

	if (format->width)
		fit = format->width < NAME_WIDTH + 2 * NUMBER_WIDTH
			      ? 1
			      : (format->width - NAME_WIDTH) / NUMBER_WIDTH;
	return fit < cpus ? fit : cpus;
}

/* As many CPUs side by side as the terminal has room for. */
static void print_per_cpu(FILE *out, const struct table *now, const struct table *before,
			  const struct stat_format *format)
{
	unsigned cpus = now->head->cpus;
	unsigned fit = columns_that_fit(format, cpus);
	struct stat *stats = calloc(fit, sizeof(*stats));

	if (!stats)
		abort();
	for (unsigned first = 0; first < cpus; first += fit) {
		struct columns columns = {out, stats, cpus - first < fit ? cpus - first : fit};

		fprintf(out, "%-*s", NAME_WIDTH, "CPU");
		for (unsigned i = 0; i < columns.count; i++) {
			stat_take(&stats[i], now, before, first + i);
			fprintf(out, "%*u", NUMBER_WIDTH, table_cpu(now, first + i)->index);
		}
		fputc('\n', out);
		print_counts(&columns, now->head);
		for (unsigned i = 0; i < columns.count; i++)
			stat_free(&stats[i]);
	}
	free(stats);
}

void print_stat(FILE *out, const struct table *now, const struct table *before,
		const struct stat_format *format)
{
	if (format->json) {
		print_json(out, now, before, format);
		return;
	}
	if (format->seconds > 0)
		fprintf(out, "in %.1f s\n", format->seconds);
	if (format->per_cpu)
		print_per_cpu(out, now, before, format);
	else
		print_all(out, now, before);
}
