/* SPDX-License-Identifier: BSD-2-Clause */
/* keelctl on tables in files: good ones, and such as no Keel makes. */
#include "test.h"

#include <unistd.h>

#include "../../keelctl/commands.h"
#include "../../keelctl/verify.h"

#define CPUS	    5u
#define TRACE	    16u
#define LOG	    64u
#define HISTOGRAM   ((u32)sizeof(struct keel_cpu))
#define RING	    (HISTOGRAM + (u32)sizeof(struct keel_live) * KEEL_REASONS_MAX * KEEL_HISTOGRAM_BUCKETS)
#define STRIDE	    (RING + (u32)sizeof(struct keel_trace_entry) * TRACE)
#define CPU_OFFSET  2304u /* behind the table's header */
#define LOG_OFFSET  (CPU_OFFSET + CPUS * STRIDE)
#define TABLE_BYTES (LOG_OFFSET + (u32)sizeof(struct keel_log) + 2 * LOG)

/* For the largest reason and key. */
static _Alignas(8) u8 bytes[TABLE_BYTES];
static struct keel_table *const head = (struct keel_table *)bytes;
static char path[] = "/tmp/keelctl-test-XXXXXX";
static char text_path[] = "/tmp/keelctl-text-XXXXXX";

static void live(struct keel_live *to, u64 v)
{
	*to = (struct keel_live){v, ~v};
}

static struct keel_cpu *cpu(u32 index)
{
	return (struct keel_cpu *)(bytes + CPU_OFFSET + index * STRIDE);
}

static void put_log(const char *text)
{
	struct keel_log *log = (struct keel_log *)(bytes + LOG_OFFSET);
	u64 n = log->written.value;

	for (; *text; text++, n++) {
		log->bytes[n % LOG] = (u8)*text;
		log->bytes[n % LOG + LOG] = (u8) ~*text;
	}
	live(&log->written, n);
}

static void good_table(void)
{
	memset(bytes, 0, sizeof(bytes));
	memcpy(head->acpi, "KEEL", 4);
	memcpy(head->acpi + 4, &(u32){TABLE_BYTES}, 4);
	head->layout = KEEL_TABLE_LAYOUT;
	head->hidden_start = 0x7fe00000;
	head->hidden_bytes = 0x200000;
	head->tsc_per_ms = 1000;
	head->cpu_offset = CPU_OFFSET;
	head->cpu_stride = STRIDE;
	head->cpus = CPUS;
	head->backend = KEEL_BACKEND_SVM;
	head->start_policy = KEEL_START_SAFE;
	head->histogram_offset = HISTOGRAM;
	head->trace_offset = RING;
	head->trace_entries = TRACE;
	head->log_offset = LOG_OFFSET;
	head->log_bytes = LOG;
	strcpy(head->version, "0.1.0");
	strcpy(head->build_id, "0123456789abcdef");
	strcpy(head->subarch, "amd64");
	strcpy(head->reason[0], "cpuid");
	strcpy(head->reason[2], "wrmsr");
	strcpy(head->event[3], "flush");
	strcpy(head->options, "NR_CPUS=64\nSVM=y\n");
	head->tally[KEEL_TALLY_MSR] = (struct keel_tally_place){"msrs", 16, 32};
	for (u32 i = 0; i < CPUS; i++) {
		struct keel_live *end = (struct keel_live *)((u8 *)cpu(i) + STRIDE);

		cpu(i)->index = i;
		cpu(i)->apic_id = 2 * i;
		live(&cpu(i)->traced, 0);
		for (struct keel_live *l = cpu(i)->exits; l < end; l++)
			live(l, 0);
	}
	put_log("");
}

static void count(u32 index, u32 reason, u64 n)
{
	live(&cpu(index)->exits[reason], n);
}

static void count_msr(u32 index, u32 slot, u64 msr, u64 n)
{
	live(&cpu(index)->tally[16 + slot].key, msr);
	live(&cpu(index)->tally[16 + slot].count, n);
}

static void trace(u32 index, u64 number)
{
	struct keel_trace_entry *e =
		(struct keel_trace_entry *)((u8 *)cpu(index) + RING) + (number - 1) % TRACE;

	live(&e->number, number);
	live(&e->time, number * 1000 + index);
	live(&e->rip, ~0ull - number);
	live(&e->cr3, ~0ull);
	live(&e->qualification, ~0ull);
	live(&e->cycles, 70);
	live(&cpu(index)->traced, number);
}

static void write_file(const char *to, const void *data, size_t size)
{
	FILE *file = fopen(to, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static enum status read_bytes(size_t size, struct table *table, char why[WHY_MAX])
{
	write_file(path, bytes, size);
	*why = '\0';
	return table_read(path, table, why);
}

static struct table read_good(void)
{
	char why[WHY_MAX];
	struct table table;

	assert_int_equal(read_bytes(TABLE_BYTES, &table, why), STATUS_OK);
	return table;
}

/* What a table prints; the caller frees it. */
static char *stat_of(const struct table *now, const struct table *before, struct stat_format format)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print_stat(out, now, before, &format);
	fclose(out);
	return text;
}

static void assert_no_line_is_longer(const char *text, size_t limit)
{
	for (const char *end; (end = strchr(text, '\n')); text = end + 1)
		assert_true((size_t)(end - text) <= limit);
}

static void a_good_table_is_read(void **state)
{
	struct table table;

	(void)state;
	good_table();
	table = read_good();
	assert_int_equal(table.head->cpus, CPUS);
	table_free(&table);
}

static void every_truncation_is_refused(void **state)
{
	char why[WHY_MAX];
	struct table table;

	(void)state;
	good_table();
	for (u32 size = 0; size < TABLE_BYTES; size += size < 2100 ? 1 : 997) {
		assert_int_equal(read_bytes(size, &table, why), STATUS_FAILED);
		assert_non_null(strstr(why, "truncated"));
		assert_null(table.bytes);
	}
}

/* An ACPI header that says less than the table's parts need. */
static void a_short_length_is_refused(void **state)
{
	char why[WHY_MAX];
	struct table table;

	(void)state;
	good_table();
	for (u32 size = 40; size < TABLE_BYTES; size += 1999) {
		memcpy(head->acpi + 4, &size, 4);
		assert_int_equal(read_bytes(size, &table, why), STATUS_FAILED);
		assert_non_null(strstr(why, "damaged"));
	}
}

static void another_layout_is_refused(void **state)
{
	static const u32 layouts[] = {0, 1, 3, 77, 0xffffffff};
	char why[WHY_MAX];
	struct table table;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(layouts); i++) {
		good_table();
		head->layout = layouts[i];
		assert_int_equal(read_bytes(TABLE_BYTES, &table, why), STATUS_FAILED);
		assert_non_null(strstr(why, "layout"));
		assert_null(strchr(why, '\n'));
	}
}

static void another_file_is_refused(void **state)
{
	char why[WHY_MAX];
	struct table table;

	(void)state;
	good_table();
	head->acpi[0] = 'F';
	assert_int_equal(read_bytes(TABLE_BYTES, &table, why), STATUS_FAILED);
	assert_int_equal(table_read("/nonexistent/KEEL", &table, why), STATUS_NO_KEEL);
	assert_non_null(strstr(why, "there is no Keel"));
	assert_int_equal(table_read("/", &table, why), STATUS_FAILED);
	assert_non_null(strstr(why, "cannot be read"));
}

static void a_number_that_stays_torn_is_damage(void **state)
{
	char why[WHY_MAX];
	struct table table;

	(void)state;
	good_table();
	cpu(4)->exits[2].value = 1;
	assert_int_equal(read_bytes(TABLE_BYTES, &table, why), STATUS_FAILED);
	assert_non_null(strstr(why, "inverses"));
}

static void print_everything(const struct table *table)
{
	struct trace_place place;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print_info(out, table);
	print_stat(out, table, table, &(struct stat_format){.per_cpu = true, .width = 40});
	print_stat(out, table, NULL, &(struct stat_format){.json = true});
	print_stat(out, table, NULL, &(struct stat_format){0});
	if (table->head->trace_offset && trace_begin(&place, table)) {
		print_trace(out, table, &place, NULL, 40);
		trace_end(&place);
	}
	fclose(out);
	free(text);
	free(table_log(table));
}

/* Whatever stands in it: refused in one line, or shown without harm. */
static void damaged_tables_do_no_harm(void **state)
{
	char why[WHY_MAX];
	u32 shown = 0;

	(void)state;
	for (u32 round = 0; round < 3000; round++) {
		struct table table = {bytes, TABLE_BYTES, head};

		good_table();
		trace(1, 3);
		for (u32 n = random_below(4) + 1; n; n--) {
			u32 at = 36 + random_below(random_below(2) ? 150 : sizeof(*head) - 40);

			memcpy(bytes + at,
			       random_below(2) ? &nasty[random_below(ARRAY_SIZE(nasty))]
					       : &(u32){(u32)random_u64()},
			       4);
		}
		table.bytes = exact_copy(bytes, TABLE_BYTES);
		table.head = (const struct keel_table *)table.bytes;
		if (table_check(&table, why)) {
			print_everything(&table);
			shown++;
		} else {
			assert_true(strlen(why) > 10 && !strchr(why, '\n'));
		}
		free(table.bytes);
	}
	assert_true(shown > 100 && shown < 2900);
}

static void exits_are_shown(void **state)
{
	struct table table;
	char *text;

	(void)state;
	good_table();
	count(0, 0, 10);
	count(3, 2, 7);
	count_msr(3, 5, 0x830, 6);
	count_msr(0, 9, 0x10, 1);
	live(&cpu(2)->lost[KEEL_TALLY_MSR], 3);
	table = read_good();
	text = stat_of(&table, NULL, (struct stat_format){0});
	assert_non_null(strstr(text, "exits                  17\n"));
	assert_non_null(strstr(text, "cpuid                  10\n"));
	assert_non_null(strstr(
		text, "  0x830                         6\n  0x10                          1\n"));
	assert_non_null(strstr(text, "  others                        3\n"));
	assert_no_line_is_longer(text, 40);
	free(text);
	table_free(&table);
}

static void info_says_what_lies_below(void **state)
{
	struct table table;
	char *text = NULL;
	size_t size;
	FILE *out;

	(void)state;
	good_table();
	strcpy(head->below, "KVMKVMKVM");
	strcpy(head->features, "its guest gets pv-eoi; not async-pf");
	table = read_good();
	out = open_memstream(&text, &size);
	print_info(out, &table);
	fclose(out);
	assert_non_null(strstr(text, "below:    KVMKVMKVM\n"
				     "          its guest gets pv-eoi; not async-pf\nCPUs: "));
	free(text);
	table_free(&table);
}

static void json_is_what_it_says(void **state)
{
	struct table table;
	char *text;

	(void)state;
	good_table();
	count(0, 0, 10);
	count(3, 2, 7);
	count_msr(3, 5, 0x830, 6);
	strcpy(head->event[3], "a\"b\\");
	table = read_good();
	text = stat_of(&table, NULL, (struct stat_format){.json = true});
	assert_non_null(strstr(text, "{\"layout\": 2, \"total_exits\": 17, "
				     "\"exits\": {\"cpuid\": 10, \"wrmsr\": 7}, "
				     "\"events\": {\"a?b?\": 0}, \"msrs\": {\"0x830\": 6}, "
				     "\"overflow\": {\"msrs\": 0}, \"cpus\": ["));
	assert_non_null(strstr(text, "{\"index\": 3, \"apic_id\": 6, \"total_exits\": 7, "));
	assert_string_equal(text + strlen(text) - 4, "}]}\n");
	free(text);
	table_free(&table);
}

static void differences_are_between_two_moments(void **state)
{
	struct table before, now;
	struct stat stat;
	char *text;

	(void)state;
	good_table();
	count(0, 0, 10);
	count_msr(1, 0, 0x10, 5);
	before = read_good();
	count(0, 0, 25);
	count_msr(1, 1, 0x830, 4);
	now = read_good();
	stat_take(&stat, &now, &before, STAT_ALL);
	assert_int_equal(stat.total, 15);
	assert_int_equal(stat.key_count[KEEL_TALLY_MSR], 1);
	assert_int_equal(stat.keys[KEEL_TALLY_MSR][0].key, 0x830);
	stat_free(&stat);
	text = stat_of(&now, &before, (struct stat_format){.seconds = 2});
	assert_non_null(strstr(text, "in 2.0 s\n"));
	free(text);
	table_free(&before);
	table_free(&now);
}

static void cpus_fit_into_40_columns(void **state)
{
	struct table table;
	char *text;

	(void)state;
	good_table();
	for (u32 i = 0; i < CPUS; i++)
		count(i, 2, 1234567890ull + i);
	table = read_good();
	text = stat_of(&table, NULL, (struct stat_format){.per_cpu = true, .width = 40});
	assert_no_line_is_longer(text, 40);
	assert_non_null(strstr(text, "CPU                     0          1\n"));
	assert_non_null(strstr(text, "CPU                     4\n"));
	assert_non_null(strstr(text, "1234567894"));
	free(text);
	text = stat_of(&table, NULL, (struct stat_format){.per_cpu = true});
	assert_non_null(strstr(text, "          0          1          2          3          4\n"));
	free(text);
	text = stat_of(&table, NULL, (struct stat_format){.per_cpu = true, .width = 1});
	assert_no_line_is_longer(text, 25);
	free(text);
	table_free(&table);
}

static char *trace_of(const struct table *table, struct trace_place *place, unsigned width)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print_trace(out, table, place, NULL, width);
	fclose(out);
	return text;
}

static u32 lines_of(const char *text, const char *word)
{
	u32 n = 0;

	while ((text = strstr(text, word)) != NULL) {
		n++;
		text++;
	}
	return n;
}

/* Overwritten entries are counted, those that are being written too; none is shown in part. */
static void a_ring_overrun_is_counted(void **state)
{
	struct trace_place place;
	struct table table;
	char *text;

	(void)state;
	good_table();
	for (u64 n = 1; n <= 300; n++)
		trace(2, n);
	((struct keel_trace_entry *)((u8 *)cpu(2) + RING))[4].rip.value++;
	table = read_good();
	assert_true(trace_begin(&place, &table));
	text = trace_of(&table, &place, 0);
	assert_int_equal(lines_of(text, " CPU 2 "), TRACE - 1);
	assert_non_null(strstr(text, "285 earlier exits are lost: the ring has 16 for each CPU\n"));
	free(text);
	table_free(&table);
	trace(2, 301);
	table = read_good();
	text = trace_of(&table, &place, 0);
	assert_int_equal(lines_of(text, " CPU 2 "), 1);
	assert_null(strstr(text, "lost"));
	free(text);
	table_free(&table);
	for (u64 n = 302; n <= 400; n++)
		trace(2, n);
	table = read_good();
	text = trace_of(&table, &place, 40);
	assert_int_equal(lines_of(text, " CPU 2 "), TRACE);
	assert_non_null(strstr(text, "83 earlier exits are lost"));
	*strstr(text, "83 earlier") = '\0';
	assert_no_line_is_longer(text, 40);
	free(text);
	table_free(&table);
	trace_end(&place);
}

static void exits_are_in_the_order_of_time(void **state)
{
	struct trace_place place;
	struct table table;
	char *text;

	(void)state;
	good_table();
	trace(3, 1);
	trace(1, 1);
	trace(1, 2);
	table = read_good();
	assert_true(trace_begin(&place, &table));
	text = trace_of(&table, &place, 0);
	assert_true(strstr(text, "1001 CPU 1") < strstr(text, "1003 CPU 3"));
	assert_true(strstr(text, "1003 CPU 3") < strstr(text, "2001 CPU 1"));
	free(text);
	trace_end(&place);
	table_free(&table);
}

static void symbols_are_found(void **state)
{
	static const char lines[] = "ffffffff81000200 t two\nffffffff81000100 T one [module]\n"
				    "ffffffff81000180 d data\nbad line\n";
	struct symbols *symbols;
	u64 offset;

	(void)state;
	write_file(text_path, lines, strlen(lines));
	symbols = symbols_read(text_path);
	assert_non_null(symbols);
	assert_string_equal(symbols_find(symbols, 0xffffffff810001ff, &offset), "one");
	assert_int_equal(offset, 0xff);
	assert_string_equal(symbols_find(symbols, 0xffffffff81000200, &offset), "two");
	assert_string_equal(symbols_find(symbols, 0xffffffff810000ff, &offset), "");
	assert_string_equal(symbols_find(NULL, 1, &offset), "");
	symbols_free(symbols);
	write_file(text_path, "0000000000000000 t two\n", 23);
	assert_null(symbols_read(text_path));
	assert_null(symbols_read("/nonexistent"));
}

static void the_log_begins_with_a_whole_line(void **state)
{
	struct table table;
	char *text;

	(void)state;
	good_table();
	put_log("first line\nsecond line\n");
	table = read_good();
	text = table_log(&table);
	assert_string_equal(text, "first line\nsecond line\n");
	free(text);
	table_free(&table);
	put_log("a third line that leaves no room for the first one\n");
	bytes[LOG_OFFSET + sizeof(struct keel_log) + 30]++; /* being written */
	table = read_good();
	text = table_log(&table);
	assert_memory_equal(text, "second line\na third", 19);
	assert_non_null(strchr(text, '?'));
	free(text);
	table_free(&table);
}

/* The system that verify() asks. */
static enum asked saying[CPUS];
static u32 index_of[CPUS];
static bool counts;

static enum asked fake_ask(unsigned number, struct answer *answer)
{
	u32 i = number < CPUS ? number : 0;

	*answer = (struct answer){KEEL_ABI_VERSION, index_of[i], KEEL_BACKEND_SVM};
	if (saying[i] == ASKED_ANSWERS && counts && index_of[i] < CPUS) {
		struct keel_live *exits = cpu(index_of[i])->exits;

		live(&exits[0], exits[0].value + 1);
		write_file(path, bytes, TABLE_BYTES);
	}
	return saying[i];
}

static char iomem[512], options[512], online[32];

/* What verify() says and ends with, in this system. */
static char *verified(enum status *status)
{
	static char dir[64];
	struct verify_source source = {.table = path, .ask = fake_ask};
	char names[3][80];
	const char *const texts[] = {online, iomem, options};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	strcpy(dir, "/tmp/keelctl-verify-XXXXXX");
	assert_non_null(mkdtemp(dir));
	for (u32 i = 0; i < 3; i++) {
		snprintf(names[i], sizeof(names[i]), "%s/%u", dir, i);
		if (*texts[i])
			write_file(names[i], texts[i], strlen(texts[i]));
	}
	source.online = names[0];
	source.iomem = names[1];
	source.options = names[2];
	write_file(path, bytes, TABLE_BYTES);
	*status = verify(out, &source);
	fclose(out);
	for (u32 i = 0; i < 3; i++)
		unlink(names[i]);
	rmdir(dir);
	return text;
}

static void good_system(void)
{
	good_table();
	strcpy(online, "0-2,3-4\n");
	strcpy(iomem, "00001000-7fdfffff : System RAM\n  01000000-02000000 : Kernel code\n"
		      "7fe00000-7fffffff : Reserved\n100000000-1ffffffff : System RAM\n");
	strcpy(options, "build=0123456789abcdef\nNR_CPUS=64\nSVM=y\n");
	counts = true;
	for (u32 i = 0; i < CPUS; i++) {
		saying[i] = ASKED_ANSWERS;
		index_of[i] = CPUS - 1 - i;
	}
}

static void expect(enum status status, const char *says)
{
	enum status got;
	char *text = verified(&got);

	assert_int_equal(got, status);
	assert_non_null(strstr(text, says));
	assert_true(!strstr(text, "FAILED") == (status == STATUS_OK));
	free(text);
}

static void a_good_system_is_verified(void **state)
{
	(void)state;
	good_system();
	expect(STATUS_OK, "ok:     5 CPUs answer, each with a number of its own\n");
	good_system();
	expect(STATUS_OK, "ok:     Keel's memory at 0x7fe00000 is hidden\n");
	*options = '\0';
	expect(STATUS_OK, "options not compared");
}

static void a_cpu_that_goes_is_not_asked(void **state)
{
	(void)state;
	good_system();
	saying[3] = ASKED_OFFLINE;
	expect(STATUS_OK, "CPU 3 went offline: not asked");
}

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	good_system();
	saying[3] = ASKED_BARE;
	expect(STATUS_FAILED, "FAILED: CPU 3 is not under Keel");
	good_system();
	index_of[1] = index_of[0];
	expect(STATUS_FAILED, "FAILED: CPU 1 has the number of another one, 4");
	good_system();
	index_of[1] = 1000;
	expect(STATUS_FAILED, "does not fit the table");
	good_system();
	counts = false;
	expect(STATUS_FAILED, "the table is not live");
	good_system();
	strcpy(online, "nothing\n");
	expect(STATUS_FAILED, "lists no CPUs");
}

static void hidden_memory_is_checked(void **state)
{
	(void)state;
	good_system();
	strcpy(iomem, "00001000-7fffffff : System RAM\n");
	expect(STATUS_FAILED, "is taken for RAM");
	good_system();
	strcpy(iomem, "00000000-00000000 : System RAM\n");
	expect(STATUS_FAILED, "names no addresses");
}

static void options_are_compared(void **state)
{
	(void)state;
	good_system();
	strcpy(options, "build=0123456789abcdee\n");
	expect(STATUS_FAILED, "the Keel that runs is 0123456789abcdef, not 0123456789abcdee");
	good_system();
	strcpy(options, "NR_CPUS=6\n");
	expect(STATUS_FAILED, "not built with NR_CPUS=6");
	good_system();
	strcpy(options, "CPUS=64\n");
	expect(STATUS_FAILED, "not built with CPUS=64");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_good_table_is_read),
	cmocka_unit_test(every_truncation_is_refused),
	cmocka_unit_test(a_short_length_is_refused),
	cmocka_unit_test(another_layout_is_refused),
	cmocka_unit_test(another_file_is_refused),
	cmocka_unit_test(a_number_that_stays_torn_is_damage),
	cmocka_unit_test(damaged_tables_do_no_harm),
	cmocka_unit_test(exits_are_shown),
	cmocka_unit_test(info_says_what_lies_below),
	cmocka_unit_test(json_is_what_it_says),
	cmocka_unit_test(differences_are_between_two_moments),
	cmocka_unit_test(cpus_fit_into_40_columns),
	cmocka_unit_test(a_ring_overrun_is_counted),
	cmocka_unit_test(exits_are_in_the_order_of_time),
	cmocka_unit_test(symbols_are_found),
	cmocka_unit_test(the_log_begins_with_a_whole_line),
	cmocka_unit_test(a_good_system_is_verified),
	cmocka_unit_test(a_cpu_that_goes_is_not_asked),
	cmocka_unit_test(what_is_wrong_is_named),
	cmocka_unit_test(hidden_memory_is_checked),
	cmocka_unit_test(options_are_compared),
};

int main(int argc, char **argv)
{
	int status;

	if (argc == 2 && !strcmp(argv[1], "--list"))
		return test_main(argc, argv, tests, ARRAY_SIZE(tests));
	if (close(mkstemp(path)) || close(mkstemp(text_path)))
		return 1;
	status = test_main(argc, argv, tests, ARRAY_SIZE(tests));
	unlink(path);
	unlink(text_path);
	return status;
}
