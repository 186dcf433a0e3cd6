/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest can ask Keel, and what Keel shows: the only header shared with keelctl/ and tests/.
 *
 * A call is VMCALL (Intel) or VMMCALL (AMD) with EAX = KEEL_HC_SIGNATURE and ECX = function, at
 * CPL 0, KEEL_HC_PING at any CPL. Without the signature the instruction is not Keel's.
 */
#ifndef KEEL_ABI_H
#define KEEL_ABI_H

#define KEEL_ABI_VERSION       3

#define KEEL_HC_SIGNATURE      0x4b45454c  /* "KEEL" */
#define KEEL_HC_ANSWER	       0x6c65656bu /* "keel" */
#define KEEL_HC_UNKNOWN	       0xffffffffu /* EAX for a function that does not exist */

/* Out: EAX = KEEL_HC_ANSWER, EBX = KEEL_ABI_VERSION, ECX = CPU index, EDX = KEEL_BACKEND_*. */
#define KEEL_HC_PING	       0
/* Out: EAX, EBX = low and high half of the GPA of Keel's hidden memory, ECX = its size in bytes. */
#define KEEL_HC_REGION	       1
/*
 * In: EDX = neutral exit reason or KEEL_EXITS_ALL, EBX = CPU index + 1, 0 for the sum of all CPUs.
 * Out: EAX, EBX = low and high half of the count.
 */
#define KEEL_HC_EXITS	       2
/*
 * Out: EAX = CPUs under Keel, EBX = CPUs that are parked for good, ECX = KEEL_START_*,
 * EDX = bit n set for index n < 32: that CPU runs guest code.
 */
#define KEEL_HC_CPUS	       3
/*
 * Pulls every other CPU into Keel and lets all go on, with their TLBs forgotten: what a change of
 * the nested page table does. Out: EAX = CPUs that were pulled in.
 */
#define KEEL_HC_SYNC	       4
/* Only in a build with CONFIG_TEST_HOOKS. In: EDX = KEEL_TEST_*. */
#define KEEL_HC_TEST	       5

/*
 * Only from Keel's own code that starts a boot sector (boot/bios_stub.S): it cannot. In: EDX = BIOS
 * drive number + KEEL_BOOT_* << 8. Keel says so and halts.
 */
#define KEEL_HC_BOOT_FAILED    6

#define KEEL_BOOT_UNREADABLE   1
#define KEEL_BOOT_NO_SIGNATURE 2
#define KEEL_BOOT_TRUNCATED    3

/*
 * Out: EAX, EBX = low and high half of the GPA of the table KEEL, ECX = bytes from there on, in whole
 * pages, that the guest can read; all 0 if there is none. They lie in the hidden memory.
 */
#define KEEL_HC_TABLE	       7

/*
 * Only in a build with CONFIG_COUNT_VMCS. In: EDX = a VMCS field's encoding, with KEEL_VMCS_WRITES for
 * VMWRITEs. Out: EAX = how often Keel has read it, or written, on this CPU.
 */
#define KEEL_HC_VMCS	       8
#define KEEL_VMCS_WRITES       0x80000000u

#define KEEL_EXITS_ALL	       0xffffffffu

#define KEEL_TEST_PANIC	       0 /* Keel panics */
#define KEEL_TEST_HANG	       1 /* Keel never leaves this exit */

/* How the guest's CPUs are started. */
#define KEEL_START_SINGLE      0 /* there is one CPU: nothing is trapped */
#define KEEL_START_WAIT	       1 /* hardware wait-for-SIPI: nothing is trapped */
#define KEEL_START_SAFE	       2 /* INIT and SIPI are emulated: the ICR is trapped for good */
#define KEEL_START_FAST	       3 /* as SAFE until all CPUs run, then nothing is trapped */

#define KEEL_BACKEND_VMX       1
#define KEEL_BACKEND_SVM       2

#ifndef __ASSEMBLER__

/*
 * The ACPI table KEEL: counters that live in the table itself, which the guest can read but not
 * write. A CPU's block is written by that CPU alone, in its exits. Offsets and numbers of things
 * are in the table; a reader needs no more than its own layout number to be the table's.
 */
#define KEEL_TABLE_SIGNATURE "KEEL"
#define KEEL_TABLE_LAYOUT    2

typedef __UINT8_TYPE__ keel_u8;
typedef __UINT32_TYPE__ keel_u32;
typedef __UINT64_TYPE__ keel_u64;

/*
 * A number that changes while it is read. @inverse is ~@value: so the sum of all bytes, the table's
 * checksum, never changes; and who reads two words that do not match reads them again.
 */
struct keel_live {
	keel_u64 value;
	keel_u64 inverse;
};

/* A slot of a hash table: free while its count is 0, for good a key's that has come twice. */
struct keel_tally {
	struct keel_live key;
	struct keel_live count;
};

/* What is counted by value. A key is a number of the vendor's, MSR, leaf, port or address. */
enum keel_tally_kind {
	KEEL_TALLY_RAW,	  /* basic exit reason, EXITCODE */
	KEEL_TALLY_MSR,	  /* RDMSR and WRMSR that exited */
	KEEL_TALLY_CPUID, /* EAX; of 400nnnxxh without nnn */
	KEEL_TALLY_PORT,
	KEEL_TALLY_PAGE,      /* GPA of the page of a nested page fault */
	KEEL_TALLY_HYPERCALL, /* KEEL_HC_SIGNATURE << 32 | ECX, else EAX */
	KEEL_TALLIES
};

enum keel_event {
	KEEL_EVENT_INJECTED,	/* exceptions of Keel's making */
	KEEL_EVENT_REDELIVERED, /* events whose delivery the exit had cut short */
	KEEL_EVENT_NMI,		/* NMIs injected */
	KEEL_EVENT_FLUSH,	/* of what came from the nested table */
	KEEL_EVENT_KICK_SENT,
	KEEL_EVENT_KICK_TAKEN,
	KEEL_EVENTS
};

#define KEEL_NAME_MAX	       16
#define KEEL_TALLIES_MAX       8
#define KEEL_REASONS_MAX       32
#define KEEL_EVENTS_MAX	       8
#define KEEL_TALLY_SLOTS       176 /* of all kinds; a kind's first slot and their number: keel_table */
#define KEEL_OPTIONS_MAX       1024
#define KEEL_FEATURES_MAX      256

/* Bucket n of a histogram has what took 2^n to 2^(n+1) - 1 TSC ticks, the last one all above. */
#define KEEL_HISTOGRAM_BUCKETS 24

struct keel_trace_entry {
	struct keel_live number; /* from 1 on; 0 while the entry is written */
	struct keel_live time;	 /* TSC at the exit */
	struct keel_live reason; /* neutral reason, raw << 32 */
	struct keel_live rip;
	struct keel_live cr3;
	struct keel_live qualification;
	struct keel_live cycles; /* TSC ticks in Keel */
};

/* One CPU's block. */
struct keel_cpu {
	keel_u32 index;
	keel_u32 apic_id;
	struct keel_live traced; /* trace entries ever written: number n is at (n - 1) % entries */
	keel_u8 reserved[8];
	struct keel_live exits[KEEL_REASONS_MAX]; /* by neutral reason */
	struct keel_live events[KEEL_EVENTS_MAX]; /* enum keel_event */
	struct keel_live lost[KEEL_TALLIES_MAX];  /* whose kind had no slot left */
	struct keel_tally tally[KEEL_TALLY_SLOTS];
	/* At histogram_offset: struct keel_live [KEEL_REASONS_MAX][KEEL_HISTOGRAM_BUCKETS]. */
	/* At trace_offset: struct keel_trace_entry [trace_entries]. */
};

/* Keel's own messages: byte n of all that were ever written is at n % size. */
struct keel_log {
	struct keel_live written;
	/* @size bytes of text, then as many of their inverse. */
	keel_u8 bytes[];
};

struct keel_tally_place {
	char name[KEEL_NAME_MAX];
	keel_u32 first;
	keel_u32 slots; /* a power of two; 0 if there is no such kind */
};

struct keel_table {
	char acpi[36]; /* ACPI 6.4, 5.2.6: signature, length, revision, checksum and so on */
	keel_u32 layout;
	keel_u64
		hidden_start; /* GPA of Keel's memory, in which this table is the only thing seen */
	keel_u64 hidden_bytes;
	keel_u64 tsc_per_ms;
	/* From the table's beginning; number of blocks, and of CPUs that the guest does not get. */
	keel_u32 cpu_offset, cpu_stride;
	keel_u32 cpus, parked;
	keel_u32 backend;      /* KEEL_BACKEND_* */
	keel_u32 start_policy; /* KEEL_START_* */
	/* From a CPU's block's beginning; 0: this Keel has none. */
	keel_u32 histogram_offset, trace_offset;
	keel_u32 trace_entries;
	keel_u32 log_offset, log_bytes;
	keel_u32 reserved;
	char version[24];
	char build_id[24];
	char subarch[8];
	char below[16]; /* signature of the hypervisor below, empty without one */
	struct keel_tally_place tally[KEEL_TALLIES_MAX];
	char reason[KEEL_REASONS_MAX][KEEL_NAME_MAX];
	char event[KEEL_EVENTS_MAX][KEEL_NAME_MAX];
	char options[KEEL_OPTIONS_MAX]; /* lines NAME=value, as in .config without CONFIG_ */
	/* What becomes of KVM's paravirtual features, in words; empty if no KVM lies below. */
	char features[KEEL_FEATURES_MAX];
};

_Static_assert(sizeof(struct keel_live) == 16, "layout 2");
_Static_assert(sizeof(struct keel_tally) == 32, "layout 2");
_Static_assert(sizeof(struct keel_trace_entry) == 112, "layout 2");
_Static_assert(__builtin_offsetof(struct keel_cpu, traced) == 8, "layout 2");
_Static_assert(__builtin_offsetof(struct keel_cpu, exits) == 32, "layout 2");
_Static_assert(__builtin_offsetof(struct keel_cpu, events) == 544, "layout 2");
_Static_assert(__builtin_offsetof(struct keel_cpu, tally) == 800, "layout 2");
_Static_assert(sizeof(struct keel_cpu) == 6432, "layout 2");
_Static_assert(__builtin_offsetof(struct keel_table, hidden_start) == 40, "layout 2");
_Static_assert(__builtin_offsetof(struct keel_table, cpu_offset) == 64, "layout 2");
_Static_assert(__builtin_offsetof(struct keel_table, version) == 112, "layout 2");
_Static_assert(__builtin_offsetof(struct keel_table, tally) == 184, "layout 2");
_Static_assert(__builtin_offsetof(struct keel_table, reason) == 376, "layout 2");
_Static_assert(__builtin_offsetof(struct keel_table, options) == 1016, "layout 2");
_Static_assert(__builtin_offsetof(struct keel_table, features) == 2040, "layout 2");
_Static_assert(sizeof(struct keel_table) == 2296, "layout 2");

#endif

#endif
