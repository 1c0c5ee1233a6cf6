// SPDX-License-Identifier: Apache-2.0
/* Queue: see fifo.h. A list of chunks: a push never moves what is there, however much that is. */
#include "agent/base/fifo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES 32768 /* chosen: a few thousand items */

struct fl_fifo_chunk {
	struct fl_fifo_chunk *next;
	uint8_t items[];
};

void fl_fifo_init(struct fl_fifo *fifo, size_t item_bytes)
{
	*fifo = (struct fl_fifo){ .item_bytes = item_bytes,
				  .chunk_items = CHUNK_BYTES / item_bytes };
}

void fl_fifo_done(struct fl_fifo *fifo)
{
	struct fl_fifo_chunk *next;

	free(fifo->spare);
	for (; fifo->first; fifo->first = next) {
		next = fifo->first->next;
		free(fifo->first);
	}
	fl_fifo_init(fifo, fifo->item_bytes);
}

static int grow(struct fl_fifo *fifo)
{
	struct fl_fifo_chunk *chunk = fifo->spare;

	if (!chunk) {
		chunk = malloc(sizeof(*chunk) + fifo->chunk_items * fifo->item_bytes);
		if (!chunk)
			return -ENOMEM;
		fifo->chunks++;
	}
	fifo->spare = NULL;
	chunk->next = NULL;
	if (fifo->last)
		fifo->last->next = chunk;
	else
		fifo->first = chunk;
	fifo->last = chunk;
	fifo->tail = 0;
	return 0;
}

int fl_fifo_push(struct fl_fifo *fifo, const void *item)
{
	uint8_t *to;
	int err;

	if (!fifo->last || fifo->tail == fifo->chunk_items) {
		err = grow(fifo);
		if (err < 0)
			return err;
	}
	to = fifo->last->items + fifo->tail++ * fifo->item_bytes;
	memcpy(to, item, fifo->item_bytes);
	/* A long queue's end is in no cache any more: ask for the next line of it. */
	__builtin_prefetch(to + 64, 1);
	fifo->count++;
	return 0;
}

const void *fl_fifo_peek(const struct fl_fifo *fifo)
{
	return fifo->count ? fifo->first->items + fifo->head * fifo->item_bytes : NULL;
}

const void *fl_fifo_ahead(const struct fl_fifo *fifo, size_t n)
{
	size_t at = fifo->head + n;

	if (n >= fifo->count)
		return NULL;
	if (at < fifo->chunk_items)
		return fifo->first->items + at * fifo->item_bytes;
	at -= fifo->chunk_items;
	return at < fifo->chunk_items ? fifo->first->next->items + at * fifo->item_bytes : NULL;
}

void fl_fifo_pop(struct fl_fifo *fifo)
{
	struct fl_fifo_chunk *empty = fifo->first;

	if (!fifo->count)
		return;
	fifo->count--;
	if (++fifo->head < fifo->chunk_items)
		return;
	fifo->head = 0;
	fifo->first = empty->next;
	if (!fifo->first)
		fifo->last = NULL;
	if (fifo->spare) {
		free(empty);
		fifo->chunks--;
	} else {
		fifo->spare = empty;
	}
}
