/* SPDX-License-Identifier: BSD-2-Clause */
/* What bios.c and bios_start.S share. */
#ifndef BIOS_H
#define BIOS_H

#define ENTRY_FLAGS 0
#define ENTRY_CS 2
#define ENTRY_DS 4
#define ENTRY_ES 6
#define ENTRY_SS 8
#define ENTRY_ESP 12
#define ENTRY_EDX 16
#define ENTRY_CR0 20
#define ENTRY_SIZE 24

#define BIOS_EAX 0
#define BIOS_EBX 4
#define BIOS_ECX 8
#define BIOS_EDX 12
#define BIOS_ESI 16
#define BIOS_EDI 20
#define BIOS_EBP 24
#define BIOS_DS 28
#define BIOS_ES 30
#define BIOS_FLAGS 32

#ifndef __ASSEMBLER__
#include "lib/guest.h"

struct entry {
	u16 flags, cs, ds, es, ss, unused;
	u32 esp, edx, cr0;
};
extern const struct entry entry;

struct bios {
	u32 eax, ebx, ecx, edx, esi, edi, ebp;
	u16 ds, es, flags;
};

/* INT @number with all of these registers and flags, which are those after it on return. */
void bios_call(u32 number, struct bios *r);

extern const char words[];
extern const u8 sector_start[512];
extern const char ud_handler[];
extern volatile u8 ud_seen;
void bios_main(void);
#endif

#endif
