/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs keelctl, and says what it says. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

#define PROGRAM "/keelctl"
#define USER 65534
/* What one line of the kernel's log takes for sure. */
#define PIECE 600

/* A line that is too long goes on in lines that begin with a plus. */
static void say_output(FILE *out)
{
	char piece[PIECE];
	int whole = 1;

	while (fgets(piece, sizeof(piece), out)) {
		char *end = strchr(piece, '\n');

		if (end)
			*end = '\0';
		say("KEELCTL%c%s", whole ? ' ' : '+', piece);
		whole = end != NULL;
	}
}

static void child(char **argv, int output, int user)
{
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	if (user && setuid(user))
		_exit(126);
	execv(PROGRAM, argv);
	_exit(127);
}

static void run(const char *command, int user)
{
	char words[100], *argv[10] = { PROGRAM };
	int ends[2], status = -1, n = 1;
	pid_t pid;

	snprintf(words, sizeof(words), "%s", command);
	for (char *word = strtok(words, " "); word && n < 9; word = strtok(NULL, " "))
		argv[n++] = word;
	say("KEELCTL RUN %s%s", command, user ? " (user)" : "");
	if (pipe2(ends, O_CLOEXEC))
		die("FAIL pipe");
	pid = fork();
	if (!pid)
		child(argv, ends[1], user);
	close(ends[1]);
	say_output(fdopen(ends[0], "r"));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		say("KEELCTL STATUS crashed");
	else
		say("KEELCTL STATUS %d", WEXITSTATUS(status));
}

static void set_online(int cpu, int on)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (write(fd, on ? "1" : "0", 1) != 1)
		die("FAIL CPU %d cannot be switched", cpu);
	close(fd);
}

/* A CPU that comes and goes while the table is read. */
static pid_t flicker(int cpu)
{
	pid_t pid = fork();

	for (int i = 0; !pid; i++)
		set_online(cpu, i & 1);
	return pid;
}

void run_keelctl(int offline)
{
	static const char *const commands[] = {
		"info", "verify", "stat", "stat --json", "stat --json", "stat --per-cpu",
		"stat -i 0.2 -n 2 --json", "trace", "log", "nothing", "stat -i 0",
	};
	pid_t other;

	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		run(commands[i], 0);
	run("info", USER);
	if (!offline)
		return;
	set_online(offline, 0);
	run("verify", 0);
	run("stat --per-cpu", 0);
	set_online(offline, 1);
	other = flicker(offline);
	for (int i = 0; i < 5; i++)
		run("verify", 0);
	run("stat -i 0.1 -n 10 --json", 0);
	kill(other, 9);
	waitpid(other, NULL, 0);
}
