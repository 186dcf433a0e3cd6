/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one CPU under Keel owns. It lies at the top of that CPU's stack, so that it is found from
 * the stack pointer alone: on SVM the segment and syscall registers stay the guest's
 * (docs/exits.md).
 */
#ifndef KEEL_PERCPU_H
#define KEEL_PERCPU_H

/* Known to assembly too; checked below. */
#define CPU_AREA_SHIFT	   14
#define CPU_AREA_SIZE	   (1 << CPU_AREA_SHIFT)
#define PERCPU_SIZE	   2048
#define PERCPU_NMI_PENDING GUEST_REGS_SIZE
#define PERCPU_VENDOR	   (GUEST_REGS_SIZE + 32)
#define PERCPU_COUNTS	   (PERCPU_VENDOR + 1024)
#define PERCPU_NEXT	   (PERCPU_COUNTS + LONG_BYTES)
#define PERCPU_PASSAGE	   (PERCPU_NEXT + LONG_BYTES)

#include "mode/mode.h"

#ifndef __ASSEMBLER__

#include <keel/abi.h>
#include <keel/apic_place.h>
#include <keel/bits.h>
#include <keel/types.h>

/* In percpu.kick_in_flight: the interrupt has left its sender. */
#define KICK_SENT BIT(31)

/* The exit that is being handled, for panics. */
struct last_exit {
	u32 reason; /* enum exit_reason */
	u32 raw;    /* the vendor's number */
	u64 qualification;
};

struct percpu {
	/* General registers of the guest while Keel runs. First: the stack begins right below. */
	struct guest_regs regs;
	/* NMIs for the guest that have not been injected yet. */
	u32 nmi_pending;
	/* A kick is under way: the next entry is to see to it that it arrives (vmx/event.c). */
	u32 kick_coming;
	u32 index;
	u32 apic_id;
	u32 guest_started;
	u32 dumping;	 /* in a panic */
	u32 was_started; /* by a SIPI of the guest's */
	/* The backend's own: struct vmx_cpu or struct svm_cpu. */
	_Alignas(16) u8 vendor[1024];
	struct keel_cpu *counts; /* vmm/account.c; NULL before the guest's CPUs are known */
	struct percpu *next;	 /* the CPU that this one watches: the next, the last one the first */
	/* Odd while this CPU is in Keel; goes up by one at each exit and entry (vmm/watchdog.c). */
	u32 passage;
	struct last_exit last;

	/* The guest's IA32_APIC_BASE on this CPU, and where its APIC is to be found by others. */
	u64 apic_base;
	struct apic_place place;
	u64 window_pa;	      /* mm/host_map.c */
	u64 stray_kick_until; /* TSC; cpu_start.c, kick_trial.c */

	/* Written by other CPUs, with atomics. */
	u32 startup;	    /* INIT and SIPI: a word of lib/startup.h */
	u32 requests;	    /* REQUEST_*, vmm/kick.c */
	u32 kick_in_flight; /* a kick that has not arrived: its sender's index + 1, KICK_SENT */
	u32 held;	    /* the stop that this CPU obeys, vmm/kick.c */
	u32 stopped;	    /* for good, by a panic of another CPU's */

	u32 watched_passage; /* of the next one's, vmm/watchdog.c */
	u32 watched_strikes;
	u64 watched_since; /* TSC */
};

_Static_assert(sizeof(struct percpu) <= PERCPU_SIZE, "percpu outgrew its place");
_Static_assert(offsetof(struct percpu, regs) == 0, "run.S spills the registers at the base");
_Static_assert(sizeof(struct guest_regs) == GUEST_REGS_SIZE, "run.S knows the frame");
_Static_assert(offsetof(struct percpu, nmi_pending) == PERCPU_NMI_PENDING, "run.S tests it");
_Static_assert(offsetof(struct percpu, kick_coming) == PERCPU_NMI_PENDING + 4 &&
		       PERCPU_NMI_PENDING % 8 == 0,
	       "vmx/run.S tests both at once");
_Static_assert(offsetof(struct percpu, vendor) == PERCPU_VENDOR, "run.S reads its first word");
_Static_assert(sizeof(long) == LONG_BYTES && offsetof(struct percpu, counts) == PERCPU_COUNTS &&
		       offsetof(struct percpu, next) == PERCPU_NEXT &&
		       offsetof(struct percpu, passage) == PERCPU_PASSAGE,
	       "vmx/fast_path.S counts");

struct cpu_area {
	_Alignas(CPU_AREA_SIZE) u8 stack[CPU_AREA_SIZE - PERCPU_SIZE];
	struct percpu cpu;
	u8 pad[PERCPU_SIZE - sizeof(struct percpu)];
};

_Static_assert(sizeof(struct cpu_area) == CPU_AREA_SIZE, "one area");

/* The CPU that runs this. */
static inline struct percpu *this_cpu(void)
{
	unsigned long sp = (unsigned long)__builtin_frame_address(0);

	return &((struct cpu_area *)(uintptr_t)align_down(sp, CPU_AREA_SIZE))->cpu;
}

#endif
#endif
