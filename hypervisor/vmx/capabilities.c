/* SPDX-License-Identifier: BSD-2-Clause */
/* What this processor's VMX can do (SDM appendix A), and which controls Keel sets therefore. */
#include "cpu/msr.h"
#include "cpu/regs.h"
#include <keel/errno.h>
#include "lib/string.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"

#define REMEDY                                                                                     \
	": use an Intel CPU of 2010 (Westmere) or later, or, under KVM, pass it on (nested=1 and " \
	"-cpu host)"

/* IA32_VMX_BASIC (A.1) */
#define BASIC_REVISION	    0x7fffffffu
#define BASIC_TRUE_CONTROLS BIT64(55)

/* IA32_VMX_MISC (A.6) */
#define IA32_VMX_MISC	    0x485
#define MISC_TIMER_SHIFT    0x1fu
#define MISC_WAIT_FOR_SIPI  BIT64(8)

/* IA32_VMX_EPT_VPID_CAP (A.10) */
#define CAP_WALK_4	    BIT64(6)
#define CAP_WRITE_BACK	    BIT64(14)
#define CAP_EPT_2M	    BIT64(16)
#define CAP_EPT_1G	    BIT64(17)
#define CAP_INVEPT	    BIT64(20)
#define CAP_INVEPT_SINGLE   BIT64(25)
#define CAP_INVEPT_ALL	    BIT64(26)
#define CAP_INVVPID	    BIT64(32)
#define CAP_INVVPID_SINGLE  BIT64(41)
#define CAP_INVVPID_ALL	    BIT64(42)

struct vmx_capabilities vmx_caps;

struct requirement {
	u32 controls, needed;
	const char *missing;
};

/* @wanted as far as the capability MSR allows it, with what the processor insists on (A.2). */
static u32 allowed_controls(u32 msr, u32 wanted)
{
	u64 cap = rdmsr(msr);

	return (wanted | (u32)cap) & (u32)(cap >> 32);
}

static void choose_controls(struct vmx_capabilities *caps)
{
	bool true_msrs = rdmsr(IA32_VMX_BASIC) & BASIC_TRUE_CONTROLS;
	u32 exit = EXIT_SAVE_DEBUG_CONTROLS | EXIT_SAVE_IA32_PAT | EXIT_LOAD_IA32_PAT |
		   EXIT_SAVE_IA32_EFER | EXIT_LOAD_IA32_EFER;

	if (sizeof(long) == sizeof(u64))
		exit |= EXIT_HOST_ADDRESS_SPACE_SIZE;
	/* The NMI controls are on only while an NMI waits (event.c). */
	caps->pin = allowed_controls(
		true_msrs ? IA32_VMX_TRUE_PINBASED_CTLS : IA32_VMX_PINBASED_CTLS, 0);
	caps->primary = allowed_controls(
		true_msrs ? IA32_VMX_TRUE_PROCBASED_CTLS : IA32_VMX_PROCBASED_CTLS,
		PRIMARY_USE_IO_BITMAPS | PRIMARY_USE_MSR_BITMAPS | PRIMARY_ACTIVATE_SECONDARY);
	caps->exit =
		allowed_controls(true_msrs ? IA32_VMX_TRUE_EXIT_CTLS : IA32_VMX_EXIT_CTLS, exit);
	caps->entry = allowed_controls(true_msrs ? IA32_VMX_TRUE_ENTRY_CTLS : IA32_VMX_ENTRY_CTLS,
				       ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_LOAD_IA32_PAT |
					       ENTRY_LOAD_IA32_EFER);
	if (caps->primary & PRIMARY_ACTIVATE_SECONDARY)
		caps->secondary = allowed_controls(
			IA32_VMX_PROCBASED_CTLS2,
			SECONDARY_ENABLE_EPT | SECONDARY_ENABLE_RDTSCP | SECONDARY_ENABLE_VPID |
				SECONDARY_UNRESTRICTED_GUEST | SECONDARY_ENABLE_INVPCID |
				SECONDARY_ENABLE_XSAVES | SECONDARY_ENABLE_USER_WAIT);
}

#ifdef CONFIG_TLB_TAGS
static const bool use_vpid = true;
#else
static const bool use_vpid = false;
#endif

static void read_ept_vpid(struct vmx_capabilities *caps, u64 cap)
{
	caps->ept_2m = cap & CAP_EPT_2M;
	caps->ept_1g = cap & CAP_EPT_1G;
	caps->invept_single = cap & CAP_INVEPT_SINGLE;
	caps->invvpid_single = cap & CAP_INVVPID_SINGLE;
	/* A VPID keeps the guest's translations over exits: only where they can be dropped too. */
	if (!use_vpid || !(cap & CAP_INVVPID) || !(cap & (CAP_INVVPID_SINGLE | CAP_INVVPID_ALL)))
		caps->secondary &= ~SECONDARY_ENABLE_VPID;
}

/*
 * Keel owns the bits of CR0 that the processor fixes in VMX operation (A.7), which means NE, and
 * those of CR4 whose feature it hides. The guest finds the others as on the bare machine: setting
 * one that VMX operation forbids is #GP without an exit (26.3).
 */
static void read_fixed_bits(struct vmx_capabilities *caps)
{
	caps->cr0_fixed0 = rdmsr(IA32_VMX_CR0_FIXED0);
	caps->cr0_fixed1 = rdmsr(IA32_VMX_CR0_FIXED1);
	caps->cr4_fixed0 = rdmsr(IA32_VMX_CR4_FIXED0);
	caps->cr4_fixed1 = rdmsr(IA32_VMX_CR4_FIXED1);
	/* An unrestricted guest may clear PE and PG. */
	caps->cr0_forced = caps->cr0_fixed0 & ~(unsigned long)(CR0_PE | CR0_PG);
#ifdef CONFIG_CR_MASKS
	caps->cr0_owned = caps->cr0_forced;
	caps->cr4_owned = CR4_VMXE;
	if (caps->cr4_fixed1 & CR4_SMXE)
		caps->cr4_owned |= CR4_SMXE;
#else
	caps->cr0_owned = caps->cr4_owned = ~0ul;
#endif
}

static const char *first_missing(const struct vmx_capabilities *caps, u64 ept_vpid)
{
	u32 pin = rdmsr(IA32_VMX_PINBASED_CTLS) >> 32;
	u32 primary = rdmsr(IA32_VMX_PROCBASED_CTLS) >> 32;
	u32 cr3_exits = caps->primary & (PRIMARY_CR3_LOAD_EXITING | PRIMARY_CR3_STORE_EXITING);
	u32 pat = EXIT_SAVE_IA32_PAT | EXIT_LOAD_IA32_PAT;
	u32 efer = EXIT_SAVE_IA32_EFER | EXIT_LOAD_IA32_EFER;
	const struct requirement requirements[] = {
		{caps->secondary, SECONDARY_ENABLE_EPT,
		 "this CPU has no extended page tables (EPT)" REMEDY},
		{caps->secondary, SECONDARY_UNRESTRICTED_GUEST,
		 "this CPU has no unrestricted guest" REMEDY},
		{caps->primary, PRIMARY_USE_MSR_BITMAPS, "this CPU has no MSR bitmaps" REMEDY},
		{caps->primary, PRIMARY_USE_IO_BITMAPS, "this CPU has no I/O bitmaps" REMEDY},
		{pin, PIN_NMI_EXITING | PIN_VIRTUAL_NMIS, "this CPU has no virtual NMIs" REMEDY},
		{primary, PRIMARY_NMI_WINDOW_EXITING, "this CPU has no NMI-window exiting" REMEDY},
		{~cr3_exits, PRIMARY_CR3_LOAD_EXITING | PRIMARY_CR3_STORE_EXITING,
		 "this CPU cannot leave CR3 to the guest" REMEDY},
		{caps->exit, pat, "this CPU cannot switch IA32_PAT" REMEDY},
		{caps->entry, ENTRY_LOAD_IA32_PAT, "this CPU cannot switch IA32_PAT" REMEDY},
		{caps->exit, efer, "this CPU cannot switch IA32_EFER" REMEDY},
		{caps->entry, ENTRY_LOAD_IA32_EFER, "this CPU cannot switch IA32_EFER" REMEDY},
	};

	for (u32 i = 0; i < ARRAY_SIZE(requirements); i++)
		if ((requirements[i].controls & requirements[i].needed) != requirements[i].needed)
			return requirements[i].missing;
	if (!(ept_vpid & CAP_WALK_4) || !(ept_vpid & CAP_WRITE_BACK))
		return "this CPU has no 4-level EPT in write-back memory" REMEDY;
	if (!(ept_vpid & CAP_INVEPT) || !(ept_vpid & (CAP_INVEPT_SINGLE | CAP_INVEPT_ALL)))
		return "this CPU has no INVEPT" REMEDY;
	return NULL;
}

int vmx_read_capabilities(struct vmx_capabilities *caps, const char **why)
{
	u64 ept_vpid = 0;

	memset(caps, 0, sizeof(*caps)); /* padding too: they are compared as bytes */
	caps->revision = rdmsr(IA32_VMX_BASIC) & BASIC_REVISION;
	choose_controls(caps);
	if (caps->secondary & SECONDARY_ENABLE_EPT) /* else the MSR need not exist */
		ept_vpid = rdmsr(IA32_VMX_EPT_VPID_CAP);
	read_ept_vpid(caps, ept_vpid);
	read_fixed_bits(caps);
	caps->wait_for_sipi = rdmsr(IA32_VMX_MISC) & MISC_WAIT_FOR_SIPI;
	caps->timer_shift = rdmsr(IA32_VMX_MISC) & MISC_TIMER_SHIFT;
	caps->timer = rdmsr(IA32_VMX_PINBASED_CTLS) >> 32 & PIN_PREEMPTION_TIMER;
	*why = first_missing(caps, ept_vpid);
	return *why ? -ENODEV : 0;
}

int vmx_check_capabilities(const char **why)
{
	struct vmx_capabilities mine;
	int error = vmx_read_capabilities(&mine, why);

	if (error)
		return error;
	if (mine.revision != vmx_caps.revision)
		*why = "this CPU's VMCS has another format than the boot CPU's: all CPUs of the "
		       "machine must be of one model";
	else if (memcmp(&mine, &vmx_caps, sizeof(mine)))
		*why = "this CPU's VMX can do other things than the boot CPU's: give all CPUs the "
		       "same microcode, by a firmware update";
	return *why ? -ENODEV : 0;
}

int vmx_unlock(const char **why)
{
	u64 control = rdmsr(IA32_FEATURE_CONTROL);

	if (!(control & FEATURE_CONTROL_LOCK)) {
		control |= FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX_OUTSIDE_SMX;
		wrmsr(IA32_FEATURE_CONTROL, control);
	}
	if (control & FEATURE_CONTROL_VMX_OUTSIDE_SMX)
		return 0;
	*why = "locked off by the firmware (IA32_FEATURE_CONTROL): enable Intel Virtualization "
	       "Technology (VT-x) in the firmware setup";
	return -ENODEV;
}
