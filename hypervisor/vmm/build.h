/* SPDX-License-Identifier: BSD-2-Clause */
/* What this Keel was built of (scripts/describe-build). */
#ifndef KEEL_VMM_BUILD_H
#define KEEL_VMM_BUILD_H

/* Follows from the sources and the options. */
extern const char build_id[];
/* Lines NAME=value. */
extern const char build_options[];

#endif
