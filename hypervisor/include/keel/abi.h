/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest can ask Keel: the only header shared with tools/ and tests/.
 *
 * A call is VMCALL (Intel) or VMMCALL (AMD) at CPL 0 with EAX = KEEL_HC_SIGNATURE and
 * ECX = function. Without the signature the instruction is not Keel's.
 */
#ifndef KEEL_ABI_H
#define KEEL_ABI_H

#define KEEL_ABI_VERSION  1

#define KEEL_HC_SIGNATURE 0x4b45454cu /* "KEEL" */
#define KEEL_HC_ANSWER	  0x6c65656bu /* "keel" */
#define KEEL_HC_UNKNOWN	  0xffffffffu /* EAX for a function that does not exist */

/* Out: EAX = KEEL_HC_ANSWER, EBX = KEEL_ABI_VERSION, ECX = CPU index, EDX = KEEL_BACKEND_*. */
#define KEEL_HC_PING	  0
/* Out: EAX, EBX = low and high half of the GPA of Keel's hidden memory, ECX = its size in bytes. */
#define KEEL_HC_REGION	  1
/*
 * In: EDX = neutral exit reason or KEEL_EXITS_ALL. Out: EAX, EBX = low and high half of the count.
 */
#define KEEL_HC_EXITS	  2

#define KEEL_EXITS_ALL	  0xffffffffu

#define KEEL_BACKEND_VMX  1
#define KEEL_BACKEND_SVM  2

#endif
