/* SPDX-License-Identifier: BSD-2-Clause */
/* From the VMCB's exit fields to neutral words. Pure: no instruction of SVM's is used. */
#ifndef KEEL_SVM_DECODE_H
#define KEEL_SVM_DECODE_H

#include "svm/vmcb.h"
#include "vmm/exit.h"

/* Fills @info from the exit fields of @control. */
void svm_decode(const struct vmcb_control *control, struct exit_info *info);

/*
 * The event that EVENTINJ must deliver again after an exit that came while @exitintinfo was being
 * delivered; 0 if there is none (a software interrupt or INT3 is executed again instead).
 */
u64 svm_event_to_reinject(u64 exitintinfo);

/*
 * Bytes of the intercepted instruction that starts at @code, of which @len bytes could be read:
 * prefixes, then a two-byte opcode, with a ModRM byte for 0F 01. 0 if it cannot be told.
 */
u8 svm_insn_length(const u8 *code, size_t len, bool long_mode);

#endif
