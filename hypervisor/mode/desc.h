/* SPDX-License-Identifier: BSD-2-Clause */
/* Keel's GDT, TSS and IDT (SDM volume 3, chapters 3, 6 and 7). */
#ifndef KEEL_MODE_DESC_H
#define KEEL_MODE_DESC_H

#include <keel/types.h>

/* What LGDT and LIDT take. */
struct desc_ptr {
	u16 limit;
	unsigned long base;
} __attribute__((packed));

/* Fills the tables that all CPUs share; once, where Keel stays. */
void desc_init(void);

/* Loads Keel's GDT, segments and IDT on this CPU. */
void desc_load(void);

/*
 * Calls @let_in, which lets external interrupts in, with an IDT that loses them whatever their
 * vector; NMIs are handled as ever.
 */
void desc_drop_interrupts(void (*let_in)(void));

/* Bases, for the VMCS host state. */
unsigned long desc_gdt_base(void);
unsigned long desc_idt_base(void);
unsigned long desc_tss_base(void);

#endif
