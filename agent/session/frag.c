// SPDX-License-Identifier: Apache-2.0
/* Reassembly: see frag.h. */
#include "agent/session/frag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/drop_reason.h"

#include "agent/base/hash.h"

/* One packet on its way to be whole. Which bytes are there: a bit for each unit of eight. */
struct context {
	struct fl_frag_key key;
	struct fl_mono since;
	uint8_t *data; /* FL_FRAG_WHOLE + 1 bytes */
	uint8_t have[8192];
	uint32_t units; /* of eight bytes that are there */
	uint32_t total; /* bytes of the whole, 0 while unknown */
	uint32_t end;   /* of what is there */
	uint8_t head[FL_FRAG_HEAD];
	size_t head_len;
	uint16_t largest;
	bool df;
	uint16_t orig_id;
	UT_hash_handle hh;
	struct context *prev, *next; /* by age */
};

struct fl_frags {
	struct context *hash;
	struct context *oldest;
	struct context *done; /* the last whole one, until the next call */
};

int fl_frags_new(struct fl_frags **ret_frags)
{
	*ret_frags = calloc(1, sizeof(**ret_frags));
	return *ret_frags ? 0 : -ENOMEM;
}

static void context_free(struct context *c)
{
	if (!c)
		return;
	free(c->data);
	free(c);
}

static void take_out(struct fl_frags *frags, struct context *c)
{
	HASH_DEL(frags->hash, c);
	DL_DELETE(frags->oldest, c);
}

void fl_frags_free(struct fl_frags *frags)
{
	struct context *c, *tmp;

	if (!frags)
		return;
	DL_FOREACH_SAFE(frags->oldest, c, tmp) {
		take_out(frags, c);
		context_free(c);
	}
	context_free(frags->done);
	free(frags);
}

static unsigned int in_scope(const struct fl_frags *frags, uint16_t scope)
{
	const struct context *c;
	unsigned int count = 0;

	DL_FOREACH(frags->oldest, c)
		count += c->key.scope == scope;
	return count;
}

static struct context *context_for(struct fl_frags *frags, const struct fl_frag_key *key,
				   struct fl_mono now)
{
	struct context *c;

	HASH_FIND(hh, frags->hash, key, sizeof(*key), c);
	if (c)
		return c;
	if (in_scope(frags, key->scope) >= FL_FRAG_CONTEXTS)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->data = malloc(FL_FRAG_WHOLE + 1);
	if (!c->data) {
		free(c);
		return NULL;
	}
	c->key = *key;
	c->since = now;
	HASH_ADD(hh, frags->hash, key, sizeof(c->key), c);
	DL_APPEND(frags->oldest, c);
	return c;
}

/* Mark the units of a piece; false if one of them was there already. */
static bool mark(struct context *c, uint32_t offset, size_t len)
{
	uint32_t first = offset / 8, last = (uint32_t)((offset + len - 1) / 8);

	for (uint32_t u = first; u <= last; u++)
		if (c->have[u / 8] & (1u << u % 8))
			return false;
	for (uint32_t u = first; u <= last; u++)
		c->have[u / 8] |= (uint8_t)(1u << u % 8);
	c->units += last - first + 1;
	return true;
}

static int check_piece(const struct context *c, const struct fl_frag_piece *piece)
{
	size_t end = piece->offset + piece->len;

	/* Only the last piece may end within a unit; an empty piece is no piece. */
	if (!piece->len || piece->offset % 8 || (!piece->last && piece->len % 8) ||
	    piece->head_len > FL_FRAG_HEAD)
		return -FL_DROP_MALFORMED;
	if (end > FL_FRAG_WHOLE)
		return -FL_DROP_FRAG_LIMIT;
	/* Two ends, or something behind the end: as bad as overlapping. */
	if (c->total && (end > c->total || (piece->last && end != c->total)))
		return -FL_DROP_FRAG_OVERLAP;
	if (piece->last && end < c->end)
		return -FL_DROP_FRAG_OVERLAP;
	return 0;
}

static void note(struct context *c, const struct fl_frag_piece *piece)
{
	memcpy(c->data + piece->offset, piece->data, piece->len);
	if (piece->offset + piece->len > c->end)
		c->end = (uint32_t)(piece->offset + piece->len);
	if (piece->last)
		c->total = (uint32_t)(piece->offset + piece->len);
	if (piece->head) {
		memcpy(c->head, piece->head, piece->head_len);
		c->head_len = piece->head_len;
		c->orig_id = piece->orig_id;
	}
	if (piece->largest > c->largest)
		c->largest = piece->largest;
	c->df |= piece->df;
}

int fl_frags_add(struct fl_frags *frags, const struct fl_frag_key *key,
		 const struct fl_frag_piece *piece, struct fl_mono now,
		 struct fl_frag_whole *ret_whole)
{
	struct context *c = context_for(frags, key, now);
	int err;

	context_free(frags->done);
	frags->done = NULL;
	if (!c)
		return -FL_DROP_FRAG_LIMIT;
	err = check_piece(c, piece);
	if (!err && !mark(c, piece->offset, piece->len))
		err = -FL_DROP_FRAG_OVERLAP;
	if (err) {
		take_out(frags, c);
		context_free(c);
		return err;
	}
	note(c, piece);
	if (!c->total || c->units != (c->total + 7) / 8)
		return 0;
	take_out(frags, c);
	frags->done = c;
	*ret_whole = (struct fl_frag_whole){ c->head,    c->head_len, c->data,   c->total,
					     c->largest, c->df,       c->orig_id };
	return 1;
}

unsigned int fl_frags_expire(struct fl_frags *frags, struct fl_mono now)
{
	unsigned int count = 0;

	while (frags->oldest && frags->oldest->since.ns + FL_FRAG_MS * FL_NS_PER_MS <= now.ns) {
		struct context *c = frags->oldest;

		take_out(frags, c);
		context_free(c);
		count++;
	}
	return count;
}
