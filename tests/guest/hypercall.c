/* SPDX-License-Identifier: BSD-2-Clause */
/* Keel's guest interface: what answers, what does not, and who may ask. */
#include "lib/hypercall.h"

#include "lib/trap.h"

const char payload_name[] = "hypercall";

#define BAD_CPU 1000

#define USER_CALL(name, signature, function, opcode)                                               \
	#name ":\n"                                                                                \
	"	movl $" signature ", %eax\n"                                                      \
	"	movl $" function ", %ecx\n"                                                       \
	"	xorl %edx, %edx\n"                                                                \
	"	.byte 0x0f, 0x01, " opcode "\n"                                                   \
	"	hlt\n"
#define USER_CALLS(name, opcode)                                                                   \
	USER_CALL(name##_ping, "0x4b45454c", "0", opcode)                                          \
	USER_CALL(name##_region, "0x4b45454c", "1", opcode)                                        \
	USER_CALL(name##_sync, "0x4b45454c", "4", opcode)                                          \
	USER_CALL(name##_unknown, "0x4b45454c", "100", opcode)                                     \
	USER_CALL(name##_unsigned, "0", "0", opcode)

extern const char user_nop[];
asm(".text\n" USER_CALLS(user_vmcall, "0xc1") USER_CALLS(user_vmmcall, "0xd9")
    "user_nop:\n"
    "	nop\n"
    "	hlt\n");

#define USER_CODE(call)                                                                            \
	extern const char user_vmcall_##call[], user_vmmcall_##call[];
USER_CODE(ping)
USER_CODE(region)
USER_CODE(sync)
USER_CODE(unknown)
USER_CODE(unsigned)

/* Only a signed ping by the CPU's own instruction is for everyone. */
static void check_user_call(const char *name, const char *vmcall, const char *vmmcall)
{
	check_trap(try_user(vmcall), VEC_UD, "CPL 3 VMCALL, %s, is #UD", name);
	check_trap(try_user(vmmcall), VEC_UD, "CPL 3 VMMCALL, %s, is #UD", name);
}

static void check_user(void)
{
	const char *own = is_intel ? user_vmcall_ping : user_vmmcall_ping;
	const char *other = is_intel ? user_vmmcall_ping : user_vmcall_ping;

	/* The positive control: CPL 3 code runs, and HLT is its #GP. */
	check_trap(try_user(user_nop), VEC_GP, "CPL 3 code runs up to its HLT");
	check_trap(try_user(own), under_keel ? VEC_GP : VEC_UD, "CPL 3 ping runs only under Keel");
	if (under_keel)
		check_eq((u32)last_trap.ax, KEEL_HC_ANSWER, "CPL 3 ping's answer");
	check_trap(try_user(other), VEC_UD, "CPL 3 ping by the other vendor's call is #UD");
	check_user_call("region", user_vmcall_region, user_vmmcall_region);
	check_user_call("sync", user_vmcall_sync, user_vmmcall_sync);
	check_user_call("unknown function", user_vmcall_unknown, user_vmmcall_unknown);
	check_user_call("without signature", user_vmcall_unsigned, user_vmmcall_unsigned);
}

static void check_unsigned(void)
{
	static const u32 signatures[] = { 0, 1, 0x4b45454d, 0xffffffff, 0x4b4d564b };
	struct hypercall r;

	for (u32 i = 0; i < ARRAY_SIZE(signatures); i++)
		check_trap(hypercall_sig(signatures[i], 0, 0, &r), VEC_UD,
			   "call without signature (0x%x) is #UD", signatures[i]);
}

static void check_functions(void)
{
	static const u32 unknown[] = { KEEL_HC_TEST, 6, 8, 100, 0x7fffffff, 0x80000000, 0xffffffff };
	struct hypercall r;

	check_trap(hypercall(KEEL_HC_PING, 0, &r), NO_TRAP, "ping does not fault");
	check_eq(r.eax, KEEL_HC_ANSWER, "ping's answer");
	check_eq(r.ebx, KEEL_ABI_VERSION, "ping's version");
	check_eq(r.ecx, 0, "ping's CPU index");
	check_eq(r.edx, is_intel ? KEEL_BACKEND_VMX : KEEL_BACKEND_SVM, "ping's backend");
	for (u32 i = 0; i < ARRAY_SIZE(unknown); i++) {
		check_trap(hypercall(unknown[i], 7, &r), NO_TRAP, "function 0x%x does not fault",
			   unknown[i]);
		check_eq(r.eax, KEEL_HC_UNKNOWN, "function 0x%x is unknown", unknown[i]);
	}
	hypercall(KEEL_HC_EXITS, 0x7fffffff, &r);
	check(keel_answers(), "Keel answers after a bad exit reason");
	keel_exits_on(BAD_CPU, KEEL_EXITS_ALL);
	check(keel_answers(), "Keel answers after a bad CPU index");
}

/* On a machine of one CPU. */
static void check_cpus(void)
{
	struct hypercall r;
	u64 sum, own;

	check_trap(hypercall(KEEL_HC_CPUS, 0, &r), NO_TRAP, "CPUs does not fault");
	check_eq(r.eax, 1, "CPUs under Keel");
	check_eq(r.ebx, 0, "CPUs that are parked");
	check_eq(r.ecx, KEEL_START_SINGLE, "start policy of one CPU");
	check_eq(r.edx, 1, "CPUs that run guest code");
	check_trap(hypercall(KEEL_HC_SYNC, 0, &r), NO_TRAP, "sync does not fault");
	check_eq(r.eax, 0, "CPUs that sync pulls in");
	sum = keel_exits(KEEL_EXITS_ALL);
	own = keel_exits_on(0, KEEL_EXITS_ALL);
	check_eq(own, sum + 1, "the exits of the only CPU are all exits");
}

void payload(void)
{
	check_user();
	check_unsigned();
	if (!under_keel)
		return;
	check_functions();
	check_cpus();
}
