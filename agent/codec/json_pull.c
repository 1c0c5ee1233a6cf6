// SPDX-License-Identifier: Apache-2.0
/* A reader of JSON that keeps no tree: see json_pull.h. Pure: no memory, no I/O. */
#include "agent/codec/json_pull.h"

#include <string.h>

#include "agent/codec/utf8.h"

#define REPLACEMENT 0xfffd

void fl_pull_init(struct fl_pull *p, const char *text, size_t len)
{
	*p = (struct fl_pull){ .at = text, .end = text + len };
}

static bool bad(struct fl_pull *p, const char *problem)
{
	if (!p->problem)
		p->problem = problem;
	p->at = p->end;
	return false;
}

static char look(struct fl_pull *p)
{
	while (p->at < p->end &&
	       (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
		p->at++;
	return p->at < p->end ? *p->at : 0;
}

enum fl_pull_type fl_pull_peek(struct fl_pull *p)
{
	switch (look(p)) {
	case '{':
		return FL_PULL_OBJECT;
	case '[':
		return FL_PULL_ARRAY;
	case '"':
		return FL_PULL_STRING;
	case 'n':
		return FL_PULL_NULL;
	case 't':
	case 'f':
		return FL_PULL_BOOL;
	case '-':
	case '0' ... '9':
		return FL_PULL_NUMBER;
	default:
		bad(p, "a value is expected");
		return FL_PULL_NONE;
	}
}

static bool enter(struct fl_pull *p, bool object)
{
	uint32_t bit;

	if (p->depth == FL_PULL_MAX_DEPTH)
		return bad(p, "nested too deep");
	bit = 1U << p->depth++;
	p->started &= ~bit;
	p->in_object = object ? p->in_object | bit : p->in_object & ~bit;
	p->at++;
	return true;
}

bool fl_pull_object(struct fl_pull *p)
{
	if (fl_pull_peek(p) == FL_PULL_OBJECT)
		return enter(p, true);
	fl_pull_skip(p);
	return false;
}

bool fl_pull_array(struct fl_pull *p)
{
	if (fl_pull_peek(p) == FL_PULL_ARRAY)
		return enter(p, false);
	fl_pull_skip(p);
	return false;
}

/* To the next element: over a comma, or out of the container. */
static bool next(struct fl_pull *p, char close)
{
	uint32_t bit;
	char c = look(p);

	if (!p->depth || p->problem)
		return bad(p, "not in a container");
	bit = 1U << (p->depth - 1);
	if (c == close) {
		p->at++;
		p->depth--;
		return false;
	}
	if (p->started & bit) {
		if (c != ',')
			return bad(p, "a comma is expected");
		p->at++;
		look(p);
	}
	p->started |= bit;
	return true;
}

bool fl_pull_item(struct fl_pull *p)
{
	return next(p, ']');
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

static bool hex4(struct fl_pull *p, const char *at, unsigned int *ret)
{
	static const char digits[] = "0123456789abcdef";

	*ret = 0;
	for (int i = 0; i < 4; i++) {
		const char *d = at + i < p->end && at[i] ? strchr(digits, at[i] | 0x20) : NULL;

		/* The bit above makes '0' of a control character. */
		if (!d || at[i] < '0')
			return bad(p, "four hex digits are expected");
		*ret = *ret << 4 | (unsigned int)(d - digits);
	}
	return true;
}

/* Behind a backslash and "u": one code point, of two escapes if it has to be. */
static unsigned int unicode(struct fl_pull *p)
{
	unsigned int code, low;

	if (!hex4(p, p->at, &code))
		return REPLACEMENT;
	p->at += 4;
	if (code < 0xd800 || code > 0xdfff)
		return code ? code : REPLACEMENT;
	if (code > 0xdbff || p->end - p->at < 6 || p->at[0] != '\\' || p->at[1] != 'u' ||
	    !hex4(p, p->at + 2, &low) || low < 0xdc00 || low > 0xdfff)
		return REPLACEMENT;
	p->at += 6;
	return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

/* Where a string is copied to. @to NULL: it is only passed over. */
struct out {
	char *to;
	size_t room; /* for text, the NUL not counted */
	size_t len;
	bool full;
};

static void put(struct out *o, const char *bytes, size_t len)
{
	if (!o->to || o->full)
		return;
	if (o->len + len > o->room) {
		o->full = true;
		return;
	}
	memcpy(o->to + o->len, bytes, len);
	o->len += len;
}

static bool escape(struct fl_pull *p, struct out *o)
{
	static const char names[] = "\"\\/bfnrt", codes[] = "\"\\/\b\f\n\r\t";
	const char *name;
	char utf8[4];
	char c;

	p->at++;
	c = p->at < p->end ? *p->at++ : 0;
	if (c == 'u') {
		size_t len = put_utf8(utf8, unicode(p));

		put(o, utf8, len);
		return !p->problem;
	}
	name = c ? strchr(names, c) : NULL;
	if (!name)
		return bad(p, "unknown escape");
	put(o, &codes[name - names], 1);
	return true;
}

/* One character of more than one byte, or what is none. */
static void wide(struct fl_pull *p, struct out *o)
{
	char utf8[4];
	size_t len = 2;

	while (len <= 4 && (ptrdiff_t)len <= p->end - p->at && !fl_utf8_is_name(p->at, len))
		len++;
	if (len <= 4 && (ptrdiff_t)len <= p->end - p->at) {
		put(o, p->at, len);
		p->at += len;
	} else {
		size_t mark = put_utf8(utf8, REPLACEMENT);

		put(o, utf8, mark);
		p->at++;
	}
}

static bool string(struct fl_pull *p, struct out *o)
{
	if (look(p) != '"')
		return bad(p, "a string is expected");
	for (p->at++; p->at < p->end;) {
		const char *run = p->at;

		while (p->at < p->end && *p->at != '"' && *p->at != '\\' &&
		       (unsigned char)*p->at >= 0x20 && (unsigned char)*p->at < 0x80)
			p->at++;
		if (p->at > run) {
			size_t len = (size_t)(p->at - run);

			/* ASCII may be cut anywhere. */
			if (o->to && !o->full && len > o->room - o->len) {
				put(o, run, o->room - o->len);
				o->full = true;
			}
			put(o, run, len);
		}
		if (p->at == p->end)
			break;
		if (*p->at == '"') {
			p->at++;
			return true;
		}
		if (*p->at == '\\') {
			if (!escape(p, o))
				return false;
		} else if ((unsigned char)*p->at < 0x20) {
			put(o, " ", 1);
			p->at++;
		} else {
			wide(p, o);
		}
	}
	return bad(p, "string without end");
}

static bool word(struct fl_pull *p, const char *w)
{
	size_t len = strlen(w);

	if ((size_t)(p->end - p->at) < len || memcmp(p->at, w, len))
		return bad(p, "unknown word");
	p->at += len;
	return true;
}

static size_t digits(struct fl_pull *p)
{
	const char *start = p->at;

	while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
		p->at++;
	return (size_t)(p->at - start);
}

static bool number(struct fl_pull *p)
{
	if (*p->at == '-')
		p->at++;
	if (!digits(p))
		return bad(p, "not a number");
	if (p->at < p->end && *p->at == '.') {
		p->at++;
		if (!digits(p))
			return bad(p, "not a number");
	}
	if (p->at < p->end && (*p->at == 'e' || *p->at == 'E')) {
		p->at++;
		if (p->at < p->end && (*p->at == '+' || *p->at == '-'))
			p->at++;
		if (!digits(p))
			return bad(p, "not a number");
	}
	return true;
}

/* A value that is no container. */
static bool scalar(struct fl_pull *p, enum fl_pull_type type, struct out *o)
{
	const char *start = p->at;
	bool good;

	if (type == FL_PULL_STRING)
		return string(p, o);
	if (type == FL_PULL_NUMBER)
		good = number(p);
	else
		good = word(p, *start == 'n' ? "null" : *start == 't' ? "true" : "false");
	if (good && type != FL_PULL_NULL)
		put(o, start, (size_t)(p->at - start));
	return good;
}

bool fl_pull_key(struct fl_pull *p, char *key, size_t size)
{
	struct out o = { .to = key, .room = size - 1 };

	*key = 0;
	if (!next(p, '}') || !string(p, &o))
		return false;
	key[o.len] = 0;
	if (look(p) != ':')
		return bad(p, "a colon is expected");
	p->at++;
	return true;
}

bool fl_pull_text(struct fl_pull *p, char *buf, size_t size)
{
	struct out o = { .to = buf, .room = size - 1 };
	enum fl_pull_type type = fl_pull_peek(p);
	bool good;

	*buf = 0;
	if (type == FL_PULL_NONE)
		return false;
	if (type == FL_PULL_ARRAY || type == FL_PULL_OBJECT) {
		fl_pull_skip(p);
		return false;
	}
	good = scalar(p, type, &o);
	buf[good ? o.len : 0] = 0;
	return good && type != FL_PULL_NULL;
}

void fl_pull_skip(struct fl_pull *p)
{
	unsigned int base = p->depth;
	struct out none = { 0 };

	do {
		enum fl_pull_type type;

		if (p->depth > base) {
			bool object = p->in_object >> (p->depth - 1) & 1;

			if (!next(p, object ? '}' : ']'))
				continue;
			if (object) {
				if (!string(p, &none))
					return;
				if (look(p) != ':') {
					bad(p, "a colon is expected");
					return;
				}
				p->at++;
			}
		}
		type = fl_pull_peek(p);
		if (type == FL_PULL_OBJECT || type == FL_PULL_ARRAY)
			enter(p, type == FL_PULL_OBJECT);
		else if (type != FL_PULL_NONE)
			scalar(p, type, &none);
	} while (p->depth > base && !p->problem);
}

bool fl_pull_is_done(struct fl_pull *p)
{
	return !p->problem && !p->depth && !look(p) && p->at == p->end;
}
