/* SPDX-License-Identifier: BSD-2-Clause */
/* printf-style formatting without allocation. */
#include <keel/types.h>

#include "format.h"
#include "string.h"

struct out {
	char *buf;
	size_t size;
	size_t len; /* what the whole text has so far, written or not */
};

/* One conversion: % [flags] [width] [.precision] [length] letter */
struct spec {
	bool left;
	bool zero;
	bool negative;
	u32 width;
	int precision; /* < 0: none */
	u32 length;    /* bytes of the argument of an integer conversion */
};

/* Enough for 2^64 - 1 in base 10. */
#define DIGITS_MAX 20

static void put(struct out *out, char c)
{
	if (out->len + 1 < out->size)
		out->buf[out->len] = c;
	out->len++;
}

static void put_n(struct out *out, const char *s, size_t n)
{
	while (n--)
		put(out, *s++);
}

static void pad(struct out *out, char c, size_t have, size_t want)
{
	for (; have < want; have++)
		put(out, c);
}

/*
 * Divides *@v by @base (at most 16) and returns the remainder: schoolbook division by 16-bit
 * digits, because a 32-bit build has no 64-bit division without the compiler's library.
 */
static u32 divide(u64 *v, u32 base)
{
	u64 quotient = 0;
	u32 rest = 0;

	for (int shift = 48; shift >= 0; shift -= 16) {
		rest = rest << 16 | (u32)(*v >> shift & 0xffff);
		quotient |= (u64)(rest / base) << shift;
		rest %= base;
	}
	*v = quotient;
	return rest;
}

/* Puts [spaces] @prefix [zeros] @text [spaces]. */
static void put_number(struct out *out, const struct spec *spec, const char *prefix,
		       const char *text, size_t len)
{
	size_t head = strlen(prefix);
	size_t digits = len;

	/* As in C: a precision is a least number of digits, and switches the flag 0 off. */
	if (spec->precision >= 0 && (size_t)spec->precision > digits)
		digits = (size_t)spec->precision;
	else if (spec->precision < 0 && spec->zero && !spec->left && spec->width > head + digits)
		digits = spec->width - head;
	if (!spec->left)
		pad(out, ' ', head + digits, spec->width);
	put_n(out, prefix, head);
	pad(out, '0', len, digits);
	put_n(out, text, len);
	if (spec->left)
		pad(out, ' ', head + digits, spec->width);
}

static void put_integer(struct out *out, const struct spec *spec, const char *prefix, u64 v,
			u32 base)
{
	char text[DIGITS_MAX];
	size_t at = sizeof(text);

	/* As in C: zero with precision 0 has no digits. */
	while (v || (at == sizeof(text) && spec->precision != 0))
		text[--at] = "0123456789abcdef"[divide(&v, base)];
	put_number(out, spec, prefix, text + at, sizeof(text) - at);
}

static void put_text(struct out *out, const struct spec *spec, const char *s, size_t len)
{
	if (!spec->left)
		pad(out, ' ', len, spec->width);
	put_n(out, s, len);
	if (spec->left)
		pad(out, ' ', len, spec->width);
}

static void put_string(struct out *out, const struct spec *spec, const char *s)
{
	if (!s)
		s = "(null)";
	put_text(out, spec, s,
		 spec->precision < 0 ? strlen(s) : strnlen(s, (size_t)spec->precision));
}

/* A decimal number; one that is absurd stops growing instead of overflowing. */
static const char *parse_number(const char *p, u32 *number)
{
	for (*number = 0; *p >= '0' && *p <= '9'; p++) {
		if (*number < 100000)
			*number = *number * 10 + (u32)(*p - '0');
	}
	return p;
}

/* Parses what stands between % and the letter; returns the letter's place. */
static const char *parse_spec(const char *p, struct spec *spec, va_list *ap)
{
	u32 number;

	*spec = (struct spec){.precision = -1, .length = sizeof(int)};
	for (; *p == '0' || *p == '-'; p++) {
		if (*p == '0')
			spec->zero = true;
		else
			spec->left = true;
	}
	p = parse_number(p, &spec->width);
	if (*p == '.' && p[1] == '*') {
		spec->precision = va_arg(*ap, int);
		p += 2;
	} else if (*p == '.') {
		p = parse_number(p + 1, &number);
		spec->precision = (int)number;
	}
	if (*p == 'l' && p[1] == 'l') {
		spec->length = sizeof(long long);
		p += 2;
	} else if (*p == 'l') {
		spec->length = sizeof(long);
		p++;
	} else if (*p == 'z') {
		spec->length = sizeof(size_t);
		p++;
	}
	return p;
}

static u64 take_unsigned(const struct spec *spec, va_list *ap)
{
	if (spec->length == sizeof(u64))
		return va_arg(*ap, u64);
	return va_arg(*ap, u32);
}

static u64 take_signed(struct spec *spec, va_list *ap)
{
	s64 v;

	if (spec->length == sizeof(s64))
		v = va_arg(*ap, s64);
	else
		v = va_arg(*ap, int);
	spec->negative = v < 0;
	return spec->negative ? 0 - (u64)v : (u64)v;
}

/* Puts the argument that the letter @c asks for. False if the letter is unknown. */
static bool convert(struct out *out, struct spec *spec, char c, va_list *ap)
{
	u64 v;

	switch (c) {
	case 'c':
		put_text(out, spec, (char[]){(char)va_arg(*ap, int)}, 1);
		return true;
	case 's':
		put_string(out, spec, va_arg(*ap, const char *));
		return true;
	case 'd':
	case 'i':
		v = take_signed(spec, ap);
		put_integer(out, spec, spec->negative ? "-" : "", v, 10);
		return true;
	case 'u':
		put_integer(out, spec, "", take_unsigned(spec, ap), 10);
		return true;
	case 'x':
		put_integer(out, spec, "", take_unsigned(spec, ap), 16);
		return true;
	case 'p':
		put_integer(out, spec, "0x", (uintptr_t)va_arg(*ap, void *), 16);
		return true;
	case '%':
		put(out, '%');
		return true;
	default:
		return false;
	}
}

static void format(struct out *out, const char *fmt, va_list *ap)
{
	while (*fmt) {
		struct spec spec;
		const char *letter;

		if (*fmt != '%') {
			put(out, *fmt++);
			continue;
		}
		letter = parse_spec(fmt + 1, &spec, ap);
		if (convert(out, &spec, *letter, ap)) {
			fmt = letter + 1;
			continue;
		}
		put_n(out, fmt, (size_t)(letter - fmt) + (*letter != '\0'));
		fmt = letter + (*letter != '\0');
	}
}

int keel_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out out = {buf, size, 0};
	va_list args;

	/* A copy, because the address of a parameter of type va_list has another type. */
	va_copy(args, ap);
	format(&out, fmt, &args);
	va_end(args);
	if (size)
		buf[out.len < size ? out.len : size - 1] = '\0';
	return (int)out.len;
}

int keel_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = keel_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return len;
}
