/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/store.c: encodings as an assembler makes them, and flags as the host's CPU leaves them. */
#include "test.h"

#include "lib/store.h"

/* In this order the operations of opcodes 0x00 to 0x3f, and of groups 81 and 83. */
#define CMP	7

#define CODE(s) (const u8 *)(s), sizeof(s) - 1
#define REG(n)             \
	{                  \
		.reg = (n) \
	}
#define IMM(v)                                  \
	{                                       \
		.immediate = true, .value = (v) \
	}
#define NO_SOURCE                 \
	{                         \
		.immediate = true \
	}
#define STOS(n)                                   \
	{                                         \
		.stos = true, .address_bits = (n) \
	}

struct encoding {
	u8 bits;
	const u8 *code;
	size_t len;
	enum store_op op;
	struct store want; /* @address_bits only if not 0 */
};

/* clang-format off */
static const struct encoding encodings[] = {
	/* mov %eax,0xffffffffff5fb300 */
	{ 64, CODE("\x89\x04\x25\x00\xb3\x5f\xff"), STORE_MOV, REG(0) },
	/* movabs %eax,0xfffffffffee00300 */
	{ 64, CODE("\xa3\x00\x03\xe0\xfe\xff\xff\xff\xff"), STORE_MOV, REG(0) },
	/* addr32 mov %eax,0xfee00300 */
	{ 64, CODE("\x67\xa3\x00\x03\xe0\xfe"), STORE_MOV, REG(0) },
	/* movl $0xc4500,0xffffffffff5fb300 */
	{ 64, CODE("\xc7\x04\x25\x00\xb3\x5f\xff\x00\x45\x0c\x00"), STORE_MOV, IMM(0xc4500) },
	/* mov %edx,(%rdi) */
	{ 64, CODE("\x89\x17"), STORE_MOV, REG(2) },
	/* mov %r9d,0x300(%rax) */
	{ 64, CODE("\x44\x89\x88\x00\x03\x00\x00"), STORE_MOV, REG(9) },
	/* mov %r15d,-0x10(%r13,%r12,8) */
	{ 64, CODE("\x47\x89\x7c\xe5\xf0"), STORE_MOV, REG(15) },
	/* mov %esi,0x300(%rip) */
	{ 64, CODE("\x89\x35\x00\x03\x00\x00"), STORE_MOV, REG(6) },
	/* mov %ecx,(%r12) */
	{ 64, CODE("\x41\x89\x0c\x24"), STORE_MOV, REG(1) },
	/* mov %ecx,(%r13) */
	{ 64, CODE("\x41\x89\x4d\x00"), STORE_MOV, REG(1) },
	/* mov %ecx,(%rbp,%rax,4) */
	{ 64, CODE("\x89\x4c\x85\x00"), STORE_MOV, REG(1) },
	/* mov %ecx,0x310(,%rax,4) */
	{ 64, CODE("\x89\x0c\x85\x10\x03\x00\x00"), STORE_MOV, REG(1) },
	/* mov %ebx,0x10(%eax) */
	{ 64, CODE("\x67\x89\x58\x10"), STORE_MOV, REG(3) },
	/* mov %ebp,%gs:0x10(%rax) */
	{ 64, CODE("\x65\x89\x68\x10"), STORE_MOV, REG(5) },
	/* movl $-1,0x80(%rcx) */
	{ 64, CODE("\xc7\x81\x80\x00\x00\x00\xff\xff\xff\xff"), STORE_MOV, IMM(0xffffffff) },
	/* movl $0,0xb0(%rip) */
	{ 64, CODE("\xc7\x05\xb0\x00\x00\x00\x00\x00\x00\x00"), STORE_MOV, IMM(0x0) },
	/* movnti %r11d,0x300(%rsi) */
	{ 64, CODE("\x44\x0f\xc3\x9e\x00\x03\x00\x00"), STORE_MOV, REG(11) },
	/* xchg %r8d,0x300(%rax) */
	{ 64, CODE("\x44\x87\x80\x00\x03\x00\x00"), STORE_XCHG, REG(8) },
	/* lock xchg %edi,(%rax,%rbx) */
	{ 64, CODE("\xf0\x87\x3c\x18"), STORE_XCHG, REG(7) },
	/* add %edx,(%rax) */
	{ 64, CODE("\x01\x10"), STORE_ADD, REG(2) },
	/* lock or %edx,(%rax) */
	{ 64, CODE("\xf0\x09\x10"), STORE_OR, REG(2) },
	/* adc %r10d,(%rax) */
	{ 64, CODE("\x44\x11\x10"), STORE_ADC, REG(10) },
	/* sbb %edx,0x10(%rax) */
	{ 64, CODE("\x19\x50\x10"), STORE_SBB, REG(2) },
	/* and %edx,0x100(%rax) */
	{ 64, CODE("\x21\x90\x00\x01\x00\x00"), STORE_AND, REG(2) },
	/* sub %edx,(%r8) */
	{ 64, CODE("\x41\x29\x10"), STORE_SUB, REG(2) },
	/* lock xor %r12d,(%rsp) */
	{ 64, CODE("\xf0\x44\x31\x24\x24"), STORE_XOR, REG(12) },
	/* orl $0x100,0xf0(%rax) */
	{ 64, CODE("\x81\x88\xf0\x00\x00\x00\x00\x01\x00\x00"), STORE_OR, IMM(0x100) },
	/* andl $-2,0xf0(%rax) */
	{ 64, CODE("\x83\xa0\xf0\x00\x00\x00\xfe"), STORE_AND, IMM(0xfffffffe) },
	/* lock andl $0xfffeffff,0x350(%rip) */
	{ 64, CODE("\xf0\x81\x25\x50\x03\x00\x00\xff\xff\xfe\xff"), STORE_AND, IMM(0xfffeffff) },
	/* addl $0x7f,(%rax) */
	{ 64, CODE("\x83\x00\x7f"), STORE_ADD, IMM(0x7f) },
	/* adcl $-0x80,(%rax) */
	{ 64, CODE("\x83\x10\x80"), STORE_ADC, IMM(0xffffff80) },
	/* sbbl $0x80,(%rax) */
	{ 64, CODE("\x81\x18\x80\x00\x00\x00"), STORE_SBB, IMM(0x80) },
	/* subl $1,0x380(%rdi) */
	{ 64, CODE("\x83\xaf\x80\x03\x00\x00\x01"), STORE_SUB, IMM(0x1) },
	/* xorl $0x10000,(%r14) */
	{ 64, CODE("\x41\x81\x36\x00\x00\x01\x00"), STORE_XOR, IMM(0x10000) },
	/* incl 0x300(%rax) */
	{ 64, CODE("\xff\x80\x00\x03\x00\x00"), STORE_INC, NO_SOURCE },
	/* lock decl (%rax) */
	{ 64, CODE("\xf0\xff\x08"), STORE_DEC, NO_SOURCE },
	/* notl (%r9,%r10,2) */
	{ 64, CODE("\x43\xf7\x14\x51"), STORE_NOT, NO_SOURCE },
	/* lock negl 0x10(%rip) */
	{ 64, CODE("\xf0\xf7\x1d\x10\x00\x00\x00"), STORE_NEG, NO_SOURCE },
	/* stos %eax,(%rdi) */
	{ 64, CODE("\xab"), STORE_MOV, STOS(64) },
	/* stos %eax,(%edi) */
	{ 64, CODE("\x67\xab"), STORE_MOV, STOS(32) },
	/* mov %eax,0xfee00300 */
	{ 32, CODE("\xa3\x00\x03\xe0\xfe"), STORE_MOV, REG(0) },
	/* mov %ecx,0xfee00310 */
	{ 32, CODE("\x89\x0d\x10\x03\xe0\xfe"), STORE_MOV, REG(1) },
	/* mov %esp,0x10(%ebx,%esi,2) */
	{ 32, CODE("\x89\x64\x73\x10"), STORE_MOV, REG(4) },
	/* mov %ebx,-4(%ebp) */
	{ 32, CODE("\x89\x5d\xfc"), STORE_MOV, REG(3) },
	/* mov %ebx,(%bx,%si) */
	{ 32, CODE("\x67\x89\x18"), STORE_MOV, REG(3) },
	/* mov %ebx,0x300(%di) */
	{ 32, CODE("\x67\x89\x9d\x00\x03"), STORE_MOV, REG(3) },
	/* addr16 mov %ebx,0x300 */
	{ 32, CODE("\x67\x89\x1e\x00\x03"), STORE_MOV, REG(3) },
	/* addr16 mov %eax,0x300 */
	{ 32, CODE("\x67\xa3\x00\x03"), STORE_MOV, REG(0) },
	/* mov %edi,%fs:(%eax) */
	{ 32, CODE("\x64\x89\x38"), STORE_MOV, REG(7) },
	/* movl $0xc4600,0xfee00300 */
	{ 32, CODE("\xc7\x05\x00\x03\xe0\xfe\x00\x46\x0c\x00"), STORE_MOV, IMM(0xc4600) },
	/* movl $5,0x10(%bp) */
	{ 32, CODE("\x67\xc7\x46\x10\x05\x00\x00\x00"), STORE_MOV, IMM(0x5) },
	/* movnti %edx,(%eax) */
	{ 32, CODE("\x0f\xc3\x10"), STORE_MOV, REG(2) },
	/* xchg %eax,0xfee000b0 */
	{ 32, CODE("\x87\x05\xb0\x00\xe0\xfe"), STORE_XCHG, REG(0) },
	/* lock add %eax,(%esp) */
	{ 32, CODE("\xf0\x01\x04\x24"), STORE_ADD, REG(0) },
	/* orl $0xfffff000,0x10(%eax,%ecx,8) */
	{ 32, CODE("\x81\x4c\xc8\x10\x00\xf0\xff\xff"), STORE_OR, IMM(0xfffff000) },
	/* subl $2,0xfee00380 */
	{ 32, CODE("\x83\x2d\x80\x03\xe0\xfe\x02"), STORE_SUB, IMM(0x2) },
	/* incl 0xfee00300 */
	{ 32, CODE("\xff\x05\x00\x03\xe0\xfe"), STORE_INC, NO_SOURCE },
	/* notl (%esi) */
	{ 32, CODE("\xf7\x16"), STORE_NOT, NO_SOURCE },
	/* stos %eax,%es:(%edi) */
	{ 32, CODE("\xab"), STORE_MOV, STOS(32) },
	/* stos %eax,%es:(%di) */
	{ 32, CODE("\x67\xab"), STORE_MOV, STOS(16) },
	/* mov %eax,0x300 */
	{ 16, CODE("\x66\xa3\x00\x03"), STORE_MOV, REG(0) },
	/* addr32 mov %eax,0xfee00300 */
	{ 16, CODE("\x67\x66\xa3\x00\x03\xe0\xfe"), STORE_MOV, REG(0) },
	/* mov %ecx,0x300 */
	{ 16, CODE("\x66\x89\x0e\x00\x03"), STORE_MOV, REG(1) },
	/* mov %ecx,(%bp) */
	{ 16, CODE("\x66\x89\x4e\x00"), STORE_MOV, REG(1) },
	/* mov %esi,%es:0x300(%bx,%di) */
	{ 16, CODE("\x26\x66\x89\xb1\x00\x03"), STORE_MOV, REG(6) },
	/* mov %esi,(%bp,%si) */
	{ 16, CODE("\x66\x89\x32"), STORE_MOV, REG(6) },
	/* mov %ecx,0x300(%eax) */
	{ 16, CODE("\x67\x66\x89\x88\x00\x03\x00\x00"), STORE_MOV, REG(1) },
	/* mov %ecx,(%eax,%ebx,4) */
	{ 16, CODE("\x67\x66\x89\x0c\x98"), STORE_MOV, REG(1) },
	/* movl $0xc4500,(%edi) */
	{ 16, CODE("\x67\x66\xc7\x07\x00\x45\x0c\x00"), STORE_MOV, IMM(0xc4500) },
	/* movl $0x12345678,-2(%bx) */
	{ 16, CODE("\x66\xc7\x47\xfe\x78\x56\x34\x12"), STORE_MOV, IMM(0x12345678) },
	/* movnti %ebp,(%si) */
	{ 16, CODE("\x0f\xc3\x2c"), STORE_MOV, REG(5) },
	/* xchg %edx,0x10(%si) */
	{ 16, CODE("\x66\x87\x54\x10"), STORE_XCHG, REG(2) },
	/* lock andl $-0x100,(%bx) */
	{ 16, CODE("\x66\xf0\x81\x27\x00\xff\xff\xff"), STORE_AND, IMM(0xffffff00) },
	/* xorl $-1,(%edx) */
	{ 16, CODE("\x67\x66\x83\x32\xff"), STORE_XOR, IMM(0xffffffff) },
	/* decl 0x1234 */
	{ 16, CODE("\x66\xff\x0e\x34\x12"), STORE_DEC, NO_SOURCE },
	/* negl (%ebp) */
	{ 16, CODE("\x67\x66\xf7\x5d\x00"), STORE_NEG, NO_SOURCE },
	/* stos %eax,%es:(%di) */
	{ 16, CODE("\x66\xab"), STORE_MOV, STOS(16) },
	/* stos %eax,%es:(%edi) */
	{ 16, CODE("\x67\x66\xab"), STORE_MOV, STOS(32) },
};
/* clang-format on */

/* Decodes exactly @len bytes: the sanitizer sees what is read behind them. */
static bool decode(const u8 *code, size_t len, u8 bits, struct store *out)
{
	u8 *copy = exact_copy(code, len);
	struct store untouched;
	bool ok;

	memset(out, 0xa5, sizeof(*out));
	untouched = *out;
	ok = store_decode(copy, len, bits, out);
	free(copy);
	if (!ok)
		assert_memory_equal(out, &untouched, sizeof(untouched));
	else
		assert_true(out->length && out->length <= len && out->length <= STORE_LENGTH_MAX);
	return ok;
}

static void check_same(const struct store *got, const struct store *want)
{
	assert_int_equal(got->length, want->length);
	assert_int_equal(got->op, want->op);
	assert_int_equal(got->immediate, want->immediate);
	assert_int_equal(got->value, want->value);
	assert_int_equal(got->reg, want->reg);
	assert_int_equal(got->stos, want->stos);
	assert_int_equal(got->address_bits, want->address_bits);
}

static struct store expected(const struct encoding *e)
{
	struct store want = e->want;

	want.op = e->op;
	want.length = (u8)e->len;
	if (!want.address_bits)
		want.address_bits = e->bits;
	/* In the table the prefix is the first or second byte, and nothing else there is 0x67. */
	if (!want.stos && (e->code[0] == 0x67 || e->code[1] == 0x67))
		want.address_bits = e->bits == 32 ? 16 : 32;
	return want;
}

static void known_encodings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(encodings); i++) {
		const struct encoding *e = &encodings[i];
		struct store want = expected(e), got;
		u8 longer[32];

		assert_true(decode(e->code, e->len, e->bits, &got));
		check_same(&got, &want);
		/* What follows does not matter, and nothing is left out. */
		for (u32 fill = 0; fill < 256; fill++) {
			memset(longer, (int)fill, sizeof(longer));
			memcpy(longer, e->code, e->len);
			assert_true(decode(longer, sizeof(longer), e->bits, &got));
			check_same(&got, &want);
		}
		for (size_t len = 0; len < e->len; len++)
			assert_false(decode(e->code, len, e->bits, &got));
	}
}

static void code_of_no_known_width(void **state)
{
	struct store got;

	(void)state;
	for (u32 bits = 0; bits < 256; bits++)
		if (bits != 16 && bits != 32 && bits != 64)
			for (size_t i = 0; i < ARRAY_SIZE(encodings); i++)
				assert_false(decode(encodings[i].code, encodings[i].len, (u8)bits,
						    &got));
}

/* --- Prefixes --- */

static bool has_lock(const struct encoding *e)
{
	return e->code[0] == 0xf0 || e->code[1] == 0xf0;
}

static bool is_movnti(const struct encoding *e)
{
	return memchr(e->code, 0xc3, e->len) != NULL;
}

/* Puts @count times @prefix in front. */
static bool decode_prefixed(const struct encoding *e, u8 prefix, u32 count, struct store *got)
{
	u8 code[64];

	memset(code, prefix, count);
	memcpy(code + count, e->code, e->len);
	return decode(code, count + e->len, e->bits, got);
}

static void segment_prefixes(void **state)
{
	static const u8 segments[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(encodings); i++) {
		const struct encoding *e = &encodings[i];

		for (u32 s = 0; s < ARRAY_SIZE(segments); s++) {
			for (u32 count = 1; count < 18; count++) {
				struct store want = expected(e), got;
				bool fits = e->len + count <= STORE_LENGTH_MAX;

				assert_int_equal(decode_prefixed(e, segments[s], count, &got),
						 fits);
				want.length = (u8)(want.length + count);
				if (fits)
					check_same(&got, &want);
			}
		}
	}
}

static void lock_and_repeat_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(encodings); i++) {
		const struct encoding *e = &encodings[i];
		bool fits = e->len < STORE_LENGTH_MAX, writes_only = e->op == STORE_MOV;
		bool repeat_ok = !e->want.stos && !is_movnti(e);
		struct store got;

		assert_int_equal(decode_prefixed(e, 0xf0, 1, &got), fits && !writes_only);
		assert_int_equal(decode_prefixed(e, 0xf2, 1, &got), fits && repeat_ok);
		assert_int_equal(decode_prefixed(e, 0xf3, 1, &got), fits && repeat_ok);
		assert_false(writes_only && has_lock(e));
	}
}

static void operand_size_prefix(void **state)
{
	struct store got;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(encodings); i++) {
		const struct encoding *e = &encodings[i];
		bool ok = e->bits == 16 && !is_movnti(e);

		/* In 16-bit code it is there already: a second one says no more. */
		assert_int_equal(decode_prefixed(e, 0x66, 1, &got), ok);
		/* What is 32 bits wide in one kind of code is 16 in the other. */
		if (e->bits != 64 && !is_movnti(e))
			assert_false(decode(e->code, e->len, e->bits ^ 48, &got));
	}
	assert_true(decode((const u8 *)"\x0f\xc3\x04", 3, 16, &got));
	assert_int_equal(got.length, 3);
	assert_false(decode((const u8 *)"\x66\x0f\xc3\x04", 4, 16, &got));
}

static void rex_prefixes(void **state)
{
	struct store got;

	(void)state;
	for (u32 rex = 0x40; rex < 0x50; rex++) {
		u8 mov[] = {(u8)rex, 0x89, 0x1d, 1, 2, 3, 4};
		u8 early[] = {(u8)rex, 0x2e, 0x89, 0x1d, 1, 2, 3, 4};
		u8 late[] = {0x48, (u8)rex, 0x89, 0x1c, 0x25, 1, 2, 3, 4};

		assert_int_equal(decode(mov, sizeof(mov), 64, &got), !(rex & 8));
		if (!(rex & 8))
			assert_int_equal(got.reg, rex & 4 ? 11 : 3);
		/* A prefix behind it takes its meaning away; of two the last counts. */
		assert_true(decode(early, sizeof(early), 64, &got));
		assert_int_equal(got.reg, 3);
		assert_int_equal(decode(late, sizeof(late), 64, &got), !(rex & 8));
		/* INC and DEC of a register elsewhere. */
		assert_false(decode(mov, sizeof(mov), 32, &got));
		assert_false(decode(mov, sizeof(mov), 16, &got));
	}
	/* The source of these is EAX, or none, whatever REX says. */
	assert_true(decode((const u8 *)"\x45\xab", 2, 64, &got));
	assert_int_equal(got.reg, 0);
	assert_true(decode((const u8 *)"\x45\xa3\1\2\3\4\5\6\7\x8", 10, 64, &got));
	assert_int_equal(got.reg, 0);
	assert_int_equal(got.length, 10);
	assert_true(decode((const u8 *)"\x44\xff\x00", 3, 64, &got));
	assert_int_equal(got.op, STORE_INC);
	assert_false(decode((const u8 *)"\x48\xab", 2, 64, &got));
	assert_false(decode((const u8 *)"\x66\x48\x89\x18", 4, 64, &got));
}

static void address_size_prefix(void **state)
{
	static const struct {
		u8 bits;
		u8 plain; /* bytes of MOV [moffs], EAX without the prefix */
		u8 other;
	} cases[] = {{16, 3, 5}, {32, 5, 3}, {64, 9, 5}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 code[12] = {0x67, 0xa3}, size = cases[i].bits == 16;
		struct store got;

		if (size)
			memcpy(code, "\x67\x66\xa3", 3);
		assert_true(decode(code + 1, 11, cases[i].bits, &got));
		assert_int_equal(got.length, cases[i].plain + size);
		assert_int_equal(got.address_bits, cases[i].bits);
		assert_true(decode(code, 12, cases[i].bits, &got));
		assert_int_equal(got.length, cases[i].other + size + 1);
		assert_int_equal(got.address_bits, cases[i].bits == 32 ? 16 : 32);
	}
}

/* --- Every opcode, ModRM and SIB byte --- */

/* Tables 2-1 and 2-2 of volume 2, by mod and rm: the bytes behind ModRM. */
static const u8 behind16[3][8] = {
	{0, 0, 0, 0, 0, 0, 2, 0},
	{1, 1, 1, 1, 1, 1, 1, 1},
	{2, 2, 2, 2, 2, 2, 2, 2},
};
static const u8 behind32[3][8] = {
	{0, 0, 0, 0, 1, 4, 0, 0},
	{1, 1, 1, 1, 2, 1, 1, 1},
	{4, 4, 4, 4, 5, 4, 4, 4},
};

static u32 address_length(u8 address_bits, u8 modrm, u8 sib)
{
	u8 mod = modrm >> 6, rm = modrm & 7;

	if (address_bits == 16)
		return 1 + behind16[mod][rm];
	return 1 + behind32[mod][rm] + (mod == 0 && rm == 4 && (sib & 7) == 5 ? 4 : 0);
}

/* What the manual's opcode map says: the operation of @opcode with @reg, and its immediate. */
static bool is_store(u8 opcode, u8 reg, enum store_op *op, u32 *immediate)
{
	*immediate = opcode == 0x81 || opcode == 0xc7 ? 4 : opcode == 0x83;
	if (opcode == 0x89 || (opcode == 0xc7 && reg == 0))
		*op = STORE_MOV;
	else if (opcode == 0x87)
		*op = STORE_XCHG;
	else if (opcode == 0xff && reg < 2)
		*op = reg ? STORE_DEC : STORE_INC;
	else if (opcode == 0xf7 && (reg == 2 || reg == 3))
		*op = reg == 2 ? STORE_NOT : STORE_NEG;
	else if (opcode < 0x38 && (opcode & 7) == 1)
		*op = (enum store_op)(STORE_ADD + opcode / 8);
	else if ((opcode == 0x81 || opcode == 0x83) && reg != CMP)
		*op = (enum store_op)(STORE_ADD + reg);
	else
		return false;
	return true;
}

static void check_modrm(u8 bits, u8 address_bits, u8 opcode, u8 modrm, u8 sib)
{
	u8 code[16] = {0}, *p = code, reg = modrm >> 3 & 7;
	enum store_op op = STORE_MOV;
	struct store got;
	u32 immediate, len;

	if (address_bits != bits)
		*p++ = 0x67;
	if (bits == 16)
		*p++ = 0x66;
	*p++ = opcode;
	*p++ = modrm;
	*p++ = sib;
	if (modrm >> 6 == 3 || !is_store(opcode, reg, &op, &immediate)) {
		assert_false(store_decode(code, sizeof(code), bits, &got));
		return;
	}
	len = (u32)(p - 2 - code) + address_length(address_bits, modrm, sib) + immediate;
	assert_true(store_decode(code, sizeof(code), bits, &got));
	assert_int_equal(got.length, len);
	assert_int_equal(got.op, op);
	assert_int_equal(got.reg, immediate || op >= STORE_NOT ? 0 : reg);
	assert_int_equal(got.immediate, immediate || op >= STORE_NOT);
	assert_int_equal(got.address_bits, address_bits);
	assert_false(store_decode(code, len - 1, bits, &got));
}

static bool is_tested_elsewhere(u8 bits, u8 opcode)
{
	static const u8 known[] = {0x0f, 0xa3, 0xab, 0x26, 0x2e, 0x36, 0x3e,
				   0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};

	return memchr(known, opcode, sizeof(known)) || (bits == 64 && opcode >> 4 == 4);
}

static void all_opcodes(void **state)
{
	static const u8 widths[][2] = {
		{16, 16}, {16, 32}, {32, 32}, {32, 16}, {64, 64}, {64, 32},
	};

	(void)state;
	for (u32 w = 0; w < ARRAY_SIZE(widths); w++)
		for (u32 opcode = 0; opcode < 256; opcode++)
			for (u32 modrm = 0; modrm < 256; modrm++)
				for (u32 sib = 0; sib < 256; sib += 1 + 2 * (modrm & 7))
					if (!is_tested_elsewhere(widths[w][0], (u8)opcode))
						check_modrm(widths[w][0], widths[w][1], (u8)opcode,
							    (u8)modrm, (u8)sib);
}

static void all_two_byte_opcodes(void **state)
{
	struct store got;

	(void)state;
	for (u32 opcode = 0; opcode < 256; opcode++) {
		for (u32 modrm = 0; modrm < 256; modrm++) {
			u8 code[12] = {0x0f, (u8)opcode, (u8)modrm};
			bool want = opcode == 0xc3 && modrm < 0xc0;

			for (u32 bits = 16; bits <= 64; bits *= 2)
				assert_int_equal(store_decode(code, 12, (u8)bits, &got), want);
		}
	}
}

static void immediates_are_sign_extended(void **state)
{
	struct store got;

	(void)state;
	for (u32 i = 0; i < 256; i++) {
		u8 byte[] = {0x83, 0x08, (u8)i};
		u8 dword[] = {0xc7, 0x00, 0x44, 0x33, 0x22, (u8)i};

		assert_true(decode(byte, sizeof(byte), 32, &got));
		assert_int_equal(got.value, (u32)(int8_t)i);
		assert_true(decode(dword, sizeof(dword), 32, &got));
		assert_int_equal(got.value, i << 24 | 0x223344);
	}
}

/* Whatever the bytes are: never past the end, and the length is right. */
static void random_code(void **state)
{
	static const u8 common[] = {0x66, 0x67, 0xf0, 0x2e, 0x44, 0x89, 0xc7, 0x81, 0x83, 0xff,
				    0xf7, 0x0f, 0xc3, 0xa3, 0x87, 0x24, 0x84, 0x05, 0xab, 0x01};

	(void)state;
	for (u32 i = 0; i < 300000; i++) {
		size_t len = random_below(20);
		u8 bits = (u8)(16u << random_below(3)), code[20];
		struct store got, again;

		for (size_t k = 0; k < len; k++)
			code[k] = random_below(3) ? common[random_below(ARRAY_SIZE(common))]
						  : (u8)random_u64();
		if (!decode(code, len, bits, &got))
			continue;
		assert_false(decode(code, got.length - 1u, bits, &again));
		assert_true(decode(code, got.length, bits, &again));
		check_same(&again, &got);
	}
}

/* --- Results and flags, beside the host's --- */

#define ARITHMETIC 0x8d5u
#define CF	   0x001u
#define AF	   0x010u
#define OF	   0x800u

/*
 * SAHF and LAHF move all the flags but OF through AH; none of the instructions takes OF in. The
 * stack stays as it is: a compiler may have data below its pointer.
 */
#define ON_HOST(name, insn)                                                       \
	static u32 host_##name(u32 old, u32 source, u32 *flags)                   \
	{                                                                         \
		u32 eax = (*flags & 0xff) << 8;                                   \
                                                                                  \
		__asm__("sahf\n\t" insn "\n\tlahf\n\tseto %%al"                   \
			: "+&a"(eax), "+&r"(old)                                  \
			: "r"(source)                                             \
			: "cc");                                                  \
		*flags = (*flags & ~ARITHMETIC) | (eax >> 8 & ARITHMETIC & 0xff); \
		*flags |= eax & 1 ? OF : 0;                                       \
		return old;                                                       \
	}

ON_HOST(add, "addl %2, %1")
ON_HOST(or, "orl %2, %1")
ON_HOST(adc, "adcl %2, %1")
ON_HOST(sbb, "sbbl %2, %1")
ON_HOST(and, "andl %2, %1")
ON_HOST(sub, "subl %2, %1")
ON_HOST(xor, "xorl %2, %1")
ON_HOST(neg, "negl %1")
ON_HOST(inc, "incl %1")
ON_HOST(dec, "decl %1")

static const struct {
	enum store_op op;
	u32 (*host)(u32 old, u32 source, u32 *flags);
	bool af_undefined;
} operations[] = {
	{STORE_ADD, host_add, false}, {STORE_OR, host_or, true},    {STORE_ADC, host_adc, false},
	{STORE_SBB, host_sbb, false}, {STORE_AND, host_and, true},  {STORE_SUB, host_sub, false},
	{STORE_XOR, host_xor, true},  {STORE_NEG, host_neg, false}, {STORE_INC, host_inc, false},
	{STORE_DEC, host_dec, false},
};

static void check_result(u32 i, u32 old, u32 source, u32 flags)
{
	struct store store = {.op = operations[i].op};
	u32 mine = flags, hosts = flags, want = operations[i].host(old, source, &hosts);

	assert_int_equal(store_result(&store, old, source, &mine), want);
	if (operations[i].af_undefined) {
		assert_int_equal(mine & AF, 0);
		hosts &= ~AF;
	}
	assert_int_equal(mine, hosts);
	/* The same from an immediate; then the register says nothing. */
	store.immediate = true;
	store.value = source;
	mine = flags;
	assert_int_equal(store_result(&store, old, ~source, &mine), want);
	assert_int_equal(mine, hosts);
}

static void results_as_the_hosts(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(operations); i++) {
		for (u32 a = 0; a < ARRAY_SIZE(nasty); a++)
			for (u32 b = 0; b < ARRAY_SIZE(nasty); b++)
				for (u32 cf = 0; cf < 2; cf++) {
					check_result(i, nasty[a], nasty[b], cf);
					check_result(i, nasty[a], nasty[b], ~0u ^ cf);
				}
		for (u32 n = 0; n < 50000; n++) {
			u64 numbers = random_u64();

			check_result(i, (u32)numbers, (u32)(numbers >> 32), (u32)random_u64());
		}
	}
}

static void moves_leave_the_flags(void **state)
{
	struct store mov = {.op = STORE_MOV}, xchg = {.op = STORE_XCHG};
	struct store not = {.op = STORE_NOT, .immediate = true};

	(void)state;
	for (u32 n = 0; n < 10000; n++) {
		u32 old = (u32)random_u64(), source = (u32)random_u64();
		u32 before = (u32)random_u64(), flags = before;

		mov.immediate = n & 1;
		mov.value = ~source;
		assert_int_equal(store_result(&mov, old, source, &flags), n & 1 ? ~source : source);
		assert_int_equal(store_result(&xchg, old, source, &flags), source);
		assert_int_equal(store_result(&not, old, source, &flags), ~old);
		assert_int_equal(flags, before);
	}
}

/* Decoded and carried out: no source register is needed where there is none. */
static void from_code_to_result(void **state)
{
	static const struct {
		const u8 *code;
		size_t len;
		u32 want;
		u32 flags;
	} cases[] = {
		{CODE("\xff\x00"), 0x100, CF | 0x14},	   /* incl: CF stays; AF, PF */
		{CODE("\xff\x08"), 0xfe, CF},		   /* decl */
		{CODE("\xf7\x10"), 0xffffff00, CF},	   /* notl: as before */
		{CODE("\xf7\x18"), 0xffffff01, CF | 0x90}, /* negl: SF, AF */
		{CODE("\x83\x00\x01"), 0x100, 0x14},	   /* addl $1 */
		{CODE("\x83\x10\xff"), 0xff, CF | 0x14},   /* adcl $-1 */
		{CODE("\xc7\x00\x01\x02\x03\x04"), 0x04030201, CF},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct store store;
		u32 flags = CF;

		assert_true(decode(cases[i].code, cases[i].len, 64, &store));
		assert_true(store.immediate);
		assert_int_equal(store_result(&store, 0xff, 0xdeadbeef, &flags), cases[i].want);
		assert_int_equal(flags, cases[i].flags);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(known_encodings),	 cmocka_unit_test(code_of_no_known_width),
	cmocka_unit_test(segment_prefixes),	 cmocka_unit_test(lock_and_repeat_prefixes),
	cmocka_unit_test(operand_size_prefix),	 cmocka_unit_test(rex_prefixes),
	cmocka_unit_test(address_size_prefix),	 cmocka_unit_test(all_opcodes),
	cmocka_unit_test(all_two_byte_opcodes),	 cmocka_unit_test(immediates_are_sign_extended),
	cmocka_unit_test(random_code),		 cmocka_unit_test(results_as_the_hosts),
	cmocka_unit_test(moves_leave_the_flags), cmocka_unit_test(from_code_to_result),
};

TEST_MAIN(tests)
