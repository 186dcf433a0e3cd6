/* SPDX-License-Identifier: BSD-2-Clause */
/* Does the hypervisor below let a kick through? */
#ifndef KEEL_VMM_KICK_TRIAL_H
#define KEEL_VMM_KICK_TRIAL_H

/*
 * Kicks each other CPU twice and refuses the machine if one does not come, or comes again and again. On
 * the boot CPU, above another hypervisor, when the others are halted and the guest does not run yet.
 */
void kick_trial(void);

#endif
