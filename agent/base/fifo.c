// SPDX-License-Identifier: Apache-2.0
/* Queue: see fifo.h. */
#include "agent/base/fifo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void fl_fifo_init(struct fl_fifo *fifo, size_t item_bytes)
{
	*fifo = (struct fl_fifo){ .item_bytes = item_bytes };
}

void fl_fifo_done(struct fl_fifo *fifo)
{
	free(fifo->items);
	fl_fifo_init(fifo, fifo->item_bytes);
}

static void *item_at(const struct fl_fifo *fifo, size_t i)
{
	return fifo->items + ((fifo->head + i) & (fifo->capacity - 1)) * fifo->item_bytes;
}

static int grow(struct fl_fifo *fifo)
{
	size_t capacity = fifo->capacity ? fifo->capacity * 2 : 16;
	uint8_t *items = malloc(capacity * fifo->item_bytes);

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < fifo->count; i++)
		memcpy(items + i * fifo->item_bytes, item_at(fifo, i), fifo->item_bytes);
	free(fifo->items);
	fifo->items = items;
	fifo->capacity = capacity;
	fifo->head = 0;
	return 0;
}

int fl_fifo_push(struct fl_fifo *fifo, const void *item)
{
	int err;

	if (fifo->count == fifo->capacity) {
		err = grow(fifo);
		if (err < 0)
			return err;
	}
	memcpy(item_at(fifo, fifo->count), item, fifo->item_bytes);
	fifo->count++;
	return 0;
}

const void *fl_fifo_peek(const struct fl_fifo *fifo)
{
	return fifo->count ? item_at(fifo, 0) : NULL;
}

void fl_fifo_pop(struct fl_fifo *fifo)
{
	if (!fifo->count)
		return;
	fifo->head = (fifo->head + 1) & (fifo->capacity - 1);
	fifo->count--;
}
