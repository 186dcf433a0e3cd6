/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole seam between the neutral half (vmm/) and VMX and SVM. */
#ifndef KEEL_VMM_BACKEND_H
#define KEEL_VMM_BACKEND_H

#include <generated/autoconf.h>
#include <keel/percpu.h>
#include <keel/types.h>

#include "cpu/cpuid.h"
#include "lib/icr.h"
#include "lib/mtrr.h"
#include "lib/pagetable.h"

struct exit_info;

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
	bool cs_big;  /* CS.D: 32-bit code otherwise */
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

/* Sizes of nested pages that may be used, where the processor has them. */
#ifdef CONFIG_NESTED_2M
#define NESTED_2M true
#else
#define NESTED_2M false
#endif
#ifdef CONFIG_NESTED_1G
#define NESTED_1G true
#else
#define NESTED_1G false
#endif

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
	/* The attribute without which a leaf is read-only. */
	u64 nested_write;

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
	 * Makes the accesses to an MSR that @trap names exit, and no other; makes accesses to @count
	 * ports exit. After init(). A running guest may still exit once for what was trapped before.
	 */
	void (*trap_msr)(u32 msr, u8 trap);
	void (*trap_ports)(u16 first, u16 count);
	/*
	 * A trapped write of @msr whose low half has no bit of @unless may go to the hardware, counted,
	 * but without exit_dispatch(). For one MSR. NULL where there is no such short way.
	 */
	void (*pass_wrmsr)(u32 msr, u32 unless);
	/*
	 * Turns the extension on on this CPU, which then takes no INIT (VMX) or NMI (SVM) but in
	 * the guest and in park(). Errors as init().
	 */
	int (*cpu_on)(struct percpu *cpu, const char **why);
	/*
	 * Gives this CPU's guest the state that INIT leaves (SDM volume 3, table 10-1; APM volume 2,
	 * table 14-1), its controls as at the start, and forgets what its TLB held. The hardware's
	 * debug registers and CR0.CD and NW are part of it, the local APIC is not.
	 * @nested_root: HPA of the nested table.
	 */
	void (*reset_state)(struct percpu *cpu, hpa_t nested_root);
	/* After reset_state(): the guest begins at @start. */
	void (*start_flat)(struct percpu *cpu, const struct guest_start *start);
	/* After reset_state(): the guest begins as after a SIPI with @vector. */
	void (*start_sipi)(struct percpu *cpu, u8 vector);
	/*
	 * After reset_state(): the guest executes nothing until start_sipi(); each kick is an exit
	 * (EXIT_INIT or EXIT_NMI), every other event is dropped.
	 */
	void (*park)(struct percpu *cpu);
	/*
	 * Can the hardware wait for a SIPI in the guest? Then wait_for_sipi() has it do so from the
	 * next entry on, touching no other state, and the SIPI is an exit (EXIT_SIPI). NULL: never.
	 */
	bool (*has_wait_for_sipi)(void);
	void (*wait_for_sipi)(struct percpu *cpu);
	/* Enters the guest and stays in the exit loop, which calls exit_dispatch(). */
	void (*run)(struct percpu *cpu) __attribute__((noreturn));
	/*
	 * What pulls another CPU out of its guest, as an ICR delivery mode: ICR_INIT or ICR_NMI. It
	 * stays pending while that CPU is in Keel.
	 */
	u8 kick_mode;
	/*
	 * Halts this CPU, which the guest does not get, until an NMI; other events of the machine
	 * (SMI) are served.
	 */
	void (*idle)(void);
	/* Lets this CPU take, in Keel, the external interrupts that are pending: they are lost. */
	void (*drop_interrupts)(void);
	/*
	 * Makes CPUID exit on this CPU, or not. NULL where it always does.
	 */
	void (*trap_cpuid)(struct percpu *cpu, bool trap);

	/* The following belong to a running exit. */

	/* Steps over the instruction that exited: RIP, RFLAGS.TF, and STI/MOV-SS blocking. */
	void (*skip)(struct percpu *cpu);
	/* The same for an instruction of @length bytes, where the exit does not tell. */
	void (*skip_bytes)(struct percpu *cpu, u8 length);
	void (*set_rflags)(struct percpu *cpu, u64 rflags);
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
	/* The same for CR4. */
	bool (*set_cr4)(struct percpu *cpu, u64 value, const u64 *pdptes);
	/*
	 * Switches tasks as the guest asked for, or has it take the fault of a switch that cannot be.
	 * NULL where task switches never exit.
	 */
	void (*switch_task)(struct percpu *cpu, const struct exit_info *info);
	/* How often this CPU has read, or written, a VMCS field. NULL where it does not count. */
	u32 (*accesses)(struct percpu *cpu, u32 field, bool write);
	/* The next entry forgets everything that came from the nested table. */
	void (*flush)(struct percpu *cpu);
};

/* The one in force; constant once boot has chosen it. */
extern const struct backend *backend;

extern const struct backend vmx_backend;
extern const struct backend svm_backend;

#endif
