/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The permission maps, and the MSRs by which SVM shows itself (APM volume 2, 15.10, 15.11, 15.30).
 */
#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "cpu/regs.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "svm/svm.h"

#define MMIO_CFG_ENABLE	     BIT64(0)
#define MMIO_CFG_BUSES_SHIFT 2 /* log2 of the buses, of a MiB each */
#define MMIO_CFG_BUSES_MASK  15
#define MMIO_CFG_ADDRESS     0x0000fffffff00000ull

struct svm_shared svm_shared;

/* Each 2 KiB of the MSRPM covers 0x2000 MSRs from here on, two bits each: read, write. */
static const u32 msrpm_base[] = {0x00000000, 0xc0000000, 0xc0010000};
#define MSRPM_VECTOR_MSRS  0x2000u
#define MSRPM_VECTOR_BYTES 2048u
#define MSRPM_PAGES	   2

#define MSR_BOTH	   (MSR_READ | MSR_WRITE)

bool svm_msrpm_init(void)
{
	svm_shared.msrpm = frame_alloc_many(MSRPM_PAGES, PAGE_SIZE);
#ifndef CONFIG_MSR_MAP
	if (svm_shared.msrpm)
		memset(svm_shared.msrpm, 0xff, MSRPM_PAGES * PAGE_SIZE);
#endif
	return svm_shared.msrpm;
}

/* An MSR outside the three vectors exits always. */
void svm_trap_msr(u32 msr, u8 trap)
{
	for (u32 v = 0; v < ARRAY_SIZE(msrpm_base); v++) {
		u32 index = msr - msrpm_base[v];
		u32 shift;
		u8 *byte;

		if (index >= MSRPM_VECTOR_MSRS)
			continue;
		byte = &svm_shared.msrpm[v * MSRPM_VECTOR_BYTES + index / 4];
		shift = 2 * (index % 4);
#ifndef CONFIG_MSR_MAP
		trap = MSR_BOTH;
#endif
		*byte = (u8)((*byte & ~(MSR_BOTH << shift)) | trap << shift);
	}
}

void svm_trap_ports(u16 first, u16 count)
{
	for (u32 port = first; port < (u32)first + count; port++)
		svm_shared.iopm[port / 8] |= BIT(port % 8);
}

/*
 * Highest defined bit of EFER is 21 (AIBRSE); what this CPU has is found by trying. But for LMSLE, which
 * new CPUs lack: KVM lets its guest set it even there, and then cannot enter the guest again.
 */
#define EFER_BITS 22

void svm_probe_efer(void)
{
	u64 host = rdmsr(IA32_EFER);
	u64 long_mode = EFER_LME | EFER_LMA;

	svm_shared.efer_bits = EFER_SCE | (host & EFER_NXE) | (GUEST_LONG_MODE ? long_mode : 0);
	for (u32 bit = 0; bit < EFER_BITS; bit++) {
		u64 v = BIT64(bit);

		if (v & (svm_shared.efer_bits | long_mode | EFER_SVME | EFER_LMSLE | host))
			continue;
		if (wrmsr_safe(IA32_EFER, host | v) && rdmsr(IA32_EFER) & v)
			svm_shared.efer_bits |= v;
		wrmsr(IA32_EFER, host);
	}
}

static bool read_efer(struct percpu *cpu, u32 msr, u64 *value)
{
	(void)msr;
	*value = vmcb_of(cpu)->save.efer & ~EFER_SVME;
	return true;
}

/* SVME must stay 1 in the VMCB and out of the guest's sight; LMA is the CPU's own. */
static bool write_efer(struct percpu *cpu, u32 msr, u64 value)
{
	struct vmcb_save *save = &vmcb_of(cpu)->save;

	(void)msr;
	exit_efer_written(cpu);
	if (value & ~svm_shared.efer_bits)
		return false;
	if ((value ^ save->efer) & EFER_LME && save->cr0 & CR0_PG)
		return false;
	svm_changed(cpu, CLEAN_CR);
	save->efer = (value & ~EFER_LMA) | (save->efer & EFER_LMA) | EFER_SVME;
	return true;
}

/* To the guest, SVM is switched off and locked by the firmware. */
static bool read_vm_cr(struct percpu *cpu, u32 msr, u64 *value)
{
	(void)cpu;
	if (!rdmsr_safe(msr, value))
		return false;
	*value |= VM_CR_SVMDIS | VM_CR_LOCK;
	return true;
}

/* Linux clears it when it reboots, without a look at VM_CR. */
static bool read_hsave(struct percpu *cpu, u32 msr, u64 *value)
{
	(void)cpu;
	(void)msr;
	*value = 0;
	return true;
}

static bool write_hsave(struct percpu *cpu, u32 msr, u64 value)
{
	(void)cpu;
	(void)msr;
	return value == 0;
}

/* PCI configuration space by memory (BKDG, MMIO_CFG_BASE) laid over Keel would take its accesses. */
static bool write_mmio_cfg(struct percpu *cpu, u32 msr, u64 value)
{
	u64 start = value & MMIO_CFG_ADDRESS;
	u64 end = start + (MIB(1) << (value >> MMIO_CFG_BUSES_SHIFT & MMIO_CFG_BUSES_MASK));

	(void)cpu;
	if (value & MMIO_CFG_ENABLE && start < keel_region.end && keel_region.start < end)
		return false;
	return wrmsr_safe(msr, value);
}

/* While locked, SVMDIS and LOCK ignore writes; the other bits are not the guest's. */
static bool ignore_write(struct percpu *cpu, u32 msr, u64 value)
{
	(void)cpu;
	(void)msr;
	(void)value;
	return true;
}

#ifndef CONFIG_MSR_MAP

/* With nested paging the guest's is in the VMCB (APM volume 2, 15.25.8). */
static bool read_pat(struct percpu *cpu, u32 msr, u64 *value)
{
	(void)msr;
	*value = vmcb_of(cpu)->save.g_pat;
	return true;
}

/* Not tried in Keel's own register: its TLB would go on with the types that it saw meanwhile. */
static bool write_pat(struct percpu *cpu, u32 msr, u64 value)
{
	(void)msr;
	if (!pat_legal(value))
		return false;
	vmcb_of(cpu)->save.g_pat = value;
	svm_changed(cpu, CLEAN_NP);
	return true;
}

#endif

const struct msr_rule svm_msr_rules[SVM_MSR_RULES] = {
	{IA32_EFER, IA32_EFER, MSR_BOTH, read_efer, write_efer},
	{AMD_VM_CR, AMD_VM_CR, MSR_BOTH, read_vm_cr, ignore_write},
	{AMD_VM_HSAVE_PA, AMD_VM_HSAVE_PA, MSR_BOTH, read_hsave, write_hsave},
	{AMD_SVM_KEY, AMD_SVM_KEY, MSR_BOTH, msr_no_read, msr_no_write},
	{AMD_MMIO_CFG_BASE, AMD_MMIO_CFG_BASE, MSR_WRITE, NULL, write_mmio_cfg},
	/* What is RAM and what is SMM's stays as the firmware set it: Keel lies there. */
	{AMD_IORR_BASE0, AMD_TOP_MEM, MSR_WRITE, NULL, msr_no_write},
	{AMD_TOP_MEM2, AMD_TOP_MEM2, MSR_WRITE, NULL, msr_no_write},
	{AMD_SMM_BASE, AMD_SMM_MASK, MSR_WRITE, NULL, msr_no_write},
#ifndef CONFIG_MSR_MAP
	/* Else the guest's own without an exit. */
	{IA32_PAT, IA32_PAT, MSR_BOTH, read_pat, write_pat},
#endif
};
