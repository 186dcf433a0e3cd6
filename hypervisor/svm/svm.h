/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the SVM backend share. */
#ifndef KEEL_SVM_SVM_H
#define KEEL_SVM_SVM_H

#include <generated/autoconf.h>
#include <keel/percpu.h>

#include "svm/vmcb.h"
#include "vmm/backend.h"
#include "vmm/exit.h"

/* Does CPUID exit always? */
#ifdef CONFIG_SVM_CPUID_PASS
#define SVM_CPUID_EXITS (!GUEST_LONG_MODE)
#else
#define SVM_CPUID_EXITS true
#endif

/* What an entry does to the TLB if nothing is to be forgotten. */
#ifdef CONFIG_TLB_TAGS
#define TLB_CONTROL_AT_ENTRY TLB_CONTROL_NOTHING
#else
#define TLB_CONTROL_AT_ENTRY TLB_CONTROL_FLUSH_ALL
#endif

struct svm_cpu {
	u64 vmcb_hpa; /* first: run.S takes it from PERCPU_VENDOR */
	struct vmcb *vmcb;
	bool parked; /* executes nothing until start_sipi() */
	/* The guest is in its NMI handler: IRET exits (svm/nmi.c). */
	bool nmi_blocked;
	/* That IRET is single-stepped, as another NMI waits for its end. */
	bool stepping;
	u64 step_tf; /* RFLAGS.TF as the guest had it */
	u64 step_dr6;
};

_Static_assert(sizeof(struct svm_cpu) <= sizeof(((struct percpu *)0)->vendor), "fits in percpu");

static inline struct svm_cpu *svm_cpu(struct percpu *cpu)
{
	return (struct svm_cpu *)cpu->vendor;
}

static inline struct vmcb *vmcb_of(struct percpu *cpu)
{
	return svm_cpu(cpu)->vmcb;
}

/* What all CPUs share: the bitmaps and what the capability leaf says. */
struct svm_shared {
	u8 *msrpm;     /* two pages */
	u8 *iopm;      /* three pages */
	u64 efer_bits; /* bits of EFER this CPU lets one set, SVME left out */
	u64 clean;     /* CLEAN_ALL, or 0: the CPU has no clean bits */
	bool has_nrips;
};

extern struct svm_shared svm_shared;

/* Keel changes a part of the VMCB in an exit: the next entry is to read it, @clean of CLEAN_*. */
static inline void svm_changed(struct percpu *cpu, u64 clean)
{
	vmcb_of(cpu)->control.clean &= ~clean;
}

/* svm/vcpu.c: as in struct backend. */
int svm_vcpu_alloc(struct percpu *cpu);
void svm_get_state(struct percpu *cpu, struct guest_state *state);
void svm_skip(struct percpu *cpu);
void svm_skip_bytes(struct percpu *cpu, u8 length);
void svm_set_rflags(struct percpu *cpu, u64 rflags);
void svm_inject(struct percpu *cpu, u8 vector, u32 error);
void svm_flush(struct percpu *cpu);

/* svm/start.c: as in struct backend. */
void svm_reset_state(struct percpu *cpu, hpa_t nested_root);
void svm_start_flat(struct percpu *cpu, const struct guest_start *start);
void svm_start_sipi(struct percpu *cpu, u8 vector);
void svm_park(struct percpu *cpu);

/* svm/nmi.c: NMIs are always intercepted; these hand the guest's on. */
/* An exception takes the place of the step over an IRET. */
void svm_nmi_cancel_step(struct percpu *cpu);
/* After an exit with EXIT_NMI or EXIT_NMI_WINDOW, before its handler. */
void svm_nmi_exit(struct percpu *cpu);
/* Before each entry with cpu->nmi_pending. */
void svm_nmi_deliver(struct percpu *cpu);
/* For exception_set_nmi_window(). */
unsigned long svm_nmi_window(unsigned long ip);

/* svm/cpuid.c: as in struct backend. */
void svm_fix_cpuid(struct percpu *cpu, u32 leaf, u32 subleaf, struct cpuid *out);
void svm_trap_cpuid(struct percpu *cpu, bool trap);

/* svm/probe.c: on a CPU that has been turned on and runs no guest yet. */
bool svm_walks_nested_table(struct percpu *cpu);

/* svm/msr.c */
#ifdef CONFIG_MSR_MAP
#define SVM_MSR_RULES 8
#else
#define SVM_MSR_RULES 9
#endif
extern const struct msr_rule svm_msr_rules[SVM_MSR_RULES];
/* Allocates the permission map; false if there is no memory for it. */
bool svm_msrpm_init(void);
void svm_trap_msr(u32 msr, u8 trap);
void svm_trap_ports(u16 first, u16 count);
void svm_probe_efer(void);

/* svm/run.S: enters the guest of @cpu, whose address is also the stack; the exit loop. */
_Noreturn void svm_run(struct percpu *cpu);
/* Called by run.S at each #VMEXIT, and before the first entry. */
void svm_exit(struct percpu *cpu);
void svm_wait(struct percpu *cpu);
/* Takes the NMI that is pending, as the host: isr_handle() counts it. GIF is 0 before and after. */
void svm_take_nmi(void);
/* As in struct backend. */
void svm_drop_interrupts(void);
/* HLT with GIF = 1 until an NMI has been taken. */
void svm_halt_until_nmi(void);
/* Where an NMI that arrives before that HLT goes on. */
extern const u8 svm_halt_start[], svm_halt_end[];

#endif
