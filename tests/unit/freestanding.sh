#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What may compiled code of the hypervisor's pure parts call? Nothing of the compiler's library
# (64-bit division in a 32-bit build), and lib/string.c nothing at all: it is what compilers turn
# copying loops into, and would call itself for ever.
#
# usage: freestanding.sh HYPERVISOR

cd "$1" || exit 1
object=$(mktemp)
trap 'rm -f "$object"' EXIT
status=0

for source in lib/*.c; do
	case $source in
	lib/string.c) allowed=- levels='-Og -Os -O2 -O3' ;;
	*) allowed='[a-z][a-z0-9_]*' levels=-O2 ;;
	esac
	for flags in $levels; do
		for width in -m32 -m64; do
			gcc $width $flags -std=gnu11 -ffreestanding -fno-builtin -mgeneral-regs-only \
				-I include -I . -c -o "$object" "$source" || exit 1
			called=$(nm -u "$object" | awk '{ print $2 }' |
				grep -vxE "_GLOBAL_OFFSET_TABLE_|$allowed")
			[ -z "$called" ] && continue
			echo "hypervisor/$source:1: gcc $width $flags makes it call" $called
			status=1
		done
	done
done
exit $status
