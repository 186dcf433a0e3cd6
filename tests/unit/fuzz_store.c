/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the decoder of stores: raw code, and good instructions that the input damages. */
#include "fuzz.h"

#include "lib/store.h"

/* One of each form. */
static const u8 good[][11] = {
	{0x89, 0x04, 0x25, 0x00, 0xb3, 0x5f, 0xff},
	{0xc7, 0x84, 0x25, 0x00, 0xb3, 0x5f, 0xff, 0x00, 0x45, 0x0c, 0x00},
	{0x44, 0x0f, 0xc3, 0x9e, 0x00, 0x03, 0x00, 0x00},
	{0xf0, 0x81, 0x25, 0x50, 0x03, 0x00, 0x00, 0xff, 0xff, 0xfe, 0xff},
	{0x67, 0x66, 0x83, 0x44, 0x98, 0x10, 0xff},
	{0xa3, 0x00, 0x03, 0xe0, 0xfe, 0xff, 0xff, 0xff, 0xff},
	{0xf3, 0x87, 0x05, 0xb0, 0x00, 0xe0, 0xfe},
	{0x67, 0xf7, 0x5d, 0x00},
};

static void use(const struct store *store, u32 old, u32 source)
{
	u32 flags = old ^ source, before = flags;

	store_result(store, old, source, &flags);
	check(!((flags ^ before) & ~0x8d5u));
}

/* Of @len bytes that end where the sanitizer sees a read. */
static void decode(const u8 *bytes, size_t len, u8 bits)
{
	u8 *code = malloc(len ? len : 1);
	struct store store, again;

	check(code != NULL);
	memcpy(code, bytes, len);
	if (store_decode(code, len, bits, &store)) {
		check(store.length && store.length <= len && store.length <= STORE_LENGTH_MAX);
		check(bits == 64 ? store.reg < 16 : store.reg < 8);
		check(!store_decode(code, store.length - 1u, bits, &again));
		check(store_decode(code, store.length, bits, &again));
		check(again.length == store.length && again.op == store.op);
		use(&store, store.value, (u32)len * 0x01010101u);
	}
	free(code);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = {data, size};
	u8 bits = (u8)(16u << take(&in, 1) % 3), code[STORE_LENGTH_MAX + 1] = {0};
	size_t which = take(&in, 1) % ARRAY_SIZE(good), skipped = take(&in, 1) % 3;

	memcpy(code + skipped, good[which], sizeof(good[which]));
	/* What the rows do not fill is prefixes in front. */
	for (size_t i = 0; i < skipped; i++)
		code[i] = 0x2e;
	damage(&in, code, sizeof(code), 3);
	for (size_t len = 0; len <= sizeof(code); len++)
		decode(code, len, bits);
	decode(in.data, in.size < 64 ? in.size : 64, bits);
	return 0;
}
