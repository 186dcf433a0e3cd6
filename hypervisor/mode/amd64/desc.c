/* SPDX-License-Identifier: BSD-2-Clause */
/* GDT, TSS and IDT of 64-bit Keel (SDM volume 3, 3.5, 6.14, 7.7). */
#include "mode/desc.h"

#include "lib/string.h"
#include "mode/mode.h"

#define GDT_DATA	   0x00cf92000000ffffull
#define GDT_CODE32	   0x00cf9a000000ffffull
#define GDT_CODE64	   0x00af9a000000ffffull
#define GDT_TSS_AVAILABLE  0x0000890000000000ull
#define IDT_INTERRUPT_GATE 0x8e00u
#define ISR_STUB_SIZE	   16
#define EXCEPTIONS	   32
#define VECTORS		   256
#define NMI_VECTOR	   2

struct idt_gate {
	u16 offset_low;
	u16 selector;
	u16 flags;
	u16 offset_mid;
	u32 offset_high;
	u32 reserved;
};

/* No stacks are switched to and no ports are opened: the TSS only has to exist (VMX host state). */
struct tss {
	u32 reserved;
	u64 rsp[3];
	u64 ist[8];
	u32 reserved2[3];
	u16 reserved3;
	u16 iomap_base;
} __attribute__((packed));

extern const u8 isr_stubs[], isr_interrupt[];

static u64 gdt[6];
static struct tss tss;
static struct idt_gate idt[VECTORS];
/* For the moments in which external interrupts are let in: they may have an exception's number. */
static struct idt_gate drop_idt[VECTORS];

static void build_gdt(void)
{
	u64 base = (u64)&tss;
	u64 limit = sizeof(tss) - 1;

	gdt[SEL_CODE32 / 8] = GDT_CODE32;
	gdt[SEL_DATA / 8] = GDT_DATA;
	gdt[SEL_CODE / 8] = GDT_CODE64;
	gdt[SEL_TSS / 8] =
		GDT_TSS_AVAILABLE | limit | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
	gdt[SEL_TSS / 8 + 1] = base >> 32;
	tss.iomap_base = sizeof(tss);
}

static struct idt_gate gate_to(u64 stub)
{
	return (struct idt_gate){
		.offset_low = (u16)stub,
		.selector = SEL_CODE,
		.flags = IDT_INTERRUPT_GATE,
		.offset_mid = (u16)(stub >> 16),
		.offset_high = (u32)(stub >> 32),
	};
}

static void build_idts(void)
{
	for (unsigned int i = 0; i < VECTORS; i++) {
		drop_idt[i] = gate_to((u64)isr_interrupt);
		idt[i] = i < EXCEPTIONS ? gate_to((u64)isr_stubs + i * ISR_STUB_SIZE) : drop_idt[i];
	}
	drop_idt[NMI_VECTOR] = idt[NMI_VECTOR];
}

static void load_idt(const struct idt_gate *table)
{
	struct desc_ptr idtr = {sizeof(idt) - 1, (unsigned long)table};

	__asm__ volatile("lidt %0" : : "m"(idtr));
}

void desc_drop_interrupts(void (*let_in)(void))
{
	load_idt(drop_idt);
	let_in();
	load_idt(idt);
}

void desc_init(void)
{
	build_gdt();
	build_idts();
}

/*
 * TR is not loaded: without stack switches nothing looks at it, and one TSS, which would then be busy,
 * serves as all CPUs' VMX host state.
 */
void desc_load(void)
{
	struct desc_ptr gdtr = {sizeof(gdt) - 1, (unsigned long)gdt};
	struct desc_ptr idtr = {sizeof(idt) - 1, (unsigned long)idt};

	__asm__ volatile("lgdt %0\n\t"
			 "mov %1, %%ds\n\tmov %1, %%es\n\tmov %1, %%ss\n\t"
			 "pushq %2\n\tlea 1f(%%rip), %%rax\n\tpush %%rax\n\tlretq\n"
			 "1:\tlidt %3"
			 :
			 : "m"(gdtr), "r"(SEL_DATA), "i"(SEL_CODE), "m"(idtr)
			 : "rax", "memory");
}

unsigned long desc_gdt_base(void)
{
	return (unsigned long)gdt;
}

unsigned long desc_idt_base(void)
{
	return (unsigned long)idt;
}

unsigned long desc_tss_base(void)
{
	return (unsigned long)&tss;
}
