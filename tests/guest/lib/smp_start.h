/* SPDX-License-Identifier: BSD-2-Clause */
/* What a started CPU finds in its page: smp_start.S stores by these offsets, C reads. */
#ifndef SMP_START_H
#define SMP_START_H

#define START_LOCK 0x7fc /* 0 while a CPU is between its start and its own stack */
#define START_STATE 0x800
#define START_WORD(n) (START_STATE + 4 * (n))

/* The words of the state, in this order. */
#define START_EAX 0
#define START_EBX 1
#define START_ECX 2
#define START_EDX 3
#define START_ESI 4
#define START_EDI 5
#define START_EBP 6
#define START_ESP 7
#define START_FLAGS 8
#define START_CR0 9
#define START_CR2 10
#define START_CR3 11
#define START_CR4 12
#define START_DR0 13
#define START_DR1 14
#define START_DR2 15
#define START_DR3 16
#define START_DR6 17
#define START_DR7 18
#define START_CS 19
#define START_DS 20
#define START_ES 21
#define START_FS 22
#define START_GS 23
#define START_SS 24
#define START_GDT_LIMIT 25
#define START_GDT_BASE 26
#define START_IDT_LIMIT 27
#define START_IDT_BASE 28
#define START_EFER 29
#define START_FS_BASE 30
#define START_GS_BASE 31
#define START_LDTR 32
#define START_TR 33
#define START_HIGH 34 /* all of R8 to R15, ORed */
#define START_WORDS 35

#endif
