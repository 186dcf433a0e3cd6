/* SPDX-License-Identifier: BSD-2-Clause */
/* The instructions of VMX, SVM and SMX: under Keel the CPU does not have them. */
#include "lib/cpu.h"
#include "lib/trap.h"

const char payload_name[] = "forbidden";

#ifdef __x86_64__
#define REG "rax"
#else
#define REG "eax"
#endif

static u64 operand[2] __attribute__((aligned(4096)));

#define FORBIDDEN(name, insn) check_trap(TRY(insn, : : "a"(operand), "c"(0), "d"(0) : "memory", "cc"), VEC_UD, name)

static void check_vmx(void)
{
	FORBIDDEN("VMXON", "vmxon (%%" REG ")");
	FORBIDDEN("VMXOFF", "vmxoff");
	FORBIDDEN("VMCLEAR", "vmclear (%%" REG ")");
	FORBIDDEN("VMPTRLD", "vmptrld (%%" REG ")");
	FORBIDDEN("VMPTRST", "vmptrst (%%" REG ")");
	FORBIDDEN("VMLAUNCH", "vmlaunch");
	FORBIDDEN("VMRESUME", "vmresume");
	FORBIDDEN("VMREAD", ".byte 0x0f, 0x78, 0xc8");
	FORBIDDEN("VMWRITE", ".byte 0x0f, 0x79, 0xc8");
	FORBIDDEN("INVEPT", ".byte 0x66, 0x0f, 0x38, 0x80, 0x08");
	FORBIDDEN("INVVPID", ".byte 0x66, 0x0f, 0x38, 0x81, 0x08");
	FORBIDDEN("VMFUNC", ".byte 0x0f, 0x01, 0xd4");
	FORBIDDEN("GETSEC", ".byte 0x0f, 0x37");
}

static void check_svm(void)
{
	FORBIDDEN("VMRUN", ".byte 0x0f, 0x01, 0xd8");
	FORBIDDEN("VMLOAD", ".byte 0x0f, 0x01, 0xda");
	FORBIDDEN("VMSAVE", ".byte 0x0f, 0x01, 0xdb");
	FORBIDDEN("STGI", ".byte 0x0f, 0x01, 0xdc");
	FORBIDDEN("CLGI", ".byte 0x0f, 0x01, 0xdd");
	FORBIDDEN("SKINIT", ".byte 0x0f, 0x01, 0xde");
	FORBIDDEN("INVLPGA", ".byte 0x0f, 0x01, 0xdf");
}

void payload(void)
{
	/* Bare, an Intel CPU without VMXON and an AMD CPU without EFER.SVME say #UD as well. */
	if (is_intel)
		check_vmx();
	else
		check_svm();
}
