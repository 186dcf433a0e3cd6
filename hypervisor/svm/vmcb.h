/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMCB (APM volume 2, appendix B) and what its fields mean. */
#ifndef KEEL_SVM_VMCB_H
#define KEEL_SVM_VMCB_H

#include <keel/bits.h>
#include <keel/types.h>

/* Intercept vector 3, offset 0x00C. */
#define INTERCEPT_NMI	      BIT(1)
#define INTERCEPT_INIT	      BIT(3)
#define INTERCEPT_CPUID	      BIT(18)
#define INTERCEPT_IRET	      BIT(20)
#define INTERCEPT_INVD	      BIT(22)
#define INTERCEPT_HLT	      BIT(24)
#define INTERCEPT_INVLPGA     BIT(26)
#define INTERCEPT_IOIO	      BIT(27)
#define INTERCEPT_MSR	      BIT(28)
#define INTERCEPT_SHUTDOWN    BIT(31)

/* Intercept vector 4, offset 0x010. */
#define INTERCEPT_VMRUN	      BIT(0)
#define INTERCEPT_VMMCALL     BIT(1)
#define INTERCEPT_VMLOAD      BIT(2)
#define INTERCEPT_VMSAVE      BIT(3)
#define INTERCEPT_STGI	      BIT(4)
#define INTERCEPT_CLGI	      BIT(5)
#define INTERCEPT_SKINIT      BIT(6)

/* EXITCODE (APM volume 2, appendix C). */
#define VMEXIT_EXCEPTION      0x40 /* plus the vector */
#define VMEXIT_EXCEPTION_LAST 0x5f
#define VMEXIT_NMI	      0x61
#define VMEXIT_INIT	      0x63
#define VMEXIT_CPUID	      0x72
#define VMEXIT_IRET	      0x74
#define VMEXIT_INVD	      0x76
#define VMEXIT_INVLPGA	      0x7a
#define VMEXIT_IOIO	      0x7b
#define VMEXIT_MSR	      0x7c
#define VMEXIT_SHUTDOWN	      0x7f
#define VMEXIT_VMRUN	      0x80
#define VMEXIT_VMMCALL	      0x81
#define VMEXIT_VMLOAD	      0x82
#define VMEXIT_VMSAVE	      0x83
#define VMEXIT_STGI	      0x84
#define VMEXIT_CLGI	      0x85
#define VMEXIT_SKINIT	      0x86
#define VMEXIT_NPF	      0x400
#define VMEXIT_INVALID	      (~0ull)

/* EXITINFO1 of an IOIO exit (APM volume 2, 15.10.2). */
#define IOIO_IN		      BIT64(0)
#define IOIO_STR	      BIT64(2)
#define IOIO_SIZE_SHIFT	      4
#define IOIO_SIZE_MASK	      7
#define IOIO_PORT_SHIFT	      16

/* EXITINFO1 of a nested page fault: the page-fault error code (APM volume 2, 15.25.6). */
#define NPF_WRITE	      BIT64(1)
#define NPF_RESERVED	      BIT64(3)
#define NPF_FETCH	      BIT64(4)
#define NPF_FINAL	      BIT64(32) /* not in a walk of the guest's tables */

/* EVENTINJ and EXITINTINFO (APM volume 2, 15.20). */
#define EVENT_VECTOR	      0xffu
#define EVENT_TYPE	      (7ull << 8)
#define EVENT_TYPE_NMI	      (2ull << 8)
#define EVENT_TYPE_EXCEPTION  (3ull << 8)
#define EVENT_TYPE_SOFTWARE   (4ull << 8)
#define EVENT_ERROR_VALID     BIT64(11)
#define EVENT_VALID	      BIT64(31)
#define EVENT_ERROR_SHIFT     32

#define INTERRUPT_SHADOW      BIT64(0)
#define NP_ENABLE	      BIT64(0)
#define TLB_CONTROL_NOTHING   0
#define TLB_CONTROL_FLUSH_ALL 1

/* VMCB clean bits: what the processor may have kept of the VMCB (APM volume 2, 15.15.3). */
#define CLEAN_INTERCEPTS      BIT64(0)
#define CLEAN_ASID	      BIT64(2)
#define CLEAN_TPR	      BIT64(3)
#define CLEAN_NP	      BIT64(4)
#define CLEAN_CR	      BIT64(5) /* and EFER */
#define CLEAN_DR	      BIT64(6)
#define CLEAN_DT	      BIT64(7)
#define CLEAN_SEG	      BIT64(8)
#define CLEAN_CR2	      BIT64(9)
/* All but the permission maps, whose bits may change while the guest runs. */
#define CLEAN_ALL                                                                             \
	(CLEAN_INTERCEPTS | CLEAN_ASID | CLEAN_TPR | CLEAN_NP | CLEAN_CR | CLEAN_DR | CLEAN_DT | \
	 CLEAN_SEG | CLEAN_CR2)

/* Segment attributes: descriptor bits 55:52 and 47:40 (APM volume 2, 15.5.1). */
#define SEG_L		      BIT(9)
#define SEG_DB		      BIT(10)

struct vmcb_segment {
	u16 selector;
	u16 attributes;
	u32 limit;
	u64 base;
};

struct vmcb_control {
	u16 intercept_cr_read, intercept_cr_write;
	u16 intercept_dr_read, intercept_dr_write;
	u32 intercept_exceptions;
	u32 intercept3;
	u32 intercept4;
	u8 reserved_014[0x3c - 0x14];
	u16 pause_filter_threshold, pause_filter_count;
	u64 iopm_base_pa;
	u64 msrpm_base_pa;
	u64 tsc_offset;
	u32 guest_asid;
	u8 tlb_control;
	u8 reserved_05d[3];
	u64 vintr;
	u64 interrupt_shadow;
	u64 exitcode;
	u64 exitinfo1;
	u64 exitinfo2;
	u64 exitintinfo;
	u64 np_enable;
	u8 reserved_098[0xa8 - 0x98];
	u64 eventinj;
	u64 n_cr3;
	u64 lbr_virt;
	u64 clean;
	u64 nrip;
	u8 reserved_0d0[0x400 - 0xd0];
};

struct vmcb_save {
	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	u8 reserved_0a0[0xcb - 0xa0];
	u8 cpl;
	u8 reserved_0cc[4];
	u64 efer;
	u8 reserved_0d8[0x148 - 0xd8];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
	u8 reserved_180[0x1d8 - 0x180];
	u64 rsp;
	u8 reserved_1e0[0x1f8 - 0x1e0];
	u64 rax;
	u64 star, lstar, cstar, sfmask, kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 cr2;
	u8 reserved_248[0x268 - 0x248];
	u64 g_pat;
	u8 reserved_270[0xc00 - 0x270];
};

struct vmcb {
	struct vmcb_control control;
	struct vmcb_save save;
};

_Static_assert(offsetof(struct vmcb_control, intercept3) == 0x00c, "APM appendix B");
_Static_assert(offsetof(struct vmcb_control, iopm_base_pa) == 0x040, "APM appendix B");
_Static_assert(offsetof(struct vmcb_control, guest_asid) == 0x058, "APM appendix B");
_Static_assert(offsetof(struct vmcb_control, interrupt_shadow) == 0x068, "APM appendix B");
_Static_assert(offsetof(struct vmcb_control, exitintinfo) == 0x088, "APM appendix B");
_Static_assert(offsetof(struct vmcb_control, eventinj) == 0x0a8, "APM appendix B");
_Static_assert(offsetof(struct vmcb_control, nrip) == 0x0c8, "APM appendix B");
_Static_assert(offsetof(struct vmcb, save.tr) == 0x490, "APM appendix B");
_Static_assert(offsetof(struct vmcb, save.cpl) == 0x4cb, "APM appendix B");
_Static_assert(offsetof(struct vmcb, save.efer) == 0x4d0, "APM appendix B");
_Static_assert(offsetof(struct vmcb, save.cr4) == 0x548, "APM appendix B");
_Static_assert(offsetof(struct vmcb, save.rip) == 0x578, "APM appendix B");
_Static_assert(offsetof(struct vmcb, save.rsp) == 0x5d8, "APM appendix B");
_Static_assert(offsetof(struct vmcb, save.rax) == 0x5f8, "APM appendix B");
_Static_assert(offsetof(struct vmcb, save.cr2) == 0x640, "APM appendix B");
_Static_assert(offsetof(struct vmcb, save.g_pat) == 0x668, "APM appendix B");
_Static_assert(sizeof(struct vmcb) == 4096, "APM appendix B");

#endif
