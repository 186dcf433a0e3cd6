/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware task switches: by call, jump, IRET, task gates for INT, #UD and #DF; with CR3 and without. With "ss" or
 * "pdpte" out of virtual-8086 mode into a task that has a null SS, or page-directory pointers with reserved bits:
 * the machine ends by a triple fault.
 */
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/paging.h"
#include "lib/trap.h"

const char payload_name[] = "task";

#ifndef __x86_64__

#define FLAGS_NT BIT(14)
#define TSS_AVAILABLE 0x89u
#define TSS_BUSY 0x8bu
#define TSS16_BUSY 0x83u
#define TSS16_SIZE 44
#define TASK_GATE 0x8500u
#define TASK_GATE_CPL3 0xe500u
#define PTE_USER 4
#define PDPTE_RESERVED 2
#define V86_CODE 0x8000u /* nobody's page below 1 MiB */
#define V86_STACK 0x100
#define FLAGS_V86 (BIT(17) | 3u << 12) /* VM, IOPL = 3 */
#define VEC_DF 8
#define VEC_TS 10
#define VEC_TASK 0x4e
#define ROUNDS 100u
#define PROBE ((volatile u32 *)0x80000000)

struct tss {
	u32 link, stacks[6];
	u32 cr3, eip, eflags, regs[8], segments[6], ldt, trap_iomap;
};

struct table {
	u16 limit;
	u32 base;
} __attribute__((packed));

/* What the other task saw, and where it sends the one that it interrupted. */
volatile u32 task_runs, task_flags, task_tr, task_cr0, task_probe, task_error, task_resume;
extern const char task_call[], task_jump[], task_fault[], task_fault_code[], task_end[];
const struct {
	u16 limit;
	u32 base;
} __attribute__((packed)) task_no_idt = { 0, 0 };

static struct tss task_tss, second_tss;
volatile struct tss *main_tss;
static u32 stack[1024];
static u64 table[256];
static u32 task_selector;
struct {
	u32 offset;
	u16 selector;
} __attribute__((packed)) far_task, far_main;

asm("	.text\n"
    "see:	pushf\n"
    "	pop task_flags\n"
    "	str task_tr\n"
    "	mov %cr0, %eax\n"
    "	mov %eax, task_cr0\n"
    "	incl task_runs\n"
    "	clts\n"
    "	ret\n"
    "task_call:\n"
    "	call see\n"
    "	iret\n"
    "	jmp task_call\n"
    "task_jump:\n"
    "	call see\n"
    "	ljmp *far_main\n"
    "	jmp task_jump\n"
    /* As a handler: sends the interrupted task elsewhere. */
    "task_fault_code:\n"
    "	pop task_error\n"
    "task_fault:\n"
    "	call see\n"
    "	mov main_tss, %ebx\n"
    "	mov task_resume, %eax\n"
    "	mov %eax, 32(%ebx)\n"
    "	iret\n"
    /* Whatever the data segments are. */
    "task_end:\n"
    "	lidt %cs:task_no_idt\n"
    "	ud2\n");

static u64 *idt_entry(u32 vector)
{
	struct table idt;

	asm volatile("sidt %0" : "=m"(idt));
	return (u64 *)idt.base + vector;
}

static u32 type_of(u32 selector)
{
	return (u32)(table[selector / 8] >> 40) & 0xff;
}

static u64 tss_descriptor(u32 base)
{
	return 0x67 | (u64)(base & 0xffffff) << 16 | (u64)TSS_AVAILABLE << 40 |
	       (u64)(base >> 24) << 56;
}

/* The other task begins anew at @entry. */
static void new_task(const char *entry)
{
	task_tss = (struct tss){
		.cr3 = read_cr3(),
		.eip = (u32)entry,
		.eflags = 2,
		.regs = { [4] = (u32)(stack + ARRAY_SIZE(stack)) },
		.segments = { SEL_DATA, SEL_CODE32, SEL_DATA, SEL_DATA, SEL_DATA, SEL_DATA },
		.trap_iomap = 104 << 16,
	};
	table[task_selector / 8] = tss_descriptor((u32)&task_tss);
	task_runs = 0;
}

/* A GDT of our own: the payload's, and the other task. */
static void make_tables(void)
{
	struct table gdt;
	u64 *old;

	asm volatile("sgdt %0" : "=m"(gdt));
	old = (u64 *)gdt.base;
	memcpy(table, old, gdt.limit + 1u);
	task_selector = gdt.limit + 1u;
	gdt = (struct table){ task_selector + 15, (u32)table };
	asm volatile("lgdt %0" : : "m"(gdt));
	far_task.selector = task_selector;
	far_main.selector = SEL_TSS;
	main_tss = (void *)(u32)((table[SEL_TSS / 8] >> 16 & 0xffffff) |
				 (table[SEL_TSS / 8] >> 56) << 24);
}

static void check_task(u32 runs, bool nested, const char *how)
{
	u32 tr;

	asm volatile("str %0" : "=r"(tr));
	check_eq(task_runs, runs, "runs of the task by %s", how);
	check_eq(task_tr, task_selector, "the task's TR by %s", how);
	check_eq(!(task_flags & FLAGS_NT), !nested, "NT in the task by %s", how);
	check(task_cr0 & CR0_TS, "TS in the task by %s", how);
	check(read_cr0() & CR0_TS, "TS afterwards by %s", how);
	asm volatile("clts");
	check_eq(tr & 0xffff, SEL_TSS, "TR afterwards by %s", how);
	check_eq(type_of(SEL_TSS), TSS_BUSY, "this task is busy after %s", how);
	check_eq(type_of(task_selector), TSS_AVAILABLE, "the other is not after %s", how);
}

/* The instruction must leave all registers but flags as they are. */
#define SWITCH(insn)                                                                               \
	do {                                                                                       \
		u32 b = 0x11111111, s = 0x22222222, d = 0x33333333, a = 0x44444444;                \
		asm volatile(insn : "+b"(b), "+S"(s), "+D"(d), "+a"(a) :                          \
			     : "ecx", "edx", "memory", "cc");                                      \
		kept += b == 0x11111111 && s == 0x22222222 && d == 0x33333333 && a == 0x44444444;  \
	} while (0)

static void by_call(void)
{
	u32 kept = 0;

	new_task(task_call);
	for (u32 i = 0; i < ROUNDS; i++)
		SWITCH("lcall *far_task");
	check_task(ROUNDS, true, "call");
	check_eq(kept, ROUNDS, "registers kept over calls");
	check_eq(task_tss.link & 0xffff, SEL_TSS, "the link of a called task");
}

static void by_jump(void)
{
	u32 kept = 0;

	new_task(task_jump);
	for (u32 i = 0; i < ROUNDS; i++)
		SWITCH("ljmp *far_task");
	check_task(ROUNDS, false, "jump");
	check_eq(kept, ROUNDS, "registers kept over jumps");
}

static void by_interrupt(void)
{
	u64 *gate = idt_entry(VEC_TASK), old = *gate;
	u32 kept = 0;

	new_task(task_call);
	*gate = (u64)TASK_GATE << 32 | task_selector << 16;
	for (u32 i = 0; i < ROUNDS; i++)
		SWITCH("int $0x4e");
	check_task(ROUNDS, true, "INT");
	check_eq(kept, ROUNDS, "registers kept over interrupts");
	*gate = old;
}

/* A fault comes back to where it struck, unless the handler says otherwise. */
static void by_fault(void)
{
	u64 *gate = idt_entry(VEC_UD), old = *gate;
	u32 kept = 0;

	new_task(task_fault);
	*gate = (u64)TASK_GATE << 32 | task_selector << 16;
	SWITCH("movl $1f, task_resume\n\tud2\n1:");
	check_task(1, true, "#UD");
	check_eq(kept, 1, "registers kept over a fault");
	*gate = old;
}

/* #GP cannot be delivered, nor can #NP: the double fault has an error code. */
static void by_double_fault(void)
{
	u64 *df = idt_entry(VEC_DF), *gp = idt_entry(VEC_GP), old_df = *df, old_gp = *gp;
	u32 kept = 0;

	new_task(task_fault_code);
	task_error = ~0u;
	*df = (u64)TASK_GATE << 32 | task_selector << 16;
	*gp &= ~(1ULL << 47);
	SWITCH("movl $1f, task_resume\n\tmov %%ds, %%ecx\n\tmov $0xfff8, %%edx\n\tmov %%edx, %%ds\n"
	       "1:\tmov %%ecx, %%ds");
	*df = old_df;
	*gp = old_gp;
	check_task(1, true, "#DF");
	check_eq(task_error, 0, "the double fault's error code");
	check_eq(kept, 1, "registers kept over a double fault");
}

static void without_task(void)
{
	u32 vector;

	table[task_selector / 8] = 0;
	vector = TRY("lcall *far_task", : : : "memory", "cc");
	check_eq(vector, VEC_GP, "a call to no task is #GP");
}

/* Another address space; with PAE its four pointers come from the new CR3. */
static void with_cr3(void)
{
	static u64 pdpt[4] __attribute__((aligned(32)));
	static u64 pd[512] __attribute__((aligned(4096)));

	memcpy(pdpt, pdpt_pae, sizeof(pdpt));
	for (u32 i = 0; i < 512; i++)
		pd[i] = 0x83 | 0x5000000;
	pdpt[2] = (u32)pd | 1;
	*(volatile u32 *)0x5000000 = 0x600dd00d;
	pae_on();
	new_task(task_call);
	task_tss.cr3 = (u32)pdpt;
	asm volatile("lcall *far_task" : : : "memory", "cc", "eax");
	check_eq(read_cr3(), (u32)pdpt_pae, "CR3 afterwards");
	new_task(task_jump);
	task_tss.cr3 = (u32)pdpt;
	main_tss->cr3 = (u32)pdpt;
	asm volatile("ljmp *far_task" : : : "memory", "cc", "eax");
	check_eq(read_cr3(), (u32)pdpt, "CR3 that this task's TSS has");
	check_eq(*PROBE, 0x600dd00d, "the new PDPTEs are in force");
	pae_off();
	asm volatile("clts");
}

/* Keel saves no task in a TSS of 16 bits, and writes to none: there the switch is #TS. */
static void out_of_small_tss(void)
{
	static u8 small[sizeof(struct tss)];
	u64 *main = &table[SEL_TSS / 8], old = *main;
	u32 vector, changed = 0;

	if (!under_keel || !is_intel)
		return;
	new_task(task_call);
	memset(small, 0x5a, sizeof(small));
	*main = (tss_descriptor((u32)small) & ~(0xffULL << 40 | 0xffff)) |
		(u64)(TSS16_BUSY & ~2u) << 40 | (TSS16_SIZE - 1);
	asm volatile("ltr %w0" : : "r"(SEL_TSS) : "memory");
	vector = TRY("lcall *far_task", : : : "memory", "cc");
	for (u32 i = TSS16_SIZE; i < sizeof(small); i++)
		changed += small[i] != 0x5a;
	check_eq(vector, VEC_TS, "a switch out of a 16-bit task is #TS");
	check_eq(changed, 0, "bytes behind a 16-bit TSS that changed");
	*main = old & ~(2ULL << 40);
	asm volatile("ltr %w0" : : "r"(SEL_TSS) : "memory");
}

/* Virtual-8086 code that calls the second task by INT. */
static void make_v86_task(void)
{
	static const u8 code[] = { 0xcd, VEC_TASK };

	memcpy((void *)V86_CODE, code, sizeof(code));
	new_task(NULL);
	task_tss.eflags |= FLAGS_V86;
	task_tss.regs[4] = V86_STACK;
	for (u32 i = 0; i < ARRAY_SIZE(task_tss.segments); i++)
		task_tss.segments[i] = V86_CODE >> 4;
	second_tss = (struct tss){
		.cr3 = task_tss.cr3,
		.eip = (u32)task_end,
		.eflags = 2,
		.regs = { [4] = (u32)(stack + ARRAY_SIZE(stack)) },
		.segments = { SEL_DATA, SEL_CODE32, SEL_DATA, SEL_DATA, SEL_DATA, SEL_DATA },
		.trap_iomap = 104 << 16,
	};
	table[task_selector / 8 + 1] = tss_descriptor((u32)&second_tss);
	*idt_entry(VEC_TASK) = (u64)TASK_GATE_CPL3 << 32 | (task_selector + 8) << 16;
}

static void user_identity_map(void)
{
	pd_table[0] |= PTE_USER;
	pae_on();
}

/* Each fault of the second task's ends the run. */
static void out_of_v86(void)
{
	static const u32 faults[] = { VEC_DF, VEC_TS, VEC_GP, VEC_PF };
	static u64 pdpt[4] __attribute__((aligned(32)));

	printf("ENDING by a task that cannot be\n");
	console_flush();
	if (option("pdpte"))
		user_identity_map();
	make_v86_task();
	for (u32 i = 0; i < ARRAY_SIZE(faults); i++) {
		u64 *gate = idt_entry(faults[i]);

		*gate = (*gate & 0x0000ffffffff0000) | ((u32)task_end & 0xffff) |
			(u64)((u32)task_end >> 16) << 48;
	}
	if (option("pdpte")) {
		memcpy(pdpt, pdpt_pae, sizeof(pdpt));
		pdpt[0] |= PDPTE_RESERVED;
		second_tss.cr3 = (u32)pdpt;
	} else {
		second_tss.segments[2] = 0;
	}
	asm volatile("ljmp *far_task" : : : "memory", "cc");
	check(false, "a task that cannot be ends the run");
}

void payload(void)
{
	make_tables();
	if (option("ss") || option("pdpte")) {
		out_of_v86();
		return;
	}
	main_tss->cr3 = (u32)pdpt_pae;
	by_call();
	by_jump();
	by_interrupt();
	by_fault();
	by_double_fault();
	with_cr3();
	out_of_small_tss();
	without_task();
}

#else

void payload(void)
{
	static const struct {
		u64 offset;
		u16 selector;
	} tss = { 0, SEL_TSS };
	u32 vector = TRY("rex.w lcall *%0", : : "m"(tss) : "memory", "cc");

	check_eq(vector, VEC_GP, "in 64-bit mode a call to a TSS faults");
}

#endif
