/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON read from front to back, without a tree and without memory: for large texts from others. One
 * minute of one Zoom participant is two kilobytes; a tree of it costs 40 us, reading it 4.
 *
 * Forgiving where text goes: what is no UTF-8, halves of surrogate pairs and NUL become U+FFFD, a
 * key may stand twice. The structure itself must hold: the first mistake in it makes the reader
 * fail, and a failed reader yields nothing more, so that callers check once, at the end.
 */
#ifndef FL_AGENT_CODEC_JSON_PULL_H
#define FL_AGENT_CODEC_JSON_PULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FL_PULL_MAX_DEPTH 32

struct fl_pull {
	const char *at;
	const char *end;
	const char *problem; /* NULL: none so far */
	unsigned int depth;
	uint32_t in_object; /* a bit for each level */
	uint32_t started;   /* a bit for each level: something was read there */
};

enum fl_pull_type {
	FL_PULL_NONE, /* failed, or nothing there */
	FL_PULL_NULL,
	FL_PULL_BOOL,
	FL_PULL_NUMBER,
	FL_PULL_STRING,
	FL_PULL_ARRAY,
	FL_PULL_OBJECT,
};

/* @text is borrowed and needs no NUL at its end. */
void fl_pull_init(struct fl_pull *p, const char *text, size_t len);

/* What comes next; nothing is consumed. */
enum fl_pull_type fl_pull_peek(struct fl_pull *p);

/* Into the object or array that comes next; anything else is skipped and false returned. */
bool fl_pull_object(struct fl_pull *p);
bool fl_pull_array(struct fl_pull *p);

/* Next member: its key, cut to @size; its value must be read or skipped then. False: no more, and
 * the object is left. */
bool fl_pull_key(struct fl_pull *p, char *key, size_t size);
/* The same for an array. */
bool fl_pull_item(struct fl_pull *p);

/**
 * fl_pull_text() - a string, number or boolean as text
 * @buf: gets it, with a NUL, cut between two characters if @size is too small
 *
 * Return: false, and "", for null and for objects and arrays, which are skipped.
 */
bool fl_pull_text(struct fl_pull *p, char *buf, size_t size);

/* Pass over one value of any kind. */
void fl_pull_skip(struct fl_pull *p);

/* At the end: nothing failed and nothing stands behind the value. */
bool fl_pull_is_done(struct fl_pull *p);

#endif
