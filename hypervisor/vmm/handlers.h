/* SPDX-License-Identifier: BSD-2-Clause */
/* The handlers in vmm/exit.c's table. Each decides what becomes of one kind of exit. */
#ifndef KEEL_VMM_HANDLERS_H
#define KEEL_VMM_HANDLERS_H

#include "vmm/exit.h"

void exit_cpuid(struct percpu *cpu, const struct exit_info *info);
void exit_rdmsr(struct percpu *cpu, const struct exit_info *info);
void exit_wrmsr(struct percpu *cpu, const struct exit_info *info);
void exit_cr(struct percpu *cpu, const struct exit_info *info);
void exit_io(struct percpu *cpu, const struct exit_info *info);
void exit_memory(struct percpu *cpu, const struct exit_info *info);
void exit_hypercall(struct percpu *cpu, const struct exit_info *info);
void exit_xsetbv(struct percpu *cpu, const struct exit_info *info);
void exit_invd(struct percpu *cpu, const struct exit_info *info);
void exit_hidden_insn(struct percpu *cpu, const struct exit_info *info);
void exit_task_switch(struct percpu *cpu, const struct exit_info *info);
void exit_triple_fault(struct percpu *cpu, const struct exit_info *info);
void exit_init(struct percpu *cpu, const struct exit_info *info);
void exit_sipi(struct percpu *cpu, const struct exit_info *info);
void exit_nmi(struct percpu *cpu, const struct exit_info *info);
void exit_nmi_window(struct percpu *cpu, const struct exit_info *info);

#endif
