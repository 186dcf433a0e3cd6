/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits, in words that are the same on Intel and AMD. */
#ifndef KEEL_VMM_EXIT_H
#define KEEL_VMM_EXIT_H

#include <keel/types.h>

struct percpu;
struct guest_state;

/* Neutral reasons; the numbers are part of KEEL_HC_EXITS: add at the end. */
enum exit_reason {
	EXIT_CPUID,
	EXIT_RDMSR,
	EXIT_WRMSR,
	EXIT_CR, /* MOV to CR0/CR4, CLTS, LMSW that touch a bit Keel owns */
	EXIT_IO,
	EXIT_MEMORY,	/* EPT violation or misconfiguration, nested page fault */
	EXIT_HYPERCALL, /* VMCALL, VMMCALL */
	EXIT_XSETBV,
	EXIT_INVD,
	EXIT_HIDDEN_INSN, /* an instruction of a feature Keel hides: VMX, SVM, GETSEC */
	EXIT_TRIPLE_FAULT,
	EXIT_TASK_SWITCH,
	EXIT_INIT,
	EXIT_SIPI,
	EXIT_NMI,
	EXIT_NMI_WINDOW,
	EXIT_UNKNOWN, /* a reason that Keel never asked for */
	EXIT_REASONS
};

struct exit_info {
	enum exit_reason reason;
	u32 raw;	   /* basic exit reason (SDM appendix C) or EXITCODE (APM appendix C) */
	u64 qualification; /* exit qualification or EXITINFO1 */
	union {
		struct {
			u16 port;
			u8 bytes; /* 1, 2 or 4 */
			bool in;
			bool string; /* INS, OUTS */
		} io;
		struct {
			gpa_t gpa;
			bool write;
			bool fetch;
			bool misconfigured; /* a fault of Keel's own tables */
			/* Not a page walk, nor the delivery of an event. */
			bool by_instruction;
		} memory;
		struct {
			u8 number; /* 0, 3, 4 */
			u64 value; /* that the guest wants the register to have */
		} cr;
		struct {
			/* It never came, and the exit stands for it; or it comes late all the same. */
			bool lost;
		} init;
		struct {
			u8 vector;
		} sipi;
	};
};

extern const char *const exit_reason_names[EXIT_REASONS];

/*
 * The one place where exits are decided: counts @info and runs its handler. Called by the backend
 * with the guest's general registers in cpu->regs; on return the backend enters the guest again.
 */
void exit_dispatch(struct percpu *cpu, const struct exit_info *info);

/*
 * For a backend that has to wait until the next entry has delivered an event: this CPU exits again
 * as soon as it can after that (EXIT_INIT or EXIT_NMI).
 */
void exit_again(struct percpu *cpu);

/* What the guest is to see of what CPUID said in Keel; @c is corrected. */
struct cpuid;
void exit_fix_cpuid(struct percpu *cpu, u32 leaf, u32 subleaf, struct cpuid *c);

/*
 * For a backend's short way through an exit by a store of @bits-bit code to @gpa, raw reason @raw, with no event
 * cut short: if that is a register of this CPU's local APIC which Keel does not look at, and the instruction
 * is a known one, it is done and counted as exit_dispatch() would. Gives the instruction's length, 0 if nothing
 * was done. Of @state RIP, CR0, CR3, CR4 and EFER are looked at, and CS's base unless @bits is 64.
 */
u8 exit_plain_store(struct percpu *cpu, gpa_t gpa, u32 raw, const struct guest_state *state,
		    u8 bits);

/* For a backend that traps EFER: the guest writes it. On the boot CPU that is how a kernel starts. */
void exit_efer_written(struct percpu *cpu);

#endif
