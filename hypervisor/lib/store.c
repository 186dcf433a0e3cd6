/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes and computes 32-bit stores. */
#include "store.h"

#include <keel/bits.h>

#include "prefix.h"

/* Volume 1, 3.4.3. */
#define FLAG_CF BIT(0)
#define FLAG_PF BIT(2)
#define FLAG_AF BIT(4)
#define FLAG_ZF BIT(6)
#define FLAG_SF BIT(7)
#define FLAG_OF BIT(11)
#define FLAGS	(FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

/* 2.2.1.2: W makes the operand 64 bits wide, R is the fourth bit of ModRM's reg field. */
#define REX_W	BIT(3)
#define REX_R	BIT(2)

/* Of the eight operations of opcodes 0x00 to 0x3f and groups 81 and 83, the one without a store. */
#define ALU_CMP 7

/* What is left of the instruction, and its prefixes. */
struct insn {
	const u8 *code;
	size_t len; /* bytes that can be read and belong to one instruction at most */
	size_t pos;
	u8 bits;
	bool operand_size;
	bool address_size;
	bool lock;
	bool repeat; /* F2 or F3 */
	u8 rex;
};

static bool next(struct insn *insn, u8 *byte)
{
	if (insn->pos >= insn->len)
		return false;
	*byte = insn->code[insn->pos++];
	return true;
}

static bool skip(struct insn *insn, size_t bytes)
{
	if (insn->len - insn->pos < bytes)
		return false;
	insn->pos += bytes;
	return true;
}

/* A number of 1 or 4 bytes, sign-extended. */
static bool next_value(struct insn *insn, u32 bytes, u32 *value)
{
	u32 v = 0;

	for (u32 i = 0; i < bytes; i++) {
		u8 byte;

		if (!next(insn, &byte))
			return false;
		v |= (u32)byte << 8 * i;
	}
	*value = bytes == 1 && v & 0x80 ? v | 0xffffff00 : v;
	return true;
}

static bool take_prefix(struct insn *insn, u8 byte)
{
	enum prefix prefix = prefix_of(byte);

	insn->operand_size |= prefix == PREFIX_OPERAND_SIZE;
	insn->address_size |= prefix == PREFIX_ADDRESS_SIZE;
	insn->lock |= prefix == PREFIX_LOCK;
	insn->repeat |= prefix == PREFIX_REPEAT;
	return prefix != PREFIX_NONE;
}

/* Reads the prefixes and the opcode's first byte. */
static bool next_opcode(struct insn *insn, u8 *opcode)
{
	while (next(insn, opcode)) {
		if (insn->bits == 64 && *opcode >> 4 == 4) {
			insn->rex = *opcode;
			continue;
		}
		if (!take_prefix(insn, *opcode))
			return true;
		/* 2.2.1: a REX prefix counts only right before the opcode. */
		insn->rex = 0;
	}
	return false;
}

/*
 * Volume 1, 3.6, and 2.2.1.2: is the operand 32 bits wide? MOVNTI's is in 16-bit code as well; it
 * does not take the prefix.
 */
static bool is_dword(const struct insn *insn, u8 opcode)
{
	bool other_default = insn->bits == 16 && opcode != 0x0f;

	return insn->operand_size == other_default && !(insn->rex & REX_W);
}

/* Volume 1, 3.6. */
static u8 address_bits(const struct insn *insn)
{
	if (!insn->address_size)
		return insn->bits;
	return insn->bits == 32 ? 16 : 32;
}

/* Table 2-1: the bytes of displacement behind ModRM. */
static size_t displacement16(u8 mod, u8 rm)
{
	if (mod == 0)
		return rm == 6 ? 2 : 0;
	return mod;
}

/* Tables 2-2 and 2-3; @base: of the SIB byte where there is one, else ModRM's rm field. */
static size_t displacement32(u8 mod, u8 base)
{
	if (mod == 0)
		return base == 5 ? 4 : 0;
	return mod == 1 ? 1 : 4;
}

/* Reads ModRM and all that belongs to the address; false also for a register in its place. */
static bool next_modrm(struct insn *insn, u8 *reg)
{
	u8 modrm, mod, base;

	if (!next(insn, &modrm) || modrm >> 6 == 3)
		return false;
	mod = modrm >> 6;
	base = modrm & 7;
	*reg = modrm >> 3 & 7;
	if (address_bits(insn) == 16)
		return skip(insn, displacement16(mod, base));
	if (base == 4 && !next(insn, &base))
		return false;
	return skip(insn, displacement32(mod, base & 7));
}

static bool register_source(struct insn *insn, enum store_op op, struct store *store)
{
	u8 reg;

	if (!next_modrm(insn, &reg))
		return false;
	store->op = op;
	store->reg = insn->rex & REX_R ? reg + 8 : reg;
	return true;
}

/* C7 /0 */
static bool move_immediate(struct insn *insn, struct store *store)
{
	u8 reg;

	if (!next_modrm(insn, &reg) || reg != 0)
		return false;
	store->immediate = true;
	return next_value(insn, 4, &store->value);
}

/* 81 and 83, with an immediate of @bytes. */
static bool alu_immediate(struct insn *insn, u32 bytes, struct store *store)
{
	u8 reg;

	if (!next_modrm(insn, &reg) || reg == ALU_CMP)
		return false;
	store->op = (enum store_op)(STORE_ADD + reg);
	store->immediate = true;
	return next_value(insn, bytes, &store->value);
}

/* F7 has NOT at 2 and NEG at 3, FF has INC at 0 and DEC at 1. */
static bool no_source(struct insn *insn, u8 first, enum store_op op, struct store *store)
{
	u8 reg;

	if (!next_modrm(insn, &reg) || reg < first || reg > first + 1)
		return false;
	store->op = (enum store_op)(op + (reg - first));
	store->immediate = true;
	return true;
}

/* 0F C3, which takes neither F2 nor F3. */
static bool movnti(struct insn *insn, struct store *store)
{
	u8 opcode;

	if (insn->repeat || !next(insn, &opcode) || opcode != 0xc3)
		return false;
	return register_source(insn, STORE_MOV, store);
}

static bool decode(struct insn *insn, u8 opcode, struct store *store)
{
	switch (opcode) {
	case 0x01:
	case 0x09:
	case 0x11:
	case 0x19:
	case 0x21:
	case 0x29:
	case 0x31:
		return register_source(insn, (enum store_op)(STORE_ADD + (opcode >> 3)), store);
	case 0x0f:
		return movnti(insn, store);
	case 0x81:
		return alu_immediate(insn, 4, store);
	case 0x83:
		return alu_immediate(insn, 1, store);
	case 0x87:
		return register_source(insn, STORE_XCHG, store);
	case 0x89:
		return register_source(insn, STORE_MOV, store);
	case 0xa3: /* from EAX to the address that follows */
		return skip(insn, address_bits(insn) / 8);
	case 0xab:
		store->stos = true;
		return !insn->repeat;
	case 0xc7:
		return move_immediate(insn, store);
	case 0xf7:
		return no_source(insn, 2, STORE_NOT, store);
	case 0xff:
		return no_source(insn, 0, STORE_INC, store);
	default:
		return false;
	}
}

bool store_decode(const u8 *code, size_t len, u8 bits, struct store *out)
{
	struct insn insn = {
		.code = code,
		.len = len < STORE_LENGTH_MAX ? len : STORE_LENGTH_MAX,
		.bits = bits,
	};
	struct store store = {.op = STORE_MOV};
	u8 opcode;

	if (bits != 16 && bits != 32 && bits != 64)
		return false;
	if (!next_opcode(&insn, &opcode) || !is_dword(&insn, opcode))
		return false;
	if (!decode(&insn, opcode, &store))
		return false;
	/* What only writes cannot be locked. */
	if (insn.lock && store.op == STORE_MOV)
		return false;
	store.length = (u8)insn.pos;
	store.address_bits = address_bits(&insn);
	*out = store;
	return true;
}

/* The flags that follow from the result alone; the rest of the arithmetic ones become 0. */
static u32 result_flags(u32 flags, u32 result)
{
	u32 parity = result & 0xff;

	parity ^= parity >> 4;
	parity ^= parity >> 2;
	parity ^= parity >> 1;
	flags &= ~FLAGS;
	flags |= parity & 1 ? 0 : FLAG_PF;
	flags |= result ? 0 : FLAG_ZF;
	flags |= result >> 31 ? FLAG_SF : 0;
	return flags;
}

static u32 add(u32 a, u32 b, u32 carry, u32 *flags)
{
	u64 wide = (u64)a + b + carry;
	u32 result = (u32)wide;

	*flags = result_flags(*flags, result);
	*flags |= wide >> 32 ? FLAG_CF : 0;
	*flags |= (a ^ b ^ result) & 0x10 ? FLAG_AF : 0;
	*flags |= ((a ^ result) & (b ^ result)) >> 31 ? FLAG_OF : 0;
	return result;
}

static u32 subtract(u32 a, u32 b, u32 borrow, u32 *flags)
{
	u32 result = a - b - borrow;

	*flags = result_flags(*flags, result);
	*flags |= (u64)a < (u64)b + borrow ? FLAG_CF : 0;
	*flags |= (a ^ b ^ result) & 0x10 ? FLAG_AF : 0;
	*flags |= ((a ^ b) & (a ^ result)) >> 31 ? FLAG_OF : 0;
	return result;
}

static u32 logic(u32 result, u32 *flags)
{
	*flags = result_flags(*flags, result);
	return result;
}

/* INC and DEC leave CF as it was. */
static u32 count(u32 old, bool up, u32 *flags)
{
	u32 carry = *flags & FLAG_CF;
	u32 result = up ? add(old, 1, 0, flags) : subtract(old, 1, 0, flags);

	*flags = (*flags & ~FLAG_CF) | carry;
	return result;
}

u32 store_result(const struct store *store, u32 old, u32 source, u32 *flags)
{
	u32 b = store->immediate ? store->value : source;
	u32 carry = *flags & FLAG_CF;

	switch (store->op) {
	case STORE_ADD:
		return add(old, b, 0, flags);
	case STORE_OR:
		return logic(old | b, flags);
	case STORE_ADC:
		return add(old, b, carry, flags);
	case STORE_SBB:
		return subtract(old, b, carry, flags);
	case STORE_AND:
		return logic(old & b, flags);
	case STORE_SUB:
		return subtract(old, b, 0, flags);
	case STORE_XOR:
		return logic(old ^ b, flags);
	case STORE_NOT:
		return ~old;
	case STORE_NEG:
		return subtract(0, old, 0, flags);
	case STORE_INC:
	case STORE_DEC:
		return count(old, store->op == STORE_INC, flags);
	default: /* MOV and XCHG */
		return b;
	}
}
