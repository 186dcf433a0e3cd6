/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands.h"

/* Names come from Keel: what JSON would not take as it is becomes '?'. */
static void print_name(FILE *out, const char *name)
{
	fputc('"', out);
	for (; *name; name++)
		fputc(*name < ' ' || *name > '~' || *name == '"' || *name == '\\' ? '?' : *name,
		      out);
	fputs("\": ", out);
}

static void print_named(FILE *out, const char *title, const char (*names)[KEEL_NAME_MAX],
			const uint64_t *values, unsigned count)
{
	const char *comma = "";

	fprintf(out, "\"%s\": {", title);
	for (unsigned i = 0; i < count; i++) {
		if (!*names[i])
			continue;
		fputs(comma, out);
		print_name(out, names[i]);
		fprintf(out, "%llu", (unsigned long long)values[i]);
		comma = ", ";
	}
	fputs("}", out);
}

static void print_keys(FILE *out, const struct stat *stat, unsigned kind)
{
	fputs("{", out);
	for (size_t i = 0; i < stat->key_count[kind]; i++)
		fprintf(out, "%s\"0x%llx\": %llu", i ? ", " : "",
			(unsigned long long)stat->keys[kind][i].key,
			(unsigned long long)stat->keys[kind][i].count);
	fputs("}", out);
}

static void print_members(FILE *out, const struct stat *stat, const struct keel_table *head)
{
	char kinds[KEEL_TALLIES_MAX][KEEL_NAME_MAX];

	fprintf(out, "\"total_exits\": %llu, ", (unsigned long long)stat->total);
	print_named(out, "exits", head->reason, stat->exits, KEEL_REASONS_MAX);
	fputs(", ", out);
	print_named(out, "events", head->event, stat->events, KEEL_EVENTS_MAX);
	fputs(", ", out);
	for (unsigned kind = 0; kind < KEEL_TALLIES_MAX; kind++) {
		snprintf(kinds[kind], KEEL_NAME_MAX, "%s", head->tally[kind].name);
		if (!*head->tally[kind].name)
			continue;
		print_name(out, head->tally[kind].name);
		print_keys(out, stat, kind);
		fputs(", ", out);
	}
	print_named(out, "overflow", (const char(*)[KEEL_NAME_MAX])kinds, stat->lost,
		    KEEL_TALLIES_MAX);
}

void print_json(FILE *out, const struct table *now, const struct table *before,
		const struct stat_format *format)
{
	struct stat stat;

	fprintf(out, "{\"layout\": %u, ", now->head->layout);
	if (format->seconds > 0)
		fprintf(out, "\"seconds\": %.3f, ", format->seconds);
	stat_take(&stat, now, before, STAT_ALL);
	print_members(out, &stat, now->head);
	stat_free(&stat);
	fputs(", \"cpus\": [", out);
	for (uint32_t i = 0; i < now->head->cpus; i++) {
		const struct keel_cpu *cpu = table_cpu(now, i);

		fprintf(out, "%s{\"index\": %u, \"apic_id\": %u, ", i ? ", " : "", cpu->index,
			cpu->apic_id);
		stat_take(&stat, now, before, i);
		print_members(out, &stat, now->head);
		stat_free(&stat);
		fputs("}", out);
	}
	fputs("]}\n", out);
}
