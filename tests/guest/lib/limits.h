/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes that C and assembly share. */
#ifndef LIMITS_H
#define LIMITS_H

#define MAX_CPUS 8

#endif
