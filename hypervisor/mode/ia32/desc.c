/* SPDX-License-Identifier: BSD-2-Clause */
/* GDT, TSS and IDT of 32-bit Keel (SDM volume 3, 3.5, 6.11, 7.2.1). */
#include "mode/desc.h"

#include "mode/mode.h"

#define GDT_DATA	   0x00cf92000000ffffull
#define GDT_CODE32	   0x00cf9a000000ffffull
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
	u16 offset_high;
};

/* No stacks are switched to and no ports are opened: the TSS only has to exist (VMX host state). */
struct tss {
	u32 state[25];
	u16 debug;
	u16 iomap_base;
};

_Static_assert(sizeof(struct tss) == 104, "SDM volume 3, figure 7-2");

extern const u8 isr_stubs[], isr_interrupt[];

static u64 gdt[4];
static struct tss tss;
static struct idt_gate idt[VECTORS];
/* For the moments in which external interrupts are let in: they may have an exception's number. */
static struct idt_gate drop_idt[VECTORS];

static void build_gdt(void)
{
	u64 base = (u32)&tss;
	u64 limit = sizeof(tss) - 1;

	gdt[SEL_DATA / 8] = GDT_DATA;
	gdt[SEL_CODE / 8] = GDT_CODE32;
	gdt[SEL_TSS / 8] = GDT_TSS_AVAILABLE | limit | (base & 0xffffff) << 16 | (base >> 24) << 56;
	tss.iomap_base = sizeof(tss);
}

static struct idt_gate gate_to(u32 stub)
{
	return (struct idt_gate){
		.offset_low = (u16)stub,
		.selector = SEL_CODE,
		.flags = IDT_INTERRUPT_GATE,
		.offset_high = (u16)(stub >> 16),
	};
}

static void build_idts(void)
{
	for (u32 i = 0; i < VECTORS; i++) {
		drop_idt[i] = gate_to((u32)isr_interrupt);
		idt[i] = i < EXCEPTIONS ? gate_to((u32)isr_stubs + i * ISR_STUB_SIZE) : drop_idt[i];
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
 * serves as all CPUs' VMX host state. The far return goes to the instruction behind the call.
 */
void desc_load(void)
{
	struct desc_ptr gdtr = {sizeof(gdt) - 1, (unsigned long)gdt};

	__asm__ volatile("lgdt %0\n\t"
			 "mov %1, %%ds\n\tmov %1, %%es\n\tmov %1, %%ss\n\t"
			 "mov %1, %%fs\n\tmov %1, %%gs\n\t"
			 "push %2\n\tcall 1f\n\tjmp 2f\n1:\tlret\n2:"
			 :
			 : "m"(gdtr), "r"(SEL_DATA), "i"(SEL_CODE)
			 : "memory");
	load_idt(idt);
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
