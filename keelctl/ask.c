/* SPDX-License-Identifier: BSD-2-Clause */
#include "ask.h"

#include <cpuid.h>
#include <keel/abi.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

static sigjmp_buf refused;

/* Without a hypervisor below the instruction is #UD. */
static void on_sigill(int number)
{
	(void)number;
	siglongjmp(refused, 1);
}

/* VMCALL is Intel's, VMMCALL is of AMD and all others that have it. */
static bool is_intel(void)
{
	unsigned max, ebx, ecx, edx;

	__cpuid(0, max, ebx, ecx, edx);
	return ebx == signature_INTEL_ebx && ecx == signature_INTEL_ecx &&
	       edx == signature_INTEL_edx;
}

static bool call(bool intel, struct answer *answer)
{
	uint32_t eax;

	if (intel)
		__asm__ volatile("vmcall"
				 : "=a"(eax), "=b"(answer->version), "=c"(answer->index),
				   "=d"(answer->backend)
				 : "a"(KEEL_HC_SIGNATURE), "c"(KEEL_HC_PING)
				 : "memory");
	else
		__asm__ volatile("vmmcall"
				 : "=a"(eax), "=b"(answer->version), "=c"(answer->index),
				   "=d"(answer->backend)
				 : "a"(KEEL_HC_SIGNATURE), "c"(KEEL_HC_PING)
				 : "memory");
	return eax == KEEL_HC_ANSWER;
}

static bool try_call(bool intel, struct answer *answer)
{
	if (sigsetjmp(refused, 1))
		return false;
	return call(intel, answer);
}

bool ask_keel(struct answer *answer)
{
	struct sigaction on_ud = {.sa_handler = on_sigill}, old;
	struct answer mine;
	bool answered;

	sigemptyset(&on_ud.sa_mask);
	sigaction(SIGILL, &on_ud, &old);
	answered = try_call(is_intel(), answer ? answer : &mine);
	sigaction(SIGILL, &old, NULL);
	return answered;
}
