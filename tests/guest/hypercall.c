/* SPDX-License-Identifier: BSD-2-Clause */
/* Keel's guest interface: what answers, what does not, and who may ask. */
#include "lib/hypercall.h"

#include "lib/trap.h"

const char payload_name[] = "hypercall";

extern const char user_vmcall[], user_vmmcall[], user_nop[];
asm(".text\n"
    "user_vmcall:\n"
    "	movl $0x4b45454c, %eax\n"
    "	xorl %ecx, %ecx\n"
    "	.byte 0x0f, 0x01, 0xc1\n"
    "	hlt\n"
    "user_vmmcall:\n"
    "	movl $0x4b45454c, %eax\n"
    "	xorl %ecx, %ecx\n"
    "	.byte 0x0f, 0x01, 0xd9\n"
    "	hlt\n"
    "user_nop:\n"
    "	nop\n"
    "	hlt\n");

static void check_user(void)
{
	/* The positive control: CPL 3 code runs, and HLT is its #GP. */
	check_trap(try_user(user_nop), VEC_GP, "CPL 3 code runs up to its HLT");
	check_trap(try_user(user_vmcall), VEC_UD, "CPL 3 VMCALL is #UD");
	check_trap(try_user(user_vmmcall), VEC_UD, "CPL 3 VMMCALL is #UD");
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
	static const u32 unknown[] = { 3, 4, 100, 0x7fffffff, 0x80000000, 0xffffffff };
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
}

void payload(void)
{
	check_user();
	check_unsigned();
	if (under_keel)
		check_functions();
}
