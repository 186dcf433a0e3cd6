/* SPDX-License-Identifier: BSD-2-Clause */
/* Shows, from inside the guest, what Keel counts, has traced and has said. See keelctl(8). */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "verify.h"

#define SECONDS_MAX 86400.0
#define KALLSYMS    "/proc/kallsyms"

static const char usage[] = "usage: keelctl info\n"
			    "       keelctl stat [-i SECONDS [-n TIMES]] [--per-cpu] [--json]\n"
			    "       keelctl trace [-i SECONDS [-n TIMES]]\n"
			    "       keelctl log\n"
			    "       keelctl verify [--options FILE]\n"
			    "       -f FILE: a copy of the table instead of " TABLE_PATH "\n";

struct options {
	const char *file, *expected;
	double interval; /* 0: once */
	unsigned long times;
	struct stat_format format;
};

static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
	(void)number;
	stopped = 1;
}

static enum status complain(enum status status, const char *why)
{
	fprintf(stderr, "keelctl: %s\n", why);
	return status;
}

static unsigned terminal_width(void)
{
	struct winsize size;

	return isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? size.ws_col : 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* False if the user wants no more. */
static bool pause_for(double seconds)
{
	struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

	nanosleep(&t, NULL);
	return !stopped;
}

static bool again(const struct options *options, unsigned long done)
{
	return options->interval > 0 && (!options->times || done < options->times) && !stopped;
}

static enum status do_info(const struct options *options)
{
	char why[WHY_MAX];
	struct table table;
	enum status status = table_read(options->file, &table, why);

	if (status)
		return complain(status, why);
	print_info(stdout, &table);
	table_free(&table);
	return STATUS_OK;
}

static enum status do_stat(struct options *options)
{
	char why[WHY_MAX];
	struct table before, table;
	enum status status = table_read(options->file, &table, why);
	double last = now(), read;

	if (status)
		return complain(status, why);
	if (!options->interval)
		print_stat(stdout, &table, NULL, &options->format);
	for (unsigned long n = 0; again(options, n) && pause_for(options->interval); n++) {
		before = table;
		status = table_read(options->file, &table, why);
		if (status || table.head->cpus != before.head->cpus) {
			table_free(&before);
			return complain(STATUS_FAILED, status ? why : "another Keel has started");
		}
		read = now();
		options->format.seconds = read - last;
		last = read;
		print_stat(stdout, &table, &before, &options->format);
		fflush(stdout);
		table_free(&before);
	}
	table_free(&table);
	return STATUS_OK;
}

static enum status do_trace(struct options *options)
{
	char why[WHY_MAX];
	struct trace_place place = {0};
	struct symbols *symbols;
	struct table table;
	enum status status = table_read(options->file, &table, why);

	if (status)
		return complain(status, why);
	if (!table.head->trace_offset) {
		table_free(&table);
		return complain(STATUS_FAILED,
				"this Keel traces nothing: build it with CONFIG_TRACE=y");
	}
	if (!trace_begin(&place, &table))
		abort();
	symbols = symbols_read(KALLSYMS);
	print_trace(stdout, &table, &place, symbols, options->format.width);
	for (unsigned long n = 1; again(options, n) && pause_for(options->interval); n++) {
		uint32_t cpus = table.head->cpus;

		fflush(stdout);
		table_free(&table);
		status = table_read(options->file, &table, why);
		if (status || table.head->cpus != cpus || !table.head->trace_offset) {
			status = complain(STATUS_FAILED, status ? why : "another Keel has started");
			break;
		}
		print_trace(stdout, &table, &place, symbols, options->format.width);
	}
	table_free(&table);
	trace_end(&place);
	symbols_free(symbols);
	return status;
}

static enum status do_log(const struct options *options)
{
	char why[WHY_MAX];
	struct table table;
	enum status status = table_read(options->file, &table, why);
	char *text;

	if (status)
		return complain(status, why);
	text = table_log(&table);
	if (!text)
		abort();
	fputs(text, stdout);
	free(text);
	table_free(&table);
	return STATUS_OK;
}

static enum status do_verify(const struct options *options)
{
	struct verify_source source = verify_system;

	source.table = options->file;
	if (options->expected) {
		if (access(options->expected, R_OK))
			return complain(STATUS_USAGE, "the file of --options cannot be read");
		source.options = options->expected;
	}
	return verify(stdout, &source);
}

static bool number(const char *text, double max, double *value)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	return !errno && end != text && !*end && *value > 0 && *value <= max;
}

static bool parse_option(int option, struct options *options)
{
	double times;

	switch (option) {
	case 'f':
		options->file = optarg;
		return true;
	case 'i':
		return number(optarg, SECONDS_MAX, &options->interval);
	case 'n':
		if (!number(optarg, 1e9, &times))
			return false;
		options->times = (unsigned long)times;
		return options->times > 0;
	case 'p':
		options->format.per_cpu = true;
		return true;
	case 'j':
		options->format.json = true;
		return true;
	case 'o':
		options->expected = optarg;
		return true;
	default:
		return false;
	}
}

static enum status run(const char *command, struct options *options)
{
	if (!strcmp(command, "info"))
		return do_info(options);
	if (!strcmp(command, "stat"))
		return do_stat(options);
	if (!strcmp(command, "trace"))
		return do_trace(options);
	if (!strcmp(command, "log"))
		return do_log(options);
	if (!strcmp(command, "verify"))
		return do_verify(options);
	fprintf(stderr, "keelctl: there is no command %s\n%s", command, usage);
	return STATUS_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"per-cpu", no_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'},
		{"options", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct options options = {.file = TABLE_PATH, .format.width = terminal_width()};
	struct sigaction stop = {.sa_handler = on_stop};
	enum status status;
	int option;

	while ((option = getopt_long(argc, argv, "f:i:n:h", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return STATUS_OK;
		}
		if (option == '?' || !parse_option(option, &options)) {
			if (option != '?')
				fprintf(stderr, "keelctl: -%c: %s is out of range\n", option,
					optarg);
			fputs(usage, stderr);
			return STATUS_USAGE;
		}
	}
	if (argc - optind != 1) {
		fputs(usage, stderr);
		return STATUS_USAGE;
	}
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	status = run(argv[optind], &options);
	if (fflush(stdout) || ferror(stdout))
		return complain(STATUS_FAILED, "the output cannot be written");
	return status;
}
