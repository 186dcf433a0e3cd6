/* SPDX-License-Identifier: BSD-2-Clause */
/* Keel's own command line. */
#include "cmdline.h"
#include "string.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The value of the last word @key or "key=value" and its length, NULL if there is none. */
static const char *find_value(const char *line, const char *key, size_t *len)
{
	size_t key_len = strlen(key);
	const char *value = NULL;

	while (*line) {
		const char *word = line;

		while (*line && !is_blank(*line))
			line++;
		if ((size_t)(line - word) >= key_len && !strncmp(word, key, key_len)) {
			const char *rest = word + key_len;

			if (rest == line || *rest == '=') {
				value = rest == line ? rest : rest + 1;
				*len = (size_t)(line - value);
			}
		}
		while (is_blank(*line))
			line++;
	}
	return value;
}

bool cmdline_get(const char *line, const char *key, char *value, size_t size)
{
	size_t len = 0;
	const char *found = find_value(line, key, &len);

	if (!found || len >= size)
		return false;
	memcpy(value, found, len);
	value[len] = '\0';
	return true;
}

/* The value of a digit of any base up to 16; 16 if it is none. */
static u32 digit(char c)
{
	if (c >= '0' && c <= '9')
		return (u32)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (u32)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (u32)(c - 'A') + 10;
	return 16;
}

bool cmdline_get_u64(const char *line, const char *key, u64 *value)
{
	size_t len = 0;
	const char *s = find_value(line, key, &len);
	u32 base = 10;
	u64 limit = UINT64_MAX / 10;
	u64 v = 0;

	if (s && len > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		limit = UINT64_MAX / 16;
		s += 2;
		len -= 2;
	}
	if (!s || !len)
		return false;
	for (; len; len--, s++) {
		u32 d = digit(*s);

		if (d >= base || v > limit || v * base > UINT64_MAX - d)
			return false;
		v = v * base + d;
	}
	*value = v;
	return true;
}
