/* SPDX-License-Identifier: BSD-2-Clause */
/* The ACPI table KEEL (keel/abi.h) as it was at one moment: checked, so that all else may trust it. */
#ifndef TABLE_H
#define TABLE_H

#include <keel/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_PATH "/sys/firmware/acpi/tables/KEEL"

/* What a command ends with. */
enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1, /* something is wrong with what was found */
	STATUS_USAGE = 2,
	STATUS_NO_KEEL = 3,
	STATUS_NO_PERMISSION = 4,
};

struct table {
	uint8_t *bytes;
	size_t size;
	const struct keel_table *head;
};

#define WHY_MAX 160

/*
 * Reads the table in @path. STATUS_OK, and to be freed, or what to end with and one line in @why.
 * No number in it is torn.
 */
enum status table_read(const char *path, struct table *table, char why[WHY_MAX]);
void table_free(struct table *table);

/* Is it one, whole and of a layout that is known? Else false, and one line in @why. */
bool table_check(const struct table *table, char why[WHY_MAX]);

const struct keel_cpu *table_cpu(const struct table *table, uint32_t index);

/* The buckets of @reason, or NULL if this Keel measures no times. */
const struct keel_live *table_histogram(const struct table *table, const struct keel_cpu *cpu,
					uint32_t reason);

/* False if number @number has been overwritten, or is being written. */
bool table_trace(const struct table *table, const struct keel_cpu *cpu, uint64_t number,
		 struct keel_trace_entry *out);

/* What is left of Keel's messages, terminated and to be freed. Bytes that were being written are '?'. */
char *table_log(const struct table *table);

#endif
