/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEEL_VMM_BACKEND_CHOICE_H
#define KEEL_VMM_BACKEND_CHOICE_H

/*
 * Sets `backend` and initialises it; refuses (does not return) if there is none or it cannot be
 * used.
 */
void backend_choose(void);

#endif
