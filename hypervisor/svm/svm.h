/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the SVM backend share. */
#ifndef KEEL_SVM_SVM_H
#define KEEL_SVM_SVM_H

#include <keel/percpu.h>

#include "svm/vmcb.h"
#include "vmm/backend.h"
#include "vmm/exit.h"

struct svm_cpu {
	u64 vmcb_hpa; /* first: run.S takes it from PERCPU_VENDOR */
	struct vmcb *vmcb;
};

_Static_assert(sizeof(struct svm_cpu) <= sizeof(((struct percpu *)0)->vendor), "fits in percpu");

static inline struct vmcb *vmcb_of(struct percpu *cpu)
{
	return ((struct svm_cpu *)cpu->vendor)->vmcb;
}

/* What all CPUs share: the bitmaps and what the capability leaf says. */
struct svm_shared {
	u8 *msrpm;     /* two pages */
	u8 *iopm;      /* three pages */
	u64 efer_bits; /* bits of EFER this CPU lets one set, SVME left out */
	bool has_nrips;
};

extern struct svm_shared svm_shared;

/* svm/vcpu.c */
int svm_vcpu_alloc(struct percpu *cpu);
void svm_start_state(struct percpu *cpu, const struct guest_start *start, hpa_t nested_root);
void svm_get_state(struct percpu *cpu, struct guest_state *state);
void svm_skip(struct percpu *cpu);
void svm_inject(struct percpu *cpu, u8 vector, u32 error);
void svm_flush(struct percpu *cpu);

/* svm/msr.c */
#define SVM_MSR_RULES 7
extern const struct msr_rule svm_msr_rules[SVM_MSR_RULES];
void svm_trap_msr(u32 msr, u8 trap);
void svm_trap_ports(u16 first, u16 count);
void svm_probe_efer(void);

/* svm/run.S: enters the guest of @cpu, whose address is also the stack; the exit loop. */
_Noreturn void svm_run(struct percpu *cpu);
/* Called by run.S at each #VMEXIT. */
void svm_exit(struct percpu *cpu);

#endif
