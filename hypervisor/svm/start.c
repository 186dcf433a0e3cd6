/* SPDX-License-Identifier: BSD-2-Clause */
/* The states in which a guest CPU begins (APM volume 2, 14.1.3 and 15.5.1). */
#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "cpu/regs.h"
#include "lib/string.h"
#include "svm/svm.h"

#define GUEST_ASID    1

/* Flat segments with accessed, present and 4 KiB granularity, as segment attributes. */
#define ATTR_CODE32   0xc9b
#define ATTR_DATA32   0xc93
/* After INIT. */
#define ATTR_CODE16   0x9b
#define ATTR_DATA16   0x93
#define ATTR_LDT      0x82
#define ATTR_TSS_BUSY 0x8b
#define LIMIT16	      0xffff

#define RESET_CS      0xf000
#define RESET_CS_BASE 0xffff0000u
#define RESET_IP      0xfff0

static void vmload(unsigned long vmcb_hpa)
{
	__asm__ volatile("vmload %0" : : "a"(vmcb_hpa) : "memory");
}

static void vmsave(unsigned long vmcb_hpa)
{
	__asm__ volatile("vmsave %0" : : "a"(vmcb_hpa) : "memory");
}

static void reset_control(struct vmcb_control *c, hpa_t nested_root)
{
	memset(c, 0, sizeof(*c));
	c->intercept3 = INTERCEPT_NMI | INTERCEPT_INIT | INTERCEPT_INVD | INTERCEPT_INVLPGA |
			INTERCEPT_IOIO | INTERCEPT_MSR | INTERCEPT_SHUTDOWN;
	c->intercept4 = INTERCEPT_VMRUN | INTERCEPT_VMMCALL | INTERCEPT_VMLOAD | INTERCEPT_VMSAVE |
			INTERCEPT_STGI | INTERCEPT_CLGI | INTERCEPT_SKINIT;
	if (SVM_CPUID_EXITS)
		c->intercept3 |= INTERCEPT_CPUID;
	c->iopm_base_pa = (u64)(unsigned long)svm_shared.iopm;
	c->msrpm_base_pa = (u64)(unsigned long)svm_shared.msrpm;
	c->guest_asid = GUEST_ASID;
	c->tlb_control = TLB_CONTROL_FLUSH_ALL;
	c->np_enable = NP_ENABLE;
	c->n_cr3 = nested_root;
}

static void reset_segments(struct vmcb_save *s)
{
	struct vmcb_segment data = {0, ATTR_DATA16, LIMIT16, 0};

	s->cs = (struct vmcb_segment){RESET_CS, ATTR_CODE16, LIMIT16, RESET_CS_BASE};
	s->ds = s->es = s->ss = s->fs = s->gs = data;
	s->gdtr = s->idtr = (struct vmcb_segment){0, 0, LIMIT16, 0};
	s->ldtr = (struct vmcb_segment){0, ATTR_LDT, LIMIT16, 0};
	s->tr = (struct vmcb_segment){0, ATTR_TSS_BUSY, LIMIT16, 0};
	s->cpl = 0;
}

static void reset_debug_registers(struct vmcb_save *s)
{
	unsigned long zero = 0;

	s->dr6 = DR6_INIT;
	s->dr7 = DR7_INIT;
	/* The others have no place in the VMCB: they are the guest's even now. */
	__asm__ volatile("mov %0, %%dr0\n\tmov %0, %%dr1\n\tmov %0, %%dr2\n\tmov %0, %%dr3"
			 :
			 : "r"(zero));
}

void svm_reset_state(struct percpu *cpu, hpa_t nested_root)
{
	struct svm_cpu *svm = svm_cpu(cpu);
	struct vmcb_save *s = &svm->vmcb->save;

	/* INIT leaves the syscall and SYSENTER MSRs as they are: fetch them, and give them back. */
	vmsave(svm->vmcb_hpa);
	reset_control(&svm->vmcb->control, nested_root);
	reset_segments(s);
	reset_debug_registers(s);
	s->cr0 = (s->cr0 & (CR0_CD | CR0_NW)) | CR0_ET;
	s->cr2 = s->cr3 = s->cr4 = 0;
	s->efer = EFER_SVME;
	s->rflags = RFLAGS_FIXED;
	s->rip = RESET_IP;
	s->rsp = 0;
	vmload(svm->vmcb_hpa);
	memset(&cpu->regs, 0, sizeof(cpu->regs));
	cpu->regs.rdx = cpuid(CPUID_FEATURES).eax;
	cpu->nmi_pending = 0;
	svm->nmi_blocked = svm->stepping = svm->parked = false;
}

void svm_start_flat(struct percpu *cpu, const struct guest_start *start)
{
	struct svm_cpu *svm = svm_cpu(cpu);
	struct vmcb_save *s = &svm->vmcb->save;
	struct vmcb_segment data = {start->ds, ATTR_DATA32, ~0u, 0};

	s->cs = (struct vmcb_segment){start->cs, ATTR_CODE32, ~0u, 0};
	s->ds = s->es = s->ss = s->fs = s->gs = data;
	s->gdtr = (struct vmcb_segment){0, 0, start->gdt_limit, start->gdt_base};
	s->cr0 = CR0_PE | CR0_ET;
	s->rip = start->eip;
	vmload(svm->vmcb_hpa);
	cpu->regs.rdx = 0;
	cpu->regs.rsi = start->esi;
}

void svm_start_sipi(struct percpu *cpu, u8 vector)
{
	struct vmcb_save *s = &vmcb_of(cpu)->save;

	s->cs.selector = (u16)(vector << 8);
	s->cs.base = (u64)vector << PAGE_SHIFT;
	s->rip = 0;
	svm_cpu(cpu)->parked = false;
}

void svm_park(struct percpu *cpu)
{
	svm_cpu(cpu)->parked = true;
}
