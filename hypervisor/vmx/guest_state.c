/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest-state area of the VMCS (SDM 25.4). */
#include "cpu/msr.h"
#include "cpu/regs.h"
#include "lib/string.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"

#define RESET_EIP	   0xfff0
#define RESET_CS	   0xf000
#define RESET_CS_BASE	   0xffff0000ul
#define RESET_LIMIT	   0xffff
/* A SIPI's vector is a page number: CS:IP = vector << 8:0, as in real mode. */
#define SIPI_CS_SHIFT	   8
#define SIPI_CS_BASE_SHIFT 12

_Static_assert(SIPI_CS_BASE_SHIFT == SIPI_CS_SHIFT + 4, "real mode: base = selector * 16");

static void set_segment(enum vmcs_segment segment, u16 selector, u32 limit, u32 access_rights)
{
	vmcs_write(VMCS_GUEST_SELECTOR(segment), selector);
	vmcs_write(VMCS_GUEST_BASE(segment), 0);
	vmcs_write(VMCS_GUEST_LIMIT(segment), limit);
	vmcs_write(VMCS_GUEST_ACCESS_RIGHTS(segment), access_rights);
}

static void set_data_segments(u16 selector, u32 limit, u32 access_rights)
{
	set_segment(SEGMENT_SS, selector, limit, access_rights);
	set_segment(SEGMENT_DS, selector, limit, access_rights);
	set_segment(SEGMENT_ES, selector, limit, access_rights);
	set_segment(SEGMENT_FS, selector, limit, access_rights);
	set_segment(SEGMENT_GS, selector, limit, access_rights);
}

static void set_table(u32 base_field, u32 limit_field, u32 base, u16 limit)
{
	vmcs_write(base_field, base);
	vmcs_write(limit_field, limit);
}

static void reset_segments(void)
{
	set_segment(SEGMENT_CS, RESET_CS, RESET_LIMIT, ACCESS_RIGHTS_REAL_CODE);
	vmcs_write(VMCS_GUEST_BASE(SEGMENT_CS), RESET_CS_BASE);
	set_data_segments(0, RESET_LIMIT, ACCESS_RIGHTS_REAL_DATA);
	set_segment(SEGMENT_LDTR, 0, RESET_LIMIT, ACCESS_RIGHTS_LDT);
	/* VM entry insists on a busy TSS (27.3.1.2). */
	set_segment(SEGMENT_TR, 0, RESET_LIMIT, ACCESS_RIGHTS_BUSY_TSS);
	set_table(VMCS_GUEST_GDTR_BASE, VMCS_GUEST_GDTR_LIMIT, 0, RESET_LIMIT);
	set_table(VMCS_GUEST_IDTR_BASE, VMCS_GUEST_IDTR_LIMIT, 0, RESET_LIMIT);
}

static void set_cr0(unsigned long cr0)
{
	vmcs_write(VMCS_CR0_SHADOW, cr0);
	vmcs_write(VMCS_GUEST_CR0, cr0 | vmx_caps.cr0_forced);
}

/* INIT leaves CD and NW, which are the guest's in Keel too (cr.c). */
static void reset_control_registers(void)
{
	set_cr0(CR0_ET | (read_cr0() & (CR0_CD | CR0_NW)));
	vmcs_write(VMCS_CR4_SHADOW, 0);
	vmcs_write(VMCS_GUEST_CR4, vmx_caps.cr4_fixed0);
	vmcs_write(VMCS_GUEST_CR3, 0);
	__asm__ volatile("mov %0, %%cr2" : : "r"(0ul));
	/* Entered without paging, so LME and LMA must be 0, whatever Keel's own are. */
	vmcs_write64(VMCS_GUEST_IA32_EFER, 0);
	for (int i = 0; i < 4; i++)
		vmcs_write64(VMCS_GUEST_PDPTE(i), 0);
}

/* All but DR7 have no field: the registers themselves are the guest's. */
static void reset_debug_registers(void)
{
	__asm__ volatile("mov %0, %%dr0\n\tmov %0, %%dr1\n\tmov %0, %%dr2\n\tmov %0, %%dr3\n\t"
			 "mov %1, %%dr6"
			 :
			 : "r"(0ul), "r"((unsigned long)DR6_INIT));
	vmcs_write(VMCS_GUEST_DR7, DR7_INIT);
}

/* How the next VM entry begins: nothing is delivered, nothing blocks. */
static void set_activity(struct percpu *cpu, enum vmx_phase phase, u32 activity)
{
	vmx_cpu(cpu)->phase = phase;
	vmcs_write(VMCS_GUEST_ACTIVITY_STATE, activity);
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmcs_write(VMCS_ENTRY_INTERRUPTION_INFO, 0);
}

void vmx_set_pin_controls(struct percpu *cpu)
{
	const struct vmx_cpu *v = vmx_cpu(cpu);
	u32 pin = vmx_caps.pin;

	if (v->nmi_waits)
		pin |= PIN_NMI_EXITING | PIN_VIRTUAL_NMIS;
	if (v->phase == PHASE_PARKED)
		pin |= PIN_NMI_EXITING;
	if (v->kick_patience)
		pin |= PIN_PREEMPTION_TIMER;
	vmcs_write(VMCS_PIN_BASED_CONTROLS, pin);
}

static void reset_controls(struct percpu *cpu)
{
	cpu->nmi_pending = 0;
	vmx_cpu(cpu)->nmi_waits = false;
	vmcs_write(VMCS_PRIMARY_CONTROLS, vmx_caps.primary);
	vmcs_write(VMCS_ENTRY_CONTROLS, vmx_caps.entry);
}

void vmx_init_kept_state(void)
{
	vmcs_write64(VMCS_LINK_POINTER, ~0ull);
	vmcs_write64(VMCS_GUEST_IA32_PAT, rdmsr(IA32_PAT));
	vmcs_write64(VMCS_GUEST_IA32_DEBUGCTL, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_CS, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_ESP, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_EIP, 0);
}

/* What INIT leaves (SDM table 10-1). */
void vmx_reset_state(struct percpu *cpu, hpa_t nested_root)
{
	vmx_cpu(cpu)->eptp = vmx_eptp(nested_root);
	vmcs_write64(VMCS_EPTP, vmx_cpu(cpu)->eptp);
	reset_controls(cpu);
	reset_segments();
	reset_control_registers();
	reset_debug_registers();
	vmcs_write(VMCS_GUEST_RIP, RESET_EIP);
	vmcs_write(VMCS_GUEST_RSP, 0);
	vmcs_write(VMCS_GUEST_RFLAGS, RFLAGS_FIXED);
	vmcs_write(VMCS_GUEST_PENDING_DEBUG, 0);
	set_activity(cpu, PHASE_RUNS, ACTIVITY_ACTIVE);
	vmx_set_pin_controls(cpu);
	memset(&cpu->regs, 0, sizeof(cpu->regs));
	cpu->regs.rdx = cpuid(CPUID_FEATURES).eax;
	/* Nor is what an earlier hypervisor left in the TLB under these tags the guest's. */
	vmx_flush(cpu);
	vmx_flush_linear();
}

void vmx_start_flat(struct percpu *cpu, const struct guest_start *start)
{
	set_segment(SEGMENT_CS, start->cs, ~0u, ACCESS_RIGHTS_FLAT_CODE);
	set_data_segments(start->ds, ~0u, ACCESS_RIGHTS_FLAT_DATA);
	set_segment(SEGMENT_LDTR, 0, 0, ACCESS_RIGHTS_UNUSABLE);
	set_table(VMCS_GUEST_GDTR_BASE, VMCS_GUEST_GDTR_LIMIT, start->gdt_base, start->gdt_limit);
	set_table(VMCS_GUEST_IDTR_BASE, VMCS_GUEST_IDTR_LIMIT, 0, 0);
	set_cr0(vmcs_read(VMCS_CR0_SHADOW) | CR0_PE);
	vmcs_write(VMCS_GUEST_RIP, start->eip);
	cpu->regs.rdx = 0;
	cpu->regs.rsi = start->esi;
}

void vmx_start_sipi(struct percpu *cpu, u8 vector)
{
	vmcs_write(VMCS_GUEST_SELECTOR(SEGMENT_CS), (u32)vector << SIPI_CS_SHIFT);
	vmcs_write(VMCS_GUEST_BASE(SEGMENT_CS), (u32)vector << SIPI_CS_BASE_SHIFT);
	vmcs_write(VMCS_GUEST_RIP, 0);
	set_activity(cpu, PHASE_RUNS, ACTIVITY_ACTIVE);
	vmx_set_pin_controls(cpu);
}

/*
 * In HLT, with interrupts off by reset_state(): INIT exits, and so does an NMI, which run.S then has
 * dropped. VM entry to HLT wants CPL 0, and no single step or blocking by STI or MOV SS under way
 * (27.3.1.5).
 */
void vmx_park(struct percpu *cpu)
{
	set_activity(cpu, PHASE_PARKED, ACTIVITY_HLT);
	vmx_set_pin_controls(cpu);
}

/* An exit from HLT saves HLT (28.1), but Bochs 3.0 saves "active". */
void vmx_stay_parked(void)
{
	vmcs_write(VMCS_GUEST_ACTIVITY_STATE, ACTIVITY_HLT);
}

/* Fast and no more: SIPIs that arrive before the next VM entry are lost. */
void vmx_wait_for_sipi(struct percpu *cpu)
{
	set_activity(cpu, PHASE_WAITS_FOR_SIPI, ACTIVITY_WAIT_FOR_SIPI);
}

unsigned long vmx_guest_cr0(void)
{
	return (vmcs_read(VMCS_GUEST_CR0) & ~vmx_caps.cr0_owned) |
	       (vmcs_read(VMCS_CR0_SHADOW) & vmx_caps.cr0_owned);
}

unsigned long vmx_guest_cr4(void)
{
	return (vmcs_read(VMCS_GUEST_CR4) & ~vmx_caps.cr4_owned) |
	       (vmcs_read(VMCS_CR4_SHADOW) & vmx_caps.cr4_owned);
}

bool vmx_guest_in_64bit_code(void)
{
	return (vmcs_read64(VMCS_GUEST_IA32_EFER) & EFER_LMA) &&
	       (vmcs_read(VMCS_GUEST_ACCESS_RIGHTS(SEGMENT_CS)) & ACCESS_RIGHTS_L);
}

void vmx_get_state(struct percpu *cpu, struct guest_state *state)
{
	u32 cs = vmcs_read(VMCS_GUEST_ACCESS_RIGHTS(SEGMENT_CS));
	u32 ss = vmcs_read(VMCS_GUEST_ACCESS_RIGHTS(SEGMENT_SS));

	(void)cpu;
	state->rip = vmcs_read(VMCS_GUEST_RIP);
	state->rsp = vmcs_read(VMCS_GUEST_RSP);
	state->rflags = vmcs_read(VMCS_GUEST_RFLAGS);
	state->cr0 = vmx_guest_cr0();
	state->cr2 = read_cr2(); /* no field: the register is still the guest's */
	state->cr3 = vmcs_read(VMCS_GUEST_CR3);
	state->cr4 = vmx_guest_cr4();
	state->efer = vmcs_read64(VMCS_GUEST_IA32_EFER);
	state->cs_base = vmcs_read(VMCS_GUEST_BASE(SEGMENT_CS));
	state->cs_selector = vmcs_read(VMCS_GUEST_SELECTOR(SEGMENT_CS));
	/* SS.DPL is the CPL (25.4.1), in virtual-8086 mode too. */
	state->cpl = ss >> ACCESS_RIGHTS_DPL_SHIFT & 3;
	state->cs_long = cs & ACCESS_RIGHTS_L;
	state->cs_big = cs & ACCESS_RIGHTS_DB;
}

void vmx_set_rflags(struct percpu *cpu, u64 rflags)
{
	(void)cpu;
	vmcs_write(VMCS_GUEST_RFLAGS, rflags);
}
