/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VMCS: field encodings (Intel SDM volume 3, appendix B), control bits (25.6 to 25.8), exit
 * reasons (appendix C). Only what Keel uses; access.h has the instructions.
 */
#ifndef KEEL_VMX_VMCS_H
#define KEEL_VMX_VMCS_H

/* 16-bit fields */
#define VMCS_VPID			 0x0000
#define VMCS_HOST_ES_SELECTOR		 0x0c00
#define VMCS_HOST_CS_SELECTOR		 0x0c02
#define VMCS_HOST_SS_SELECTOR		 0x0c04
#define VMCS_HOST_DS_SELECTOR		 0x0c06
#define VMCS_HOST_FS_SELECTOR		 0x0c08
#define VMCS_HOST_GS_SELECTOR		 0x0c0a
#define VMCS_HOST_TR_SELECTOR		 0x0c0c

/* 64-bit fields: by vmcs_read64() and vmcs_write64() alone */
#define VMCS_IO_BITMAP_A		 0x2000
#define VMCS_IO_BITMAP_B		 0x2002
#define VMCS_MSR_BITMAPS		 0x2004
#define VMCS_EPTP			 0x201a
#define VMCS_XSS_EXITING_BITMAP		 0x202c
#define VMCS_GUEST_PHYSICAL_ADDRESS	 0x2400
#define VMCS_LINK_POINTER		 0x2800
#define VMCS_GUEST_IA32_DEBUGCTL	 0x2802
#define VMCS_GUEST_IA32_PAT		 0x2804
#define VMCS_GUEST_IA32_EFER		 0x2806
#define VMCS_GUEST_PDPTE0		 0x280a
#define VMCS_GUEST_PDPTE(n)		 (VMCS_GUEST_PDPTE0 + 2 * (n))
#define VMCS_HOST_IA32_PAT		 0x2c00
#define VMCS_HOST_IA32_EFER		 0x2c02

#define VMCS_IS_64BIT(field)		 (((field) >> 13 & 3) == 1)

/* 32-bit control fields */
#define VMCS_PIN_BASED_CONTROLS		 0x4000
#define VMCS_PRIMARY_CONTROLS		 0x4002
#define VMCS_EXCEPTION_BITMAP		 0x4004
#define VMCS_PAGE_FAULT_ERROR_CODE_MASK	 0x4006
#define VMCS_PAGE_FAULT_ERROR_CODE_MATCH 0x4008
#define VMCS_CR3_TARGET_COUNT		 0x400a
#define VMCS_EXIT_CONTROLS		 0x400c
#define VMCS_EXIT_MSR_STORE_COUNT	 0x400e
#define VMCS_EXIT_MSR_LOAD_COUNT	 0x4010
#define VMCS_ENTRY_CONTROLS		 0x4012
#define VMCS_ENTRY_MSR_LOAD_COUNT	 0x4014
#define VMCS_ENTRY_INTERRUPTION_INFO	 0x4016
#define VMCS_ENTRY_EXCEPTION_ERROR_CODE	 0x4018
#define VMCS_ENTRY_INSTRUCTION_LENGTH	 0x401a
#define VMCS_SECONDARY_CONTROLS		 0x401e

/* 32-bit read-only fields */
#define VMCS_INSTRUCTION_ERROR		 0x4400
#define VMCS_EXIT_REASON		 0x4402
#define VMCS_EXIT_INTERRUPTION_INFO	 0x4404
#define VMCS_IDT_VECTORING_INFO		 0x4408
#define VMCS_IDT_VECTORING_ERROR_CODE	 0x440a
#define VMCS_EXIT_INSTRUCTION_LENGTH	 0x440c

/* 32-bit guest and host state */
#define VMCS_GUEST_GDTR_LIMIT		 0x4810
#define VMCS_GUEST_IDTR_LIMIT		 0x4812
#define VMCS_GUEST_INTERRUPTIBILITY	 0x4824
#define VMCS_GUEST_ACTIVITY_STATE	 0x4826
#define VMCS_GUEST_SYSENTER_CS		 0x482a
#define VMCS_PREEMPTION_TIMER		 0x482e
#define VMCS_HOST_SYSENTER_CS		 0x4c00

/* Natural-width fields */
#define VMCS_CR0_MASK			 0x6000
#define VMCS_CR4_MASK			 0x6002
#define VMCS_CR0_SHADOW			 0x6004
#define VMCS_CR4_SHADOW			 0x6006
#define VMCS_EXIT_QUALIFICATION		 0x6400
#define VMCS_GUEST_CR0			 0x6800
#define VMCS_GUEST_CR3			 0x6802
#define VMCS_GUEST_CR4			 0x6804
#define VMCS_GUEST_GDTR_BASE		 0x6816
#define VMCS_GUEST_IDTR_BASE		 0x6818
#define VMCS_GUEST_DR7			 0x681a
#define VMCS_GUEST_RSP			 0x681c
#define VMCS_GUEST_RIP			 0x681e
#define VMCS_GUEST_RFLAGS		 0x6820
#define VMCS_GUEST_PENDING_DEBUG	 0x6822
#define VMCS_GUEST_SYSENTER_ESP		 0x6824
#define VMCS_GUEST_SYSENTER_EIP		 0x6826
#define VMCS_HOST_CR0			 0x6c00
#define VMCS_HOST_CR3			 0x6c02
#define VMCS_HOST_CR4			 0x6c04
#define VMCS_HOST_FS_BASE		 0x6c06
#define VMCS_HOST_GS_BASE		 0x6c08
#define VMCS_HOST_TR_BASE		 0x6c0a
#define VMCS_HOST_GDTR_BASE		 0x6c0c
#define VMCS_HOST_IDTR_BASE		 0x6c0e
#define VMCS_HOST_SYSENTER_ESP		 0x6c10
#define VMCS_HOST_SYSENTER_EIP		 0x6c12
#define VMCS_HOST_RSP			 0x6c14
#define VMCS_HOST_RIP			 0x6c16

#ifndef __ASSEMBLER__

#include <keel/bits.h>
#include <keel/types.h>

/* Guest segment registers, in the order of their fields. */
enum vmcs_segment {
	SEGMENT_ES,
	SEGMENT_CS,
	SEGMENT_SS,
	SEGMENT_DS,
	SEGMENT_FS,
	SEGMENT_GS,
	SEGMENT_LDTR,
	SEGMENT_TR,
};

#define VMCS_GUEST_SELECTOR(segment)		 (0x0800 + 2 * (segment))
#define VMCS_GUEST_LIMIT(segment)		 (0x4800 + 2 * (segment))
#define VMCS_GUEST_ACCESS_RIGHTS(segment)	 (0x4814 + 2 * (segment))
#define VMCS_GUEST_BASE(segment)		 (0x6806 + 2 * (segment))

/* Access rights (25.4.1) */
#define ACCESS_RIGHTS_TYPE			 0xfu
#define ACCESS_RIGHTS_DPL_SHIFT			 5
#define ACCESS_RIGHTS_L				 BIT(13)
#define ACCESS_RIGHTS_DB			 BIT(14)
#define ACCESS_RIGHTS_UNUSABLE			 BIT(16)
#define ACCESS_RIGHTS_FLAT_CODE			 0xc09bu /* 32-bit, execute, read, accessed */
#define ACCESS_RIGHTS_FLAT_DATA			 0xc093u
#define ACCESS_RIGHTS_REAL_CODE			 0x9bu
#define ACCESS_RIGHTS_REAL_DATA			 0x93u
#define ACCESS_RIGHTS_LDT			 0x82u
#define ACCESS_RIGHTS_BUSY_TSS			 0x8bu /* 32-bit; 64-bit in IA-32e mode */
#define SEGMENT_TYPE_BUSY_TSS			 0xbu

/* Pin-based controls (25.6.1) */
#define PIN_NMI_EXITING				 BIT(3)
#define PIN_VIRTUAL_NMIS			 BIT(5)
#define PIN_PREEMPTION_TIMER			 BIT(6)

/* Primary processor-based controls (25.6.2) */
#define PRIMARY_CR3_LOAD_EXITING		 BIT(15)
#define PRIMARY_CR3_STORE_EXITING		 BIT(16)
#define PRIMARY_NMI_WINDOW_EXITING		 BIT(22)
#define PRIMARY_USE_IO_BITMAPS			 BIT(25)
#define PRIMARY_USE_MSR_BITMAPS			 BIT(28)
#define PRIMARY_ACTIVATE_SECONDARY		 BIT(31)

/* Secondary processor-based controls (25.6.2) */
#define SECONDARY_ENABLE_EPT			 BIT(1)
#define SECONDARY_ENABLE_RDTSCP			 BIT(3)
#define SECONDARY_ENABLE_VPID			 BIT(5)
#define SECONDARY_UNRESTRICTED_GUEST		 BIT(7)
#define SECONDARY_ENABLE_INVPCID		 BIT(12)
#define SECONDARY_ENABLE_XSAVES			 BIT(20)
#define SECONDARY_ENABLE_USER_WAIT		 BIT(26)

/* VM-exit controls (25.7.1) */
#define EXIT_SAVE_DEBUG_CONTROLS		 BIT(2)
#define EXIT_HOST_ADDRESS_SPACE_SIZE		 BIT(9)
#define EXIT_SAVE_IA32_PAT			 BIT(18)
#define EXIT_LOAD_IA32_PAT			 BIT(19)
#define EXIT_SAVE_IA32_EFER			 BIT(20)
#define EXIT_LOAD_IA32_EFER			 BIT(21)

/* VM-entry controls (25.8.1) */
#define ENTRY_LOAD_DEBUG_CONTROLS		 BIT(2)
#define ENTRY_IA32E_MODE_GUEST			 BIT(9)
#define ENTRY_LOAD_IA32_PAT			 BIT(14)
#define ENTRY_LOAD_IA32_EFER			 BIT(15)

/* Interruption information: VM entry (25.8.3), VM exit (25.9.2), IDT vectoring (25.9.3) */
#define EVENT_VECTOR				 0xffu
#define EVENT_TYPE				 (7u << 8)
#define EVENT_TYPE_NMI				 (2u << 8)
#define EVENT_TYPE_HARDWARE_EXCEPTION		 (3u << 8)
#define EVENT_TYPE_SOFTWARE_INTERRUPT		 (4u << 8)
#define EVENT_TYPE_PRIVILEGED_SOFTWARE_EXCEPTION (5u << 8)
#define EVENT_TYPE_SOFTWARE_EXCEPTION		 (6u << 8)
#define EVENT_ERROR_CODE			 BIT(11)
#define EVENT_VALID				 BIT(31)

/* Interruptibility state (25.4.2) */
#define BLOCKING_BY_STI				 BIT(0)
#define BLOCKING_BY_MOV_SS			 BIT(1)
#define BLOCKING_BY_NMI				 BIT(3)

/* Activity state (25.4.2) */
#define ACTIVITY_ACTIVE				 0
#define ACTIVITY_HLT				 1
#define ACTIVITY_WAIT_FOR_SIPI			 3

/* VM-instruction error: VMLAUNCH with non-clear VMCS (31.4) */
#define VMX_ERROR_NON_CLEAR			 4

#define PENDING_DEBUG_BS			 BIT(14)

/* Exit reason (25.9.1) and qualification (28.2.1) */
#define REASON_BASIC				 0xffffu
#define REASON_ENTRY_FAILURE			 BIT(31)
#define CR_QUALIFICATION_NUMBER			 0xfu
#define CR_QUALIFICATION_ACCESS(q)		 ((q) >> 4 & 3)
#define CR_QUALIFICATION_REGISTER(q)		 ((q) >> 8 & 0xf)
#define CR_QUALIFICATION_LMSW_SOURCE(q)		 ((q) >> 16 & 0xffff)
#define IO_QUALIFICATION_SIZE			 7u /* bytes - 1 */
#define IO_QUALIFICATION_IN			 BIT(3)
#define IO_QUALIFICATION_STRING			 BIT(4)
#define IO_QUALIFICATION_PORT(q)		 ((q) >> 16 & 0xffff)
#define EPT_QUALIFICATION_WRITE			 BIT(1)
#define EPT_QUALIFICATION_FETCH			 BIT(2)
#define EPT_QUALIFICATION_LINEAR		 BIT(7) /* there is a linear address */
#define EPT_QUALIFICATION_TRANSLATED		 BIT(8) /* with bit 7: the access to what it means */
#define EPT_QUALIFICATION_NMI_UNBLOCKING	 BIT(12)
#define EPT_QUALIFICATION_ASYNCHRONOUS		 BIT(16)
#define SIPI_QUALIFICATION_VECTOR		 0xffu

enum vmx_cr_access {
	CR_ACCESS_MOV_TO,
	CR_ACCESS_MOV_FROM,
	CR_ACCESS_CLTS,
	CR_ACCESS_LMSW,
};

enum vmx_basic_reason {
	REASON_EXCEPTION_OR_NMI = 0,
	REASON_TRIPLE_FAULT = 2,
	REASON_INIT = 3,
	REASON_SIPI = 4,
	REASON_NMI_WINDOW = 8,
	REASON_TASK_SWITCH = 9,
	REASON_CPUID = 10,
	REASON_GETSEC = 11,
	REASON_INVD = 13,
	REASON_VMCALL = 18,
	REASON_VMCLEAR = 19,
	REASON_VMLAUNCH = 20,
	REASON_VMPTRLD = 21,
	REASON_VMPTRST = 22,
	REASON_VMREAD = 23,
	REASON_VMRESUME = 24,
	REASON_VMWRITE = 25,
	REASON_VMXOFF = 26,
	REASON_VMXON = 27,
	REASON_CONTROL_REGISTER = 28,
	REASON_IO = 30,
	REASON_RDMSR = 31,
	REASON_WRMSR = 32,
	REASON_INVALID_GUEST_STATE = 33,
	REASON_MSR_LOADING = 34,
	REASON_MACHINE_CHECK_AT_ENTRY = 41,
	REASON_EPT_VIOLATION = 48,
	REASON_EPT_MISCONFIGURATION = 49,
	REASON_INVEPT = 50,
	REASON_PREEMPTION_TIMER = 52,
	REASON_INVVPID = 53,
	REASON_XSETBV = 55,
	REASON_COUNT = 56,
};

#endif
#endif
