/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ACPI_H
#define ACPI_H

#include "guest.h"

/* The port of PM1a control, or 0. */
u16 acpi_pm1a_control(void);
/* Soft-off through PM1a control, as an operating system does it. */
void acpi_off(void);

#endif
