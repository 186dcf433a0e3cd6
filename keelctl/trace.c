/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdlib.h>

#include "commands.h"

/* Linux maps itself into the upper half (Documentation/x86/x86_64/mm.rst). */
#define KERNEL_HALF (1ull << 63)
#define PIECE_MAX   160

struct found {
	uint32_t cpu;
	struct keel_trace_entry entry;
};

static int by_time(const void *a, const void *b)
{
	uint64_t x = ((const struct found *)a)->entry.time.value;
	uint64_t y = ((const struct found *)b)->entry.time.value;

	return x < y ? -1 : x > y;
}

bool trace_begin(struct trace_place *place, const struct table *table)
{
	*place = (struct trace_place){calloc(table->head->cpus, sizeof(uint64_t)), 0, 0};
	for (uint32_t i = 0; place->next && i < table->head->cpus; i++)
		place->next[i] = 1;
	return place->next != NULL;
}

void trace_end(struct trace_place *place)
{
	free(place->next);
}

/* The new entries of one CPU that the ring still has; those that it has not any more are counted. */
static size_t collect(const struct table *table, uint32_t index, struct trace_place *place,
		      struct found *found)
{
	const struct keel_cpu *cpu = table_cpu(table, index);
	uint64_t last = cpu->traced.value, ring = table->head->trace_entries;
	uint64_t from = place->next[index], oldest = last > ring ? last - ring + 1 : 1;
	size_t n = 0;

	if (from < oldest) {
		place->lost += oldest - from;
		from = oldest;
	}
	for (uint64_t left = last >= from ? last - from + 1 : 0; left; left--, from++) {
		found[n].cpu = cpu->index;
		if (table_trace(table, cpu, from, &found[n].entry))
			n++;
		else
			place->lost++;
	}
	if (last >= place->next[index])
		place->next[index] = last + 1;
	return n;
}

/* A line that is broken between its pieces where the terminal ends. */
struct line {
	FILE *out;
	unsigned width, used;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
	char piece[PIECE_MAX];
	va_list list;
	unsigned length;

	va_start(list, format);
	length = (unsigned)vsnprintf(piece, sizeof(piece), format, list);
	va_end(list);
	if (line->used && line->width && line->used + 1 + length > line->width) {
		fputs("\n ", line->out);
		line->used = 1;
	}
	line->used += (unsigned)fprintf(line->out, line->used ? " %s" : "%s", piece);
}

static void put_place(struct line *line, const struct symbols *symbols, uint64_t rip)
{
	uint64_t offset = 0;
	const char *name = rip & KERNEL_HALF ? symbols_find(symbols, rip, &offset) : "";

	if (*name)
		put(line, "%s+0x%llx", name, (unsigned long long)offset);
	else
		put(line, "0x%llx", (unsigned long long)rip);
}

static void print_entry(FILE *out, const struct table *table, const struct found *found,
			const struct symbols *symbols, unsigned width)
{
	const struct keel_trace_entry *e = &found->entry;
	uint32_t reason = (uint32_t)e->reason.value;
	struct line line = {out, width, 0};

	put(&line, "%llu", (unsigned long long)e->time.value);
	put(&line, "CPU %u", found->cpu);
	put(&line, "%s", reason < KEEL_REASONS_MAX ? table->head->reason[reason] : "?");
	put(&line, "0x%llx", (unsigned long long)(e->reason.value >> 32));
	put_place(&line, symbols, e->rip.value);
	put(&line, "cr3 0x%llx", (unsigned long long)e->cr3.value);
	put(&line, "info 0x%llx", (unsigned long long)e->qualification.value);
	put(&line, "ticks %llu", (unsigned long long)e->cycles.value);
	fputc('\n', out);
}

void print_trace(FILE *out, const struct table *table, struct trace_place *place,
		 const struct symbols *symbols, unsigned width)
{
	const struct keel_table *head = table->head;
	struct found *found = calloc((size_t)head->cpus * head->trace_entries, sizeof(*found));
	size_t n = 0;

	if (!found)
		abort();
	for (uint32_t i = 0; i < head->cpus; i++)
		n += collect(table, i, place, &found[n]);
	qsort(found, n, sizeof(*found), by_time);
	for (size_t i = 0; i < n; i++)
		print_entry(out, table, &found[i], symbols, width);
	if (place->lost > place->said)
		fprintf(out, "%llu earlier exits are lost: the ring has %u for each CPU\n",
			(unsigned long long)(place->lost - place->said), head->trace_entries);
	place->said = place->lost;
	free(found);
}
