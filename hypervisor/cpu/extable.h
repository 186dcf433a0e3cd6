/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions of Keel's that may fault on purpose. Each lists where it is and where to go on
 * instead; offsets are relative to the entry's own fields, so that they need no relocation.
 */
#ifndef KEEL_CPU_EXTABLE_H
#define KEEL_CPU_EXTABLE_H

/* In inline assembly: label 1 may fault, execution goes on at label 2. */
#define EXTABLE_1_TO_2                     \
	"\t.pushsection .extable, \"a\"\n" \
	"\t.balign 4\n"                    \
	"\t.long 1b - .\n"                 \
	"\t.long 2b - .\n"                 \
	"\t.popsection\n"

#endif
