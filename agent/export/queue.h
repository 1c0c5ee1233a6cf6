/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that wait for a reader, on disk: lines in files ("segments") named by the number of their
 * first record. What was acknowledged is removed a segment at a time; what there is no room for
 * goes from the old end, and is counted. Everything a process wrote is there for the next one; a
 * machine that loses power may lose the last seconds, since nothing here waits for the disk. Loop
 * thread only.
 */
#ifndef FL_AGENT_EXPORT_QUEUE_H
#define FL_AGENT_EXPORT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/codec/export.h"

struct fl_queue;

/**
 * fl_queue_open() - open or make a queue
 * @dir:       made if missing, mode 0700; its parent must be there
 * @max_bytes: of all segments; what is beyond is dropped from the old end
 *
 * Return: 0 or -errno.
 */
int fl_queue_open(const char *dir, uint64_t max_bytes, struct fl_queue **ret_queue);
void fl_queue_close(struct fl_queue *queue); /* writes what waits; takes NULL */

/* Another bound, from the next record on. */
void fl_queue_set_max(struct fl_queue *queue, uint64_t max_bytes);

/* Add a record: to memory, until fl_queue_flush(). A record that cannot be kept counts as dropped.
 */
void fl_queue_put(struct fl_queue *queue, const struct fl_export_record *record);

/* Write what waits in memory: what kill -9 may take. */
void fl_queue_write(struct fl_queue *queue);

/* That, and how far readers are: less often, what is lost of it costs a repetition. */
void fl_queue_flush(struct fl_queue *queue);

/* Everything up to @seq is safe elsewhere. */
void fl_queue_ack(struct fl_queue *queue, uint64_t seq);

/* A new reader: read on from the oldest record that is not acknowledged. */
void fl_queue_rewind(struct fl_queue *queue);

/**
 * fl_queue_read() - the next whole lines
 *
 * Return: bytes, at most @size, which must be at least FL_EXPORT_LINE_MAX; 0 if there are none.
 */
size_t fl_queue_read(struct fl_queue *queue, char *buf, size_t size);

struct fl_queue_stats {
	uint64_t written; /* number of the last record */
	uint64_t acked;
	uint64_t dropped; /* not acknowledged, and gone; kept over restarts */
	uint64_t bytes;   /* on disk */
};

void fl_queue_stats(const struct fl_queue *queue, struct fl_queue_stats *ret_stats);

#endif
