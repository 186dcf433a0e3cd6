/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define CPUS_MAX     1024
#define OPTIONS_PATH "/boot/keel.options"
#define BUILD_LINE   "build="

struct result {
	FILE *out;
	bool failed;
};

__attribute__((format(printf, 3, 4))) static void say(struct result *r, bool ok, const char *format,
						      ...)
{
	va_list list;

	fputs(ok ? "ok:     " : "FAILED: ", r->out);
	va_start(list, format);
	vfprintf(r->out, format, list);
	va_end(list);
	fputc('\n', r->out);
	r->failed |= !ok;
}

/* On that CPU and no other. */
static enum asked ask_on(unsigned cpu, struct answer *answer)
{
	cpu_set_t *set = CPU_ALLOC(CPUS_MAX);
	size_t size = CPU_ALLOC_SIZE(CPUS_MAX);
	bool moved;

	if (!set)
		abort();
	CPU_ZERO_S(size, set);
	CPU_SET_S(cpu, size, set);
	moved = sched_setaffinity(0, size, set) == 0;
	CPU_FREE(set);
	if (!moved)
		return ASKED_OFFLINE;
	if (!ask_keel(answer))
		return sched_getcpu() == (int)cpu ? ASKED_BARE : ASKED_OFFLINE;
	return sched_getcpu() == (int)cpu ? ASKED_ANSWERS : ASKED_OFFLINE;
}

const struct verify_source verify_system = {
	.table = TABLE_PATH,
	.online = "/sys/devices/system/cpu/online",
	.iomem = "/proc/iomem",
	.options = OPTIONS_PATH,
	.ask = ask_on,
};

/* "0-3,5" as a set of flags; how many there are, 0 if it is no such list. */
static unsigned read_list(const char *path, bool cpus[CPUS_MAX])
{
	FILE *file = fopen(path, "re");
	unsigned first, last, count = 0;
	int next = ',';

	memset(cpus, 0, CPUS_MAX * sizeof(*cpus));
	while (file && next == ',' && fscanf(file, "%u", &first) == 1) {
		last = first;
		next = getc(file);
		if (next == '-') {
			if (fscanf(file, "%u", &last) != 1)
				break;
			next = getc(file);
		}
		for (unsigned i = first; i <= last && i < CPUS_MAX; i++) {
			count += !cpus[i];
			cpus[i] = true;
		}
	}
	if (file)
		fclose(file);
	return count;
}

/* What a CPU has counted: it goes up each time it is asked, or the table is not the live one. */
static uint64_t exits_of(const struct table *table, uint32_t index)
{
	uint64_t sum = 0;

	for (unsigned r = 0; r < KEEL_REASONS_MAX; r++)
		sum += table_cpu(table, index)->exits[r].value;
	return sum;
}

struct asking {
	const struct verify_source *source;
	const struct table *before;
	bool *seen; /* by Keel's index */
	unsigned answered;
};

static void check_cpu(struct result *r, struct asking *a, unsigned cpu)
{
	const struct keel_table *head = a->before->head;
	struct answer answer = {0};

	switch (a->source->ask(cpu, &answer)) {
	case ASKED_OFFLINE:
		say(r, true, "CPU %u went offline: not asked", cpu);
		return;
	case ASKED_BARE:
		say(r, false, "CPU %u is not under Keel", cpu);
		return;
	case ASKED_ANSWERS:
		break;
	}
	if (answer.index >= head->cpus || answer.backend != head->backend) {
		say(r, false, "CPU %u gives an answer that does not fit the table", cpu);
		return;
	}
	if (a->seen[answer.index]) {
		say(r, false, "CPU %u has the number of another one, %u", cpu, answer.index);
		return;
	}
	a->seen[answer.index] = true;
	a->answered++;
}

static void check_live(struct result *r, const struct asking *a)
{
	struct table now;
	char why[WHY_MAX];

	if (table_read(a->source->table, &now, why) != STATUS_OK) {
		say(r, false, "%s", why);
		return;
	}
	for (uint32_t i = 0; i < a->before->head->cpus; i++) {
		if (a->seen[i] &&
		    (now.head->cpus <= i || exits_of(&now, i) <= exits_of(a->before, i)))
			say(r, false,
			    "Keel's CPU %u answered and did not count it: the table is not live",
			    i);
	}
	table_free(&now);
}

static void check_cpus(struct result *r, const struct verify_source *source,
		       const struct table *table)
{
	struct asking a = {source, table, calloc(table->head->cpus, sizeof(bool)), 0};
	static bool online[CPUS_MAX];
	unsigned count = read_list(source->online, online);

	if (!a.seen)
		abort();
	if (!count)
		say(r, false, "%s lists no CPUs", source->online);
	for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++) {
		if (online[cpu])
			check_cpu(r, &a, cpu);
	}
	if (a.answered)
		say(r, true, "%u CPU%s answer%s, each with a number of its own", a.answered,
		    a.answered == 1 ? "" : "s", a.answered == 1 ? "s" : "");
	check_live(r, &a);
	free(a.seen);
}

/* Linux must not take any of Keel's memory for RAM. */
static void check_hidden(struct result *r, const char *path, const struct keel_table *head)
{
	uint64_t start = head->hidden_start, end = start + head->hidden_bytes - 1;
	unsigned long long from, to, overlaps = 0, top = 0;
	FILE *file = fopen(path, "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx-%llx", &from, &to) != 2)
			continue;
		top = to > top ? to : top;
		if (strstr(line, " : System RAM") && from <= end && start <= to)
			overlaps++;
	}
	if (file)
		fclose(file);
	/* Who is not root reads zeros. */
	if (!top)
		say(r, false, "%s names no addresses", path);
	else
		say(r, !overlaps, "Keel's memory at 0x%llx is %s", (unsigned long long)start,
		    overlaps ? "taken for RAM" : "hidden");
}

static void check_option(struct result *r, const char *line, const struct keel_table *head)
{
	size_t length = strlen(line);
	const char *at;

	if (!strncmp(line, BUILD_LINE, strlen(BUILD_LINE))) {
		if (strcmp(line + strlen(BUILD_LINE), head->build_id))
			say(r, false, "the Keel that runs is %s, not %s", head->build_id,
			    line + strlen(BUILD_LINE));
		return;
	}
	at = strstr(head->options, line);
	if (!at || (at != head->options && at[-1] != '\n') || at[length] != '\n')
		say(r, false, "the Keel that runs was not built with %s", line);
}

static void check_options(struct result *r, const char *path, const struct keel_table *head)
{
	FILE *file = fopen(path, "re");
	bool failed = r->failed;
	unsigned lines = 0;
	char line[256];

	if (!file) {
		say(r, errno == ENOENT, "%s %s: options not compared", path,
		    errno == ENOENT ? "does not exist" : strerror(errno));
		return;
	}
	for (r->failed = false; fgets(line, sizeof(line), file); lines++) {
		line[strcspn(line, "\n")] = '\0';
		check_option(r, line, head);
	}
	fclose(file);
	if (!r->failed)
		say(r, lines > 0, "build and options are those of %s", path);
	r->failed |= failed;
}

enum status verify(FILE *out, const struct verify_source *source)
{
	struct result r = {out, false};
	char why[WHY_MAX];
	struct table table;
	enum status status = table_read(source->table, &table, why);

	if (status != STATUS_OK) {
		fprintf(stderr, "keelctl: %s\n", why);
		return status;
	}
	check_cpus(&r, source, &table);
	check_hidden(&r, source->iomem, table.head);
	check_options(&r, source->options, table.head);
	table_free(&table);
	return r.failed ? STATUS_FAILED : STATUS_OK;
}
