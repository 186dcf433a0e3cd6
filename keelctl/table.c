/* SPDX-License-Identifier: BSD-2-Clause */
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"

#define TABLE_MAX (64u << 20)
#define CHUNK	  65536u
/* A number is torn for nanoseconds, by one CPU at a time. */
#define READS_MAX 100
#define LENGTH_AT 4 /* in an ACPI table's header: its length */

__attribute__((format(printf, 2, 3))) static bool fail(char why[WHY_MAX], const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(why, WHY_MAX, format, list);
	va_end(list);
	return false;
}

static uint32_t length_of(const struct table *table)
{
	uint32_t length;

	memcpy(&length, table->head->acpi + LENGTH_AT, sizeof(length));
	return length;
}

static bool fits(const struct table *table, uint64_t offset, uint64_t bytes)
{
	return offset <= table->size && bytes <= table->size - offset;
}

static bool terminated(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool names_are_right(const struct keel_table *head)
{
	bool right = terminated(head->version, sizeof(head->version)) &&
		     terminated(head->build_id, sizeof(head->build_id)) &&
		     terminated(head->subarch, sizeof(head->subarch)) &&
		     terminated(head->below, sizeof(head->below)) &&
		     terminated(head->options, sizeof(head->options)) &&
		     terminated(head->features, sizeof(head->features));

	for (unsigned i = 0; i < KEEL_REASONS_MAX; i++)
		right = right && terminated(head->reason[i], KEEL_NAME_MAX);
	for (unsigned i = 0; i < KEEL_EVENTS_MAX; i++)
		right = right && terminated(head->event[i], KEEL_NAME_MAX);
	for (unsigned i = 0; i < KEEL_TALLIES_MAX; i++)
		right = right && terminated(head->tally[i].name, KEEL_NAME_MAX) &&
			head->tally[i].first <= KEEL_TALLY_SLOTS &&
			head->tally[i].slots <= KEEL_TALLY_SLOTS - head->tally[i].first;
	return right;
}

static uint64_t block_bytes(const struct keel_table *head)
{
	uint64_t bytes = sizeof(struct keel_cpu);
	uint64_t histogram = head->histogram_offset, trace = head->trace_offset;

	if (histogram)
		histogram += sizeof(struct keel_live) * KEEL_REASONS_MAX * KEEL_HISTOGRAM_BUCKETS;
	if (trace)
		trace += (uint64_t)sizeof(struct keel_trace_entry) * head->trace_entries;
	bytes = histogram > bytes ? histogram : bytes;
	return trace > bytes ? trace : bytes;
}

static bool blocks_are_right(const struct table *table)
{
	const struct keel_table *head = table->head;
	uint32_t aligned = head->cpu_offset | head->cpu_stride | head->histogram_offset |
			   head->trace_offset | head->log_offset;

	return aligned % sizeof(uint64_t) == 0 && head->cpus &&
	       (!head->trace_offset || head->trace_entries) &&
	       block_bytes(head) <= head->cpu_stride &&
	       fits(table, head->cpu_offset, (uint64_t)head->cpus * head->cpu_stride) &&
	       fits(table, head->log_offset,
		    sizeof(struct keel_log) + 2 * (uint64_t)head->log_bytes) &&
	       head->log_bytes;
}

bool table_check(const struct table *table, char why[WHY_MAX])
{
	const struct keel_table *head = table->head;

	if (table->size < sizeof(head->acpi) + sizeof(head->layout))
		return fail(why, "the table is truncated: %zu bytes", table->size);
	if (memcmp(head->acpi, KEEL_TABLE_SIGNATURE, 4))
		return fail(why, "this is no table KEEL: it begins otherwise");
	if (table->size < length_of(table))
		return fail(why, "the table is truncated: %zu of %u bytes", table->size,
			    length_of(table));
	if (head->layout != KEEL_TABLE_LAYOUT)
		return fail(why,
			    "the table has layout %u, this keelctl knows %u: use the one that came "
			    "with this Keel",
			    head->layout, KEEL_TABLE_LAYOUT);
	if (table->size < sizeof(*head) || !names_are_right(head) || !blocks_are_right(table))
		return fail(why, "the table is damaged: its parts do not fit together");
	return true;
}

static bool torn(const struct keel_live *live, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (live[i].value != ~live[i].inverse)
			return true;
	}
	return false;
}

static bool block_is_torn(const struct table *table, const struct keel_cpu *cpu)
{
	const struct keel_live *times = table_histogram(table, cpu, 0);
	const uint8_t *end = (const uint8_t *)(cpu + 1);

	return torn(&cpu->traced, 1) ||
	       torn(cpu->exits,
		    (size_t)(end - (const uint8_t *)cpu->exits) / sizeof(*cpu->exits)) ||
	       (times && torn(times, KEEL_REASONS_MAX * KEEL_HISTOGRAM_BUCKETS));
}

static bool table_is_torn(const struct table *table)
{
	for (uint32_t i = 0; i < table->head->cpus; i++) {
		if (block_is_torn(table, table_cpu(table, i)))
			return true;
	}
	return false;
}

static ssize_t read_all(int fd, struct table *table)
{
	size_t room = 0;
	ssize_t got;

	do {
		if (room - table->size < CHUNK) {
			uint8_t *more =
				room > TABLE_MAX ? NULL : realloc(table->bytes, room + 4 * CHUNK);

			if (!more) {
				errno = EFBIG;
				return -1;
			}
			table->bytes = more;
			room += 4 * CHUNK;
		}
		got = read(fd, table->bytes + table->size, room - table->size);
		table->size += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	table->head = (const struct keel_table *)table->bytes;
	return got;
}

static enum status read_once(const char *path, struct table *table, char why[WHY_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	*table = (struct table){0};
	if (fd < 0 && errno == ENOENT) {
		fail(why, ask_keel(NULL)
				  ? "Keel is below this system, but shows no table: it was built "
				    "without CONFIG_ACPI_TABLE, or found no ACPI"
				  : "there is no Keel below this system");
		return STATUS_NO_KEEL;
	}
	if (fd < 0 && (errno == EACCES || errno == EPERM)) {
		fail(why, "only root may read %s", path);
		return STATUS_NO_PERMISSION;
	}
	got = fd < 0 ? -1 : read_all(fd, table);
	if (got < 0)
		fail(why, "%s cannot be read: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return got < 0 || !table_check(table, why) ? STATUS_FAILED : STATUS_OK;
}

enum status table_read(const char *path, struct table *table, char why[WHY_MAX])
{
	for (int i = 0; i < READS_MAX; i++) {
		enum status status = read_once(path, table, why);

		if (status == STATUS_OK && !table_is_torn(table))
			return STATUS_OK;
		table_free(table);
		if (status != STATUS_OK)
			return status;
	}
	fail(why, "the table's numbers do not match their inverses: it is damaged");
	return STATUS_FAILED;
}

void table_free(struct table *table)
{
	free(table->bytes);
	*table = (struct table){0};
}

const struct keel_cpu *table_cpu(const struct table *table, uint32_t index)
{
	uint64_t offset = table->head->cpu_offset + (uint64_t)index * table->head->cpu_stride;

	return (const struct keel_cpu *)(table->bytes + offset);
}

const struct keel_live *table_histogram(const struct table *table, const struct keel_cpu *cpu,
					uint32_t reason)
{
	uint32_t offset = table->head->histogram_offset;

	if (!offset)
		return NULL;
	return (const struct keel_live *)((const uint8_t *)cpu + offset) +
	       (size_t)reason * KEEL_HISTOGRAM_BUCKETS;
}

bool table_trace(const struct table *table, const struct keel_cpu *cpu, uint64_t number,
		 struct keel_trace_entry *out)
{
	uint64_t at = (number - 1) % table->head->trace_entries;

	memcpy(out, (const uint8_t *)cpu + table->head->trace_offset + at * sizeof(*out),
	       sizeof(*out));
	return !torn(&out->number, sizeof(*out) / sizeof(struct keel_live)) &&
	       out->number.value == number;
}

char *table_log(const struct table *table)
{
	uint32_t size = table->head->log_bytes;
	const struct keel_log *log = (const void *)(table->bytes + table->head->log_offset);
	uint64_t written = log->written.value;
	uint64_t from = written > size ? written - size : 0;
	char *text = malloc(size + 1), *to = text;

	if (!text)
		return NULL;
	for (uint64_t n = from; n < written; n++) {
		uint8_t byte = log->bytes[n % size];

		*to++ = byte && (byte ^ log->bytes[n % size + size]) == 0xff ? (char)byte : '?';
	}
	*to = '\0';
	/* The oldest line has lost its beginning. */
	to = from ? strchr(text, '\n') : NULL;
	if (to)
		memmove(text, to + 1, strlen(to));
	return text;
}
