/* SPDX-License-Identifier: BSD-2-Clause */
/* Picks the subarch: everything that differs by width is in the file included here. */
#ifndef KEEL_MODE_MODE_H
#define KEEL_MODE_MODE_H

#include <generated/autoconf.h>

#if defined(CONFIG_SUBARCH_AMD64)
#include "mode/amd64/subarch.h"
#endif

#endif
