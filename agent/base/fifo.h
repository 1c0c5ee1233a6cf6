/* SPDX-License-Identifier: Apache-2.0 */
/* A queue of fixed-size items. */
#ifndef FL_AGENT_BASE_FIFO_H
#define FL_AGENT_BASE_FIFO_H

#include <stddef.h>
#include <stdint.h>

struct fl_fifo_chunk;

struct fl_fifo {
	struct fl_fifo_chunk *first;
	struct fl_fifo_chunk *last;
	struct fl_fifo_chunk *spare; /* kept, so that a queue around a boundary does not allocate */
	size_t item_bytes;
	size_t chunk_items; /* in a chunk */
	size_t head;        /* in the first chunk */
	size_t tail;        /* in the last one: where the next goes */
	size_t count;
	size_t chunks;
};

void fl_fifo_init(struct fl_fifo *fifo, size_t item_bytes);
void fl_fifo_done(struct fl_fifo *fifo);

/**
 * fl_fifo_push() - copy @item behind the last one
 *
 * Return: 0 or -ENOMEM.
 */
int fl_fifo_push(struct fl_fifo *fifo, const void *item);

/* The oldest item, valid until the next push or pop; NULL if empty. */
const void *fl_fifo_peek(const struct fl_fifo *fifo);

/* The item @n behind the oldest one, as far as it is easily found: to fetch ahead. May be NULL. */
const void *fl_fifo_ahead(const struct fl_fifo *fifo, size_t n);

/* Take the oldest item off; nothing happens if there is none. */
void fl_fifo_pop(struct fl_fifo *fifo);

static inline size_t fl_fifo_memory(const struct fl_fifo *fifo)
{
	return fifo->chunks * (fifo->chunk_items * fifo->item_bytes + sizeof(void *));
}

#endif
