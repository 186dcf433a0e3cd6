/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decodes an instruction that stores 32 bits to a device register (Intel SDM volume 2, chapters 2
 * to 5). An exit has said where to: only the length, the kind and the source are wanted.
 */
#ifndef KEEL_LIB_STORE_H
#define KEEL_LIB_STORE_H

#include <keel/types.h>

enum store_op {
	STORE_MOV, /* also MOVNTI and STOS */
	STORE_XCHG,
	/* In the order of their opcodes. */
	STORE_ADD,
	STORE_OR,
	STORE_ADC,
	STORE_SBB,
	STORE_AND,
	STORE_SUB,
	STORE_XOR,
	/* These have no source. */
	STORE_NOT,
	STORE_NEG,
	STORE_INC,
	STORE_DEC,
};

/* The longest instruction there is, in bytes. */
#define STORE_LENGTH_MAX 15u

struct store {
	u8 length; /* bytes, prefixes included */
	enum store_op op;
	bool immediate;	 /* the source is no register: @value, or there is none */
	u32 value;	 /* sign-extended; 0 where there is none */
	u8 reg;		 /* the source register's number, 0 to 15, if not @immediate, else 0 */
	bool stos;	 /* the caller also moves (R/E)DI by 4, down if RFLAGS.DF is set */
	u8 address_bits; /* 16, 32 or 64: for STOS, whether that is DI, EDI or RDI */
};

/*
 * Decodes the instruction that begins at @code, of which @len bytes can be read. @bits: 16, 32 or
 * 64, the code segment's default. False, and *@out untouched: not one of these, not a store of 32
 * bits to memory, illegal (a LOCK that does not belong there, over 15 bytes), REP STOS, or
 * truncated.
 */
bool store_decode(const u8 *code, size_t len, u8 bits, struct store *out);

/*
 * What is written, given the device register's @old content and the low 32 bits of the source
 * register in @source (not looked at if there is none). *@flags gets the arithmetic flags as the
 * instruction leaves them: CF, PF, AF, ZF, SF and OF; other bits stay. The undefined AF of AND, OR
 * and XOR becomes 0, as CPUs have it. After STORE_XCHG the caller puts @old into the register.
 */
u32 store_result(const struct store *store, u32 old, u32 source, u32 *flags);

#endif
