/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounded reader and writer for wire formats, big-endian. A reader or writer that ran over its end
 * stays failed and yields zeros, so that callers check once, at the end.
 */
#ifndef FL_AGENT_BASE_BUF_H
#define FL_AGENT_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fl_reader {
	const uint8_t *pos;
	const uint8_t *end;
	bool failed;
};

struct fl_writer {
	uint8_t *start;
	uint8_t *pos;
	uint8_t *end;
	bool failed;
};

static inline struct fl_reader fl_reader(const void *data, size_t len)
{
	const uint8_t *p = data;

	return (struct fl_reader){ .pos = p, .end = p + len };
}

static inline size_t fl_reader_left(const struct fl_reader *r)
{
	return (size_t)(r->end - r->pos);
}

/* The next @len bytes, borrowed, or NULL. */
static inline const uint8_t *fl_read_bytes(struct fl_reader *r, size_t len)
{
	const uint8_t *p = r->pos;

	if (r->failed || fl_reader_left(r) < len) {
		r->failed = true;
		return NULL;
	}
	r->pos += len;
	return p;
}

static inline uint8_t fl_read_u8(struct fl_reader *r)
{
	const uint8_t *p = fl_read_bytes(r, 1);

	return p ? p[0] : 0;
}

static inline uint16_t fl_read_u16(struct fl_reader *r)
{
	const uint8_t *p = fl_read_bytes(r, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t fl_read_u32(struct fl_reader *r)
{
	const uint8_t *p = fl_read_bytes(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t fl_read_u64(struct fl_reader *r)
{
	uint64_t high = fl_read_u32(r);

	return high << 32 | fl_read_u32(r);
}

static inline struct fl_writer fl_writer(void *data, size_t len)
{
	uint8_t *p = data;

	return (struct fl_writer){ .start = p, .pos = p, .end = p + len };
}

static inline size_t fl_writer_len(const struct fl_writer *w)
{
	return (size_t)(w->pos - w->start);
}

/* Room for @len bytes to be filled in by the caller, or NULL. */
static inline uint8_t *fl_write_room(struct fl_writer *w, size_t len)
{
	uint8_t *p = w->pos;

	if (w->failed || (size_t)(w->end - w->pos) < len) {
		w->failed = true;
		return NULL;
	}
	w->pos += len;
	return p;
}

static inline void fl_write_bytes(struct fl_writer *w, const void *data, size_t len)
{
	uint8_t *p = fl_write_room(w, len);

	if (p && len)
		memcpy(p, data, len);
}

static inline void fl_put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void fl_put_u32(uint8_t *p, uint32_t v)
{
	fl_put_u16(p, (uint16_t)(v >> 16));
	fl_put_u16(p + 2, (uint16_t)v);
}

static inline void fl_write_u8(struct fl_writer *w, uint8_t v)
{
	fl_write_bytes(w, &v, 1);
}

static inline void fl_write_u16(struct fl_writer *w, uint16_t v)
{
	uint8_t *p = fl_write_room(w, 2);

	if (p)
		fl_put_u16(p, v);
}

static inline void fl_write_u32(struct fl_writer *w, uint32_t v)
{
	uint8_t *p = fl_write_room(w, 4);

	if (p)
		fl_put_u32(p, v);
}

static inline void fl_write_u64(struct fl_writer *w, uint64_t v)
{
	fl_write_u32(w, (uint32_t)(v >> 32));
	fl_write_u32(w, (uint32_t)v);
}

#endif
