/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest can ask Keel: the only header shared with tools/ and tests/.
 *
 * A call is VMCALL (Intel) or VMMCALL (AMD) with EAX = KEEL_HC_SIGNATURE and ECX = function, at
 * CPL 0, KEEL_HC_PING at any CPL. Without the signature the instruction is not Keel's.
 */
#ifndef KEEL_ABI_H
#define KEEL_ABI_H

#define KEEL_ABI_VERSION  2

#define KEEL_HC_SIGNATURE 0x4b45454c /* "KEEL" */
#define KEEL_HC_ANSWER	  0x6c65656bu /* "keel" */
#define KEEL_HC_UNKNOWN	  0xffffffffu /* EAX for a function that does not exist */

/* Out: EAX = KEEL_HC_ANSWER, EBX = KEEL_ABI_VERSION, ECX = CPU index, EDX = KEEL_BACKEND_*. */
#define KEEL_HC_PING	  0
/* Out: EAX, EBX = low and high half of the GPA of Keel's hidden memory, ECX = its size in bytes. */
#define KEEL_HC_REGION	  1
/*
 * In: EDX = neutral exit reason or KEEL_EXITS_ALL, EBX = CPU index + 1, 0 for the sum of all CPUs.
 * Out: EAX, EBX = low and high half of the count.
 */
#define KEEL_HC_EXITS	  2
/*
 * Out: EAX = CPUs under Keel, EBX = CPUs that are parked for good, ECX = KEEL_START_*,
 * EDX = bit n set for index n < 32: that CPU runs guest code.
 */
#define KEEL_HC_CPUS	  3
/*
 * Pulls every other CPU into Keel and lets all go on, with their TLBs forgotten: what a change of
 * the nested page table does. Out: EAX = CPUs that were pulled in.
 */
#define KEEL_HC_SYNC	  4
/* Only in a build with CONFIG_TEST_HOOKS. In: EDX = KEEL_TEST_*. */
#define KEEL_HC_TEST	  5

/*
 * Only from Keel's own code that starts a boot sector (boot/bios_stub.S): it cannot. In: EDX = BIOS
 * drive number + KEEL_BOOT_* << 8. Keel says so and halts.
 */
#define KEEL_HC_BOOT_FAILED 6

#define KEEL_BOOT_UNREADABLE   1
#define KEEL_BOOT_NO_SIGNATURE 2
#define KEEL_BOOT_TRUNCATED    3

#define KEEL_EXITS_ALL	  0xffffffffu

#define KEEL_TEST_PANIC	  0 /* Keel panics */
#define KEEL_TEST_HANG	  1 /* Keel never leaves this exit */

/* How the guest's CPUs are started. */
#define KEEL_START_SINGLE 0 /* there is one CPU: nothing is trapped */
#define KEEL_START_WAIT	  1 /* hardware wait-for-SIPI: nothing is trapped */
#define KEEL_START_SAFE	  2 /* INIT and SIPI are emulated: the ICR is trapped for good */
#define KEEL_START_FAST	  3 /* as SAFE until all CPUs run, then nothing is trapped */

#define KEEL_BACKEND_VMX  1
#define KEEL_BACKEND_SVM  2

#endif
