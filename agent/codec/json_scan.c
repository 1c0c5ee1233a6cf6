// SPDX-License-Identifier: Apache-2.0
/* A validating scanner: recursive descent, as deep as FL_JSON_MAX_DEPTH. See json_scan.h. */
#include "agent/codec/json_scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/hash.h"
#include "agent/codec/utf8.h"

struct scan {
	const char *at;
	const char *start;
	const char *end;
	const char *problem; /* NULL so far */
	const char *where;
	char text[96]; /* of a problem that is not a constant */
	bool no_memory;
	struct fl_json_wide *wide;
};

/* A key of the object at hand, behind its struct, without quotes and escapes. */
struct key {
	UT_hash_handle hh;
	size_t len;
	char text[];
};

static bool value(struct scan *s, unsigned int depth);

static bool bad(struct scan *s, const char *where, const char *problem)
{
	if (!s->problem) {
		s->problem = problem;
		s->where = where;
	}
	return false;
}

static void space(struct scan *s)
{
	while (s->at < s->end &&
	       (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

static bool next_is(struct scan *s, char c)
{
	space(s);
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static bool word(struct scan *s, const char *w)
{
	size_t len = strlen(w);

	if ((size_t)(s->end - s->at) < len || memcmp(s->at, w, len))
		return bad(s, s->at,
			   "not a value; allowed are objects, arrays, strings, numbers, "
			   "true, false, null");
	s->at += len;
	return true;
}

static bool hex4(const char *p, const char *end, unsigned int *ret)
{
	char digits[5] = { 0 };

	if (end - p < 4)
		return false;
	memcpy(digits, p, 4);
	if (strspn(digits, "0123456789abcdefABCDEF") != 4)
		return false;
	*ret = (unsigned int)strtoul(digits, NULL, 16);
	return true;
}

/* Behind a backslash. Surrogates come in pairs. */
static bool escape(struct scan *s)
{
	unsigned int code, low;

	if (s->at == s->end)
		return bad(s, s->at, "string without end");
	if (*s->at != 'u') {
		if (!*s->at || !strchr("\"\\/bfnrt", *s->at))
			return bad(s, s->at, "unknown escape in a string");
		s->at++;
		return true;
	}
	if (!hex4(s->at + 1, s->end, &code))
		return bad(s, s->at, "\\u needs four hex digits");
	if (!code)
		return bad(s, s->at, "a string may not hold the character NUL");
	s->at += 5;
	if (code >= 0xdc00 && code <= 0xdfff)
		return bad(s, s->at, "half of a surrogate pair");
	if (code < 0xd800 || code > 0xdbff)
		return true;
	if (s->end - s->at < 6 || s->at[0] != '\\' || s->at[1] != 'u' ||
	    !hex4(s->at + 2, s->end, &low) || low < 0xdc00 || low > 0xdfff)
		return bad(s, s->at, "half of a surrogate pair");
	s->at += 6;
	return true;
}

static bool string(struct scan *s)
{
	const char *start = s->at;

	if (s->at == s->end || *s->at != '"')
		return bad(s, s->at, "a string is expected here");
	for (s->at++; s->at < s->end;) {
		unsigned char c = (unsigned char)*s->at;

		if (c == '"') {
			if (!fl_utf8_is_name(start, (size_t)(s->at - start)))
				return bad(s, start, "string is not UTF-8");
			s->at++;
			return true;
		}
		if (c < 0x20)
			return bad(s, s->at, "control character in a string; write it as \\u00XX");
		s->at++;
		if (c == '\\' && !escape(s))
			return false;
	}
	return bad(s, start, "string without end");
}

static bool out_of_memory(struct scan *s)
{
	s->no_memory = true;
	return bad(s, s->at, "out of memory");
}

/* Does a whole number fit int64_t or uint64_t? */
static bool fits(const char *start, const char *end)
{
	char text[24];
	size_t len = (size_t)(end - start);

	if (len >= sizeof(text))
		return false;
	memcpy(text, start, len);
	text[len] = 0;
	errno = 0;
	if (*text == '-')
		(void)strtoll(text, NULL, 10);
	else
		(void)strtoull(text, NULL, 10);
	return !errno;
}

static bool note_wide(struct scan *s)
{
	struct fl_json_wide *w = s->wide;
	size_t *grown;

	/* The list doubles whenever its length is a power of two. */
	if (!(w->count & (w->count - 1))) {
		grown = realloc(w->ends, (w->count ? 2 * w->count : 1) * sizeof(*grown));
		if (!grown)
			return out_of_memory(s);
		w->ends = grown;
	}
	w->ends[w->count++] = (size_t)(s->at - s->start);
	return true;
}

static size_t digits(struct scan *s)
{
	const char *start = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return (size_t)(s->at - start);
}

static bool number(struct scan *s)
{
	const char *start = s->at, *whole;
	bool zero;

	if (*s->at == '-')
		s->at++;
	zero = s->at < s->end && *s->at == '0';
	switch (digits(s)) {
	case 0:
		return bad(s, start, "not a number");
	case 1:
		break;
	default:
		if (zero)
			return bad(s, start, "a number may not start with 0");
	}
	whole = s->at;
	if (s->at < s->end && *s->at == '.') {
		s->at++;
		if (!digits(s))
			return bad(s, start, "not a number");
	}
	if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
		s->at++;
		if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
			s->at++;
		if (!digits(s))
			return bad(s, start, "not a number");
	}
	return s->at != whole || fits(start, whole) || note_wide(s);
}

static size_t put_utf8(char *to, unsigned int code)
{
	size_t tail = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const unsigned char leads[] = { 0, 0xc0, 0xe0, 0xf0 };

	to[0] = (char)(leads[tail] | code >> (6 * tail));
	for (size_t i = 1; i <= tail; i++)
		to[i] = (char)(0x80 | (code >> (6 * (tail - i)) & 0x3f));
	return tail + 1;
}

/* What a good string says, quotes and escapes away; never longer than its text. Return: bytes. */
static size_t plain(const char *text, size_t len, char *to)
{
	static const char names[] = "bfnrt", codes[] = "\b\f\n\r\t";
	const char *end = text + len - 1, *name;
	unsigned int code = 0, low = 0;
	size_t n = 0;

	for (const char *p = text + 1; p < end;) {
		if (*p != '\\') {
			to[n++] = *p++;
			continue;
		}
		name = strchr(names, p[1]);
		if (p[1] != 'u') {
			to[n++] = name ? codes[name - names] : p[1];
			p += 2;
			continue;
		}
		hex4(p + 2, end, &code);
		p += 6;
		if (code >= 0xd800 && code <= 0xdbff) {
			hex4(p + 2, end, &low);
			code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
			p += 6;
		}
		n += put_utf8(to + n, code);
	}
	return n;
}

/* Keys are compared by what they say: an escape more or less makes no other key. */
static bool add_key(struct scan *s, struct key **keys, const char *text, size_t len)
{
	struct key *key = calloc(1, sizeof(*key) + len), *found;

	if (!key)
		return out_of_memory(s);
	key->len = plain(text, len, key->text);
	HASH_FIND(hh, *keys, key->text, key->len, found);
	if (found) {
		free(key);
		if (len > 60)
			for (len = 60; len > 1 && (text[len] & 0xc0) == 0x80;)
				len--; /* not within a character */
		snprintf(s->text, sizeof(s->text), "key %.*s stands twice in one object", (int)len,
			 text);
		return bad(s, text, s->text);
	}
	HASH_ADD_KEYPTR(hh, *keys, key->text, key->len, key);
	return true;
}

static bool members(struct scan *s, unsigned int depth, struct key **keys)
{
	const char *start;

	do {
		space(s);
		start = s->at;
		if (!string(s) || !add_key(s, keys, start, (size_t)(s->at - start)))
			return false;
		if (!next_is(s, ':'))
			return bad(s, s->at, "\":\" is expected behind a key");
		if (!value(s, depth))
			return false;
	} while (next_is(s, ','));
	return next_is(s, '}') || bad(s, s->at, "\",\" or \"}\" is expected here");
}

static bool object(struct scan *s, unsigned int depth)
{
	struct key *keys = NULL, *key, *tmp;
	bool good;

	s->at++;
	if (next_is(s, '}'))
		return true;
	good = members(s, depth, &keys);
	HASH_ITER(hh, keys, key, tmp) {
		HASH_DEL(keys, key);
		free(key);
	}
	return good;
}

static bool array(struct scan *s, unsigned int depth)
{
	s->at++;
	if (next_is(s, ']'))
		return true;
	do {
		if (!value(s, depth))
			return false;
	} while (next_is(s, ','));
	return next_is(s, ']') || bad(s, s->at, "\",\" or \"]\" is expected here");
}

static bool value(struct scan *s, unsigned int depth)
{
	space(s);
	if (s->at == s->end)
		return bad(s, s->at, "the text ends where a value is expected");
	if (depth == FL_JSON_MAX_DEPTH)
		return bad(s, s->at, "nested too deep");
	switch (*s->at) {
	case '{':
		return object(s, depth + 1);
	case '[':
		return array(s, depth + 1);
	case '"':
		return string(s);
	case 't':
		return word(s, "true");
	case 'f':
		return word(s, "false");
	case 'n':
		return word(s, "null");
	default:
		if (*s->at == '-' || (*s->at >= '0' && *s->at <= '9'))
			return number(s);
		return word(s, "true"); /* for its message */
	}
}

int fl_json_scan(const char *text, size_t len, struct fl_json_wide *ret_wide,
		 struct fl_json_error *why)
{
	struct scan s = { .at = text, .start = text, .end = text + len, .wide = ret_wide };

	if (value(&s, 0)) {
		space(&s);
		if (s.at == s.end)
			return 0;
		bad(&s, s.at, "something stands behind the value");
	}
	if (s.no_memory)
		return -ENOMEM;
	snprintf(why->problem, sizeof(why->problem), "%s", s.problem);
	why->line = 1;
	why->column = 1;
	for (const char *p = text; p < s.where; p++) {
		why->column++;
		if (*p == '\n') {
			why->line++;
			why->column = 1;
		}
	}
	return -EBADMSG;
}
