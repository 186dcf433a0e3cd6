/* SPDX-License-Identifier: BSD-2-Clause */
/* A file of its own, since it is compiled after every change of any other. */
#include "vmm/build.h"

#include <generated/build.h>
#include <keel/abi.h>

const char build_id[] = BUILD_ID;
const char build_options[] = BUILD_OPTIONS;

_Static_assert(sizeof(build_options) <= KEEL_OPTIONS_MAX, "all options are in the table");
