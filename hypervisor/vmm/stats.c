/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/stats.h"

#include <keel/console.h>

#include "lib/format.h"
#include "vmm/cpus.h"
#include "vmm/exit.h"

#define LINE_SIZE 200

static u64 exits_of(const struct percpu *cpu, u32 reason)
{
	u64 sum = 0;

	if (reason < EXIT_REASONS)
		return cpu->counts->exits[reason].value;
	for (u32 i = 0; i < EXIT_REASONS; i++)
		sum += cpu->counts->exits[i].value;
	return sum;
}

u64 stats_exits(u32 index, u32 reason)
{
	u64 sum = 0;

	if (index < cpu_count)
		return exits_of(cpus[index], reason);
	for (u32 i = 0; i < cpu_count && index == STATS_ALL_CPUS; i++)
		sum += exits_of(cpus[i], reason);
	return sum;
}

void stats_print(const char *event)
{
	char line[LINE_SIZE];
	int used = 0;

	line[0] = '\0';
	for (u32 i = 0; i < EXIT_REASONS; i++) {
		u64 n = stats_exits(STATS_ALL_CPUS, i);

		if (n && used < LINE_SIZE)
			used += keel_snprintf(line + used, LINE_SIZE - used, " %s=%llu",
					      exit_reason_names[i], (unsigned long long)n);
	}
	log_notice("%s; exits: total=%llu%s", event,
		   (unsigned long long)stats_exits(STATS_ALL_CPUS, EXIT_REASONS), line);
}
