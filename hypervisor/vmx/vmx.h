/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the VMX backend share. SDM sections are those of Intel's volume 3. */
#ifndef KEEL_VMX_VMX_H
#define KEEL_VMX_VMX_H

#include <generated/autoconf.h>
#include <keel/percpu.h>
#include <keel/types.h>

#include "cpu/cpuid.h"
#include "vmm/backend.h"
#include "vmx/access.h"
#include "vmx/fast.h"

/* The guest's VPID, the same on every CPU: TLBs are a CPU's own. */
#define VMX_VPID 1

/* What this CPU's guest does between two exits. */
enum vmx_phase {
	PHASE_RUNS,
	PHASE_PARKED,
	PHASE_WAITS_FOR_SIPI,
};

/* One CPU's own; lies in struct percpu. */
struct vmx_cpu {
	struct vmx_fast fast; /* first: fast_path.S knows its place */
	/* A kick is expected: the preemption timer runs, so many TSC ticks in the guest. 0: it does not. */
	u32 kick_patience;
	enum vmx_phase phase;
	u32 *accesses; /* count.h; NULL in a build that does not count */
	u64 eptp;
	/* An NMI waits: virtual NMIs and NMI-window exiting are on until it can be injected. */
	bool nmi_waits;
};

_Static_assert(sizeof(struct vmx_cpu) <= sizeof(((struct percpu *)0)->vendor), "outgrew its place");
_Static_assert(offsetof(struct vmx_cpu, fast) == 0 &&
		       offsetof(struct vmx_cpu, kick_patience) == VMX_CPU_KICK_PATIENCE,
	       "fast_path.S looks at it");

static inline struct vmx_cpu *vmx_cpu(struct percpu *cpu)
{
	return (struct vmx_cpu *)cpu->vendor;
}

/* capabilities.c: what this processor can do and Keel therefore asks for; constant after init. */
struct vmx_capabilities {
	u32 revision;				  /* of VMXON region and VMCS */
	u32 pin, primary, secondary, exit, entry; /* VMX controls as they stand in the VMCS */
	unsigned long cr0_fixed0, cr4_fixed0;	  /* bits that must be 1 in root operation */
	unsigned long cr0_fixed1, cr4_fixed1;	  /* bits that may be 1 */
	unsigned long cr0_forced;		  /* bits that must be 1 in the guest too */
	unsigned long cr0_owned, cr4_owned;	  /* the guest's bits that are behind a mask */
	bool ept_2m, ept_1g;
	bool invept_single;
	bool invvpid_single;
	bool wait_for_sipi;
	bool timer;	/* VMX-preemption timer */
	u8 timer_shift; /* TSC ticks to its own */
};

extern struct vmx_capabilities vmx_caps;

/* Fills @caps. 0, or -ENODEV with *@why as backend->init(). */
int vmx_read_capabilities(struct vmx_capabilities *caps, const char **why);

/* Is what vmx_caps says true of this CPU too? 0, or -ENODEV with *@why as backend->cpu_on(). */
int vmx_check_capabilities(const char **why);

/* Lets VMXON work on this CPU (IA32_FEATURE_CONTROL). 0, or -ENODEV with *@why. */
int vmx_unlock(const char **why);

/* control.c */
int vmx_cpu_on(struct percpu *cpu, const char **why);
void vmx_set_host_state(struct percpu *cpu);

/* guest_state.c: what INIT leaves alone gets its first value. */
void vmx_init_kept_state(void);
/* As in struct backend. */
void vmx_reset_state(struct percpu *cpu, hpa_t nested_root);
void vmx_start_flat(struct percpu *cpu, const struct guest_start *start);
void vmx_start_sipi(struct percpu *cpu, u8 vector);
void vmx_park(struct percpu *cpu);
void vmx_wait_for_sipi(struct percpu *cpu);
void vmx_get_state(struct percpu *cpu, struct guest_state *state);
void vmx_set_rflags(struct percpu *cpu, u64 rflags);
/* After an exit that may have woken a parked CPU. */
void vmx_stay_parked(void);
/* Writes the pin-based controls that struct vmx_cpu calls for. */
void vmx_set_pin_controls(struct percpu *cpu);

/* CR0 and CR4 as the guest sees them. */
unsigned long vmx_guest_cr0(void);
unsigned long vmx_guest_cr4(void);
/* Does the guest execute 64-bit code? */
bool vmx_guest_in_64bit_code(void);

/* cr.c: as in struct backend. */
bool vmx_set_cr0(struct percpu *cpu, u64 value, const u64 *pdptes);
bool vmx_set_cr4(struct percpu *cpu, u64 value, const u64 *pdptes);

/* task.c: as in struct backend. */
void vmx_switch_task(struct percpu *cpu, const struct exit_info *info);

/* cpuid.c: as in struct backend. */
void vmx_fix_cpuid(struct percpu *cpu, u32 leaf, u32 subleaf, struct cpuid *out);
/* The bit of CR4 that @leaf shows in ECX, and where; 0 if there is none. */
void vmx_cpuid_mirror(u32 leaf, u32 *cr4, u32 *ecx);
/* Does what @leaf shows depend on the mode that the guest is in? */
bool vmx_cpuid_follows_mode(u32 leaf);

/* ept.c: four levels translate this many bits of a GPA. */
#define EPT_ADDRESS_BITS 48
#define EPT_WRITE	 BIT64(1)
extern struct pt_format vmx_ept_format;
u64 vmx_ept_attrs(enum mem_type type);
u64 vmx_eptp(hpa_t root);
void vmx_flush(struct percpu *cpu);
/* Forgets what the TLB holds of the guest's own page tables. */
void vmx_flush_linear(void);

/* msr.c */
#ifdef CONFIG_MSR_MAP
#define VMX_MSR_RULES (7 - GUEST_LONG_MODE)
#else
#define VMX_MSR_RULES 11
#endif
extern const struct msr_rule vmx_msr_rules[];

/* bitmap.c: allocates the bitmaps that all CPUs share (-ENOMEM), opens them all, and traps. */
int vmx_bitmaps_init(void);
void vmx_bitmaps_use(void);
void vmx_trap_msr(u32 msr, u8 trap);
void vmx_trap_ports(u16 first, u16 count);
/* Of the MSRs below FAST_MSRS, a bit for each whose writes Keel looks at. */
const u8 *vmx_own_msrs(void);

/* event.c: as in struct backend. */
void vmx_skip(struct percpu *cpu);
void vmx_skip_bytes(struct percpu *cpu, u8 length);
void vmx_inject(struct percpu *cpu, u8 vector, u32 error);

/* count.c: as in struct backend. */
u32 vmx_accesses(struct percpu *cpu, u32 field, bool write);

/* error.c: VM-instruction error numbers and failed VM entries in words. */
const char *vmx_instruction_error(u32 number);
const char *vmx_entry_failure(u32 basic_reason);

/* run.S: enters the guest by @cpu's VMCS, for good. */
_Noreturn void vmx_enter(struct percpu *cpu);
/* run.S: where every VM exit arrives. */
void vmx_exit_entry(void);
/* run.S: an NMI that arrives at an address in [start, end) has to go on at restart. */
extern const u8 vmx_entry_window_start[], vmx_entry_window_end[], vmx_entry_restart[];

#endif
