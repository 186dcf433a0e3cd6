/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "commands.h"

const char *backend_name(uint32_t backend)
{
	return backend == KEEL_BACKEND_VMX   ? "VMX"
	       : backend == KEEL_BACKEND_SVM ? "SVM"
					     : "unknown";
}

const char *start_name(uint32_t policy)
{
	static const char *const names[] = {
		[KEEL_START_SINGLE] = "single",
		[KEEL_START_WAIT] = "wait",
		[KEEL_START_SAFE] = "safe",
		[KEEL_START_FAST] = "fast",
	};

	return policy < sizeof(names) / sizeof(names[0]) ? names[policy] : "unknown";
}

static const char *apic_policy(uint32_t policy)
{
	switch (policy) {
	case KEEL_START_SINGLE:
		return "never trapped: there is one CPU";
	case KEEL_START_WAIT:
		return "never trapped: the hardware waits for SIPI";
	case KEEL_START_SAFE:
		return "trapped for good";
	case KEEL_START_FAST:
		return "trapped until all CPUs run";
	default:
		return "unknown";
	}
}

static void print_options(FILE *out, const char *options)
{
	const char *line = options;

	for (const char *end; (end = strchr(line, '\n')); line = end + 1)
		fprintf(out, "  %.*s\n", (int)(end - line), line);
}

void print_info(FILE *out, const struct table *table)
{
	const struct keel_table *head = table->head;

	fprintf(out, "version:  %s\n", head->version);
	fprintf(out, "build:    %s\n", head->build_id);
	fprintf(out, "subarch:  %s\n", head->subarch);
	fprintf(out, "backend:  %s\n", backend_name(head->backend));
	fprintf(out, "below:    %s\n", *head->below ? head->below : "no hypervisor");
	if (*head->features)
		fprintf(out, "          %s\n", head->features);
	fprintf(out, "CPUs:     %u, and %u parked\n", head->cpus, head->parked);
	fprintf(out, "start:    %s\n", start_name(head->start_policy));
	fprintf(out, "APIC:     %s\n", apic_policy(head->start_policy));
	fprintf(out, "hidden:   0x%llx, %llu KiB\n", (unsigned long long)head->hidden_start,
		(unsigned long long)(head->hidden_bytes >> 10));
	fprintf(out, "TSC:      %llu kHz\n", (unsigned long long)head->tsc_per_ms);
	fprintf(out, "trace:    %s\n", head->trace_offset ? "on" : "off (CONFIG_TRACE)");
	fputs("options:\n", out);
	print_options(out, head->options);
}
