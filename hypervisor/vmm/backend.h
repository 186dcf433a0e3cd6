/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole seam between the neutral half (vmm/) and VMX and SVM. */
#ifndef KEEL_VMM_BACKEND_H
#define KEEL_VMM_BACKEND_H

#include <keel/percpu.h>
#include <keel/types.h>

#include "cpu/cpuid.h"
#include "lib/mtrr.h"
#include "lib/pagetable.h"

/* Where and how the guest starts: flat 32-bit protected mode, paging and interrupts off. */
struct guest_start {
	u32 eip;
	u32 esi;      /* boot_params, GPA */
	u32 gdt_base; /* GPA of a GDT that has the two selectors */
	u16 gdt_limit;
	u16 cs, ds;
};

/* The guest registers that do not live in cpu->regs, for dumps and for reading guest memory. */
struct guest_state {
	u64 rip, rsp, rflags;
	u64 cr0, cr2, cr3, cr4, efer;
	u64 cs_base;
	u16 cs_selector;
	u8 cpl;
	bool cs_long; /* CS.L: 64-bit code while EFER.LMA = 1 */
};

#define MSR_READ  1
#define MSR_WRITE 2

/* MSRs that are not simply the guest's own. */
struct msr_rule {
	u32 first, last;
	u8 trap; /* MSR_READ, MSR_WRITE */
	/* Each gives false for #GP. NULL: the access goes to the hardware. */
	bool (*read)(struct percpu *cpu, u32 msr, u64 *value);
	bool (*write)(struct percpu *cpu, u32 msr, u64 value);
};

/* For rules: an MSR that does not exist as far as the guest can see. */
bool msr_no_read(struct percpu *cpu, u32 msr, u64 *value);
bool msr_no_write(struct percpu *cpu, u32 msr, u64 value);

struct backend {
	const char *name; /* "VMX", "SVM" */
	u32 abi_id;	  /* KEEL_BACKEND_* */

	/* Nested page tables: their format, and a leaf's attributes for memory of @type. */
	const struct pt_format *nested_format;
	u64 (*nested_attrs)(enum mem_type type);
	/*
	 * EPT carries memory types; under NPT the MTRRs apply by themselves (APM volume 2,
	 * 15.25.8).
	 */
	bool nested_has_types;

	/* Its own MSRs. */
	const struct msr_rule *msr_rules;
	u32 msr_rule_count;

	/*
	 * Corrects what CPUID said in Keel to what the guest may see. NULL where CPUID never exits.
	 */
	void (*fix_cpuid)(struct percpu *cpu, u32 leaf, u32 subleaf, struct cpuid *out);

	/* Does this CPU's CPUID show the extension? */
	bool (*present)(void);
	/*
	 * Reads the capabilities and allocates what all CPUs share. Once, on the boot CPU. 0, or
	 * -ENODEV or -ENOMEM with *@why one sentence that names what is missing and what to change.
	 */
	int (*init)(const char **why);
	/*
	 * Makes accesses to an MSR, or to @count ports, exit. After init(), before the guest runs.
	 */
	void (*trap_msr)(u32 msr, u8 trap);
	void (*trap_ports)(u16 first, u16 count);
	/* Turns the extension on on this CPU. Errors as init(). */
	int (*cpu_on)(struct percpu *cpu, const char **why);
	/* Gives this CPU's guest its first state; @nested_root is the HPA of the nested table. */
	void (*start_state)(struct percpu *cpu, const struct guest_start *start, hpa_t nested_root);
	/* Enters the guest and stays in the exit loop, which calls exit_dispatch(). */
	void (*run)(struct percpu *cpu) __attribute__((noreturn));

	/* The following belong to a running exit. */

	/* Steps over the instruction that exited: RIP, RFLAGS.TF, and STI/MOV-SS blocking. */
	void (*skip)(struct percpu *cpu);
	/*
	 * The next entry delivers exception @vector, with an error code where the vector has one.
	 */
	void (*inject)(struct percpu *cpu, u8 vector, u32 error);
	void (*get_state)(struct percpu *cpu, struct guest_state *state);
	/*
	 * Sets CR0 to what the guest asked for, a legal combination, as MOV to CR0 would; @pdptes:
	 * the four page-directory pointers that the processor would load with it, or NULL. False,
	 * and nothing is changed, where the processor would answer #GP for a reason of its own.
	 * NULL where writes to CR0 never exit.
	 */
	bool (*set_cr0)(struct percpu *cpu, u64 value, const u64 *pdptes);
	/* The next entry forgets everything that came from the nested table. */
	void (*flush)(struct percpu *cpu);
};

/* The one in force; constant once boot has chosen it. */
extern const struct backend *backend;

extern const struct backend vmx_backend;
extern const struct backend svm_backend;

#endif
