// SPDX-License-Identifier: Apache-2.0
/* The queue on disk: see queue.h. */
#include "agent/export/queue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/log.h"

#define PATH_BYTES     4096
#define BUFFER_BYTES   (256 << 10) /* written at once; a record may not be larger */
#define SEGMENTS       16          /* that a full queue has: a sixteenth is what dropping takes */
#define SEGMENT_MIN    (64 << 10)
#define SEGMENT_MAX    (4 << 20)
#define MAX_SEGMENTS   65536
#define SUFFIX         ".jsonl"
#define STATE_FILE     "state"
#define STATE_FILE_NEW "state.new"

struct segment {
	uint64_t first; /* number of its first record */
	uint64_t count;
	uint64_t bytes;
};

struct fl_queue {
	char *dir;
	uint64_t max_bytes;
	struct segment *segments; /* ascending, without gaps but those that were dropped */
	size_t n_segments;
	int write_fd; /* of the last segment, -1: begin a new one */
	char *buffer;
	size_t buffered;
	uint64_t buffered_count;
	uint64_t next; /* number of the next record */
	uint64_t acked;
	uint64_t dropped;
	bool state_changed;
	/* Reader: at an offset of a segment. */
	uint64_t read_first; /* its first; 0: nowhere yet */
	int read_fd;
	off_t read_at;
	struct fl_log_rate complaints;
};

static void path_of(const struct fl_queue *q, uint64_t first, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%020" PRIu64 SUFFIX, q->dir, first);
}

static uint64_t total_bytes(const struct fl_queue *q)
{
	uint64_t sum = q->buffered;

	for (size_t i = 0; i < q->n_segments; i++)
		sum += q->segments[i].bytes;
	return sum;
}

static uint64_t segment_bytes(const struct fl_queue *q)
{
	uint64_t size = q->max_bytes / SEGMENTS;

	if (size < SEGMENT_MIN)
		return SEGMENT_MIN;
	return size > SEGMENT_MAX ? SEGMENT_MAX : size;
}

/* --- opening ----------------------------------------------------------------------------------
 */

/* Lines of a segment; a last one without its end is cut off. */
static int count_lines(int fd, struct segment *seg)
{
	static char chunk[65536];
	off_t whole = 0, at = 0;
	ssize_t got;

	while ((got = pread(fd, chunk, sizeof(chunk), at)) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (chunk[i] != '\n')
				continue;
			seg->count++;
			whole = at + i + 1;
		}
		at += got;
	}
	if (got < 0 || (at > whole && ftruncate(fd, whole) < 0))
		return -errno;
	seg->bytes = (uint64_t)whole;
	return 0;
}

static int adopt_segment(struct fl_queue *q, uint64_t first)
{
	struct segment seg = { .first = first };
	char path[PATH_BYTES];
	int fd, err;

	path_of(q, first, path);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	err = count_lines(fd, &seg);
	close(fd);
	if (err)
		return err;
	if (!seg.count || q->n_segments == MAX_SEGMENTS) {
		unlink(path);
		return 0;
	}
	q->segments[q->n_segments++] = seg;
	if (q->next < first + seg.count)
		q->next = first + seg.count;
	return 0;
}

static int is_segment(const struct dirent *entry)
{
	return strlen(entry->d_name) == 20 + strlen(SUFFIX) &&
	       strspn(entry->d_name, "0123456789") == 20 && !strcmp(entry->d_name + 20, SUFFIX);
}

static int adopt_segments(struct fl_queue *q)
{
	struct dirent **entries = NULL;
	int count = scandir(q->dir, &entries, is_segment, alphasort), err = 0;

	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		if (!err)
			err = adopt_segment(q, strtoull(entries[i]->d_name, NULL, 10));
		free(entries[i]);
	}
	free(entries);
	return err;
}

/* A state that is not there, or not readable, costs a repetition of records, no more. */
static void load_state(struct fl_queue *q)
{
	char path[PATH_BYTES];
	FILE *f;

	snprintf(path, sizeof(path), "%s/" STATE_FILE, q->dir);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fscanf(f, "acked %" SCNu64 "\ndropped %" SCNu64, &q->acked, &q->dropped) != 2)
		q->acked = q->dropped = 0;
	fclose(f);
}

static void save_state(struct fl_queue *q)
{
	char path[PATH_BYTES], path_new[PATH_BYTES];
	FILE *f;

	snprintf(path, sizeof(path), "%s/" STATE_FILE, q->dir);
	snprintf(path_new, sizeof(path_new), "%s/" STATE_FILE_NEW, q->dir);
	f = fopen(path_new, "we");
	if (!f)
		return;
	fprintf(f, "acked %" PRIu64 "\ndropped %" PRIu64 "\n", q->acked, q->dropped);
	if (!fclose(f) && !rename(path_new, path))
		q->state_changed = false;
}

static void remove_first(struct fl_queue *q)
{
	char path[PATH_BYTES];

	path_of(q, q->segments[0].first, path);
	unlink(path);
	if (q->n_segments == 1 && q->write_fd >= 0) {
		close(q->write_fd);
		q->write_fd = -1;
	}
	if (q->read_fd >= 0 && q->read_first == q->segments[0].first) {
		close(q->read_fd);
		q->read_fd = -1;
	}
	memmove(&q->segments[0], &q->segments[1], --q->n_segments * sizeof(*q->segments));
}

static void remove_acked(struct fl_queue *q)
{
	while (q->n_segments && q->segments[0].first + q->segments[0].count <= q->acked + 1)
		remove_first(q);
}

int fl_queue_open(const char *dir, uint64_t max_bytes, struct fl_queue **ret_queue)
{
	struct fl_queue *q = calloc(1, sizeof(*q));
	int err = -ENOMEM;

	if (!q)
		return -ENOMEM;
	q->write_fd = q->read_fd = -1;
	q->max_bytes = max_bytes;
	q->next = 1;
	q->dir = strdup(dir);
	q->buffer = malloc(BUFFER_BYTES);
	q->segments = calloc(MAX_SEGMENTS + 1, sizeof(*q->segments));
	if (!q->dir || !q->buffer || !q->segments)
		goto fail;
	err = mkdir(dir, 0700) < 0 && errno != EEXIST ? -errno : 0;
	if (!err)
		err = adopt_segments(q);
	if (err)
		goto fail;
	load_state(q);
	/* Power was lost: numbers that were acknowledged once do not come again. */
	if (q->next <= q->acked)
		q->next = q->acked + 1;
	remove_acked(q);
	*ret_queue = q;
	return 0;
fail:
	fl_queue_close(q);
	return err;
}

void fl_queue_close(struct fl_queue *queue)
{
	if (!queue)
		return;
	if (queue->dir && queue->buffer && queue->segments)
		fl_queue_flush(queue);
	if (queue->write_fd >= 0)
		close(queue->write_fd);
	if (queue->read_fd >= 0)
		close(queue->read_fd);
	free(queue->segments);
	free(queue->buffer);
	free(queue->dir);
	free(queue);
}

void fl_queue_set_max(struct fl_queue *queue, uint64_t max_bytes)
{
	queue->max_bytes = max_bytes;
}

/* --- writing ----------------------------------------------------------------------------------
 */

static void drop(struct fl_queue *q, uint64_t count)
{
	q->dropped += count;
	q->state_changed = true;
	fl_log_ratelimited(&q->complaints, FL_LOG_WARNING,
			   "export: %" PRIu64 " records dropped, %" PRIu64
			   " in all: the queue in %s is full, or cannot be written",
			   count, q->dropped, q->dir);
}

static void make_room(struct fl_queue *q)
{
	while (q->n_segments > 1 &&
	       (total_bytes(q) > q->max_bytes || q->n_segments == MAX_SEGMENTS)) {
		const struct segment *first = &q->segments[0];
		uint64_t end = first->first + first->count;
		uint64_t from = first->first > q->acked ? first->first : q->acked + 1;

		if (end > from)
			drop(q, end - from);
		remove_first(q);
	}
}

/* The segment that is written to; a new one if the last is full, or is not ours. */
static int open_segment(struct fl_queue *q, uint64_t first)
{
	struct segment *last = q->n_segments ? &q->segments[q->n_segments - 1] : NULL;
	char path[PATH_BYTES];

	if (q->write_fd >= 0 && last && last->bytes < segment_bytes(q))
		return 0;
	if (q->write_fd >= 0)
		close(q->write_fd);
	path_of(q, first, path);
	q->write_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (q->write_fd < 0)
		return -errno;
	q->segments[q->n_segments++] = (struct segment){ .first = first };
	return 0;
}

/* All of the buffer or nothing of it: what a full disk took is taken back. */
static int append(struct fl_queue *q)
{
	struct segment *seg = &q->segments[q->n_segments - 1];
	ssize_t wrote = pwrite(q->write_fd, q->buffer, q->buffered, (off_t)seg->bytes);
	int err = wrote < 0 ? -errno : -ENOSPC;

	if (wrote == (ssize_t)q->buffered) {
		seg->bytes += q->buffered;
		seg->count += q->buffered_count;
		return 0;
	}
	/* If that fails too, lines are delivered that count as dropped: no harm. */
	(void)!ftruncate(q->write_fd, (off_t)seg->bytes);
	return err;
}

/* Records of a segment have numbers without gaps: after a loss the next one begins a new segment.
 */
static void lose_buffer(struct fl_queue *q)
{
	char path[PATH_BYTES];

	drop(q, q->buffered_count);
	if (q->write_fd >= 0)
		close(q->write_fd);
	q->write_fd = -1;
	if (!q->n_segments || q->segments[q->n_segments - 1].count)
		return;
	path_of(q, q->segments[--q->n_segments].first, path);
	unlink(path);
}

void fl_queue_write(struct fl_queue *queue)
{
	struct fl_queue *q = queue;
	uint64_t first = q->next - q->buffered_count;
	int err;

	if (!q->buffered)
		return;
	err = open_segment(q, first);
	if (!err)
		err = append(q);
	if (err)
		lose_buffer(q);
	q->buffered = 0;
	q->buffered_count = 0;
	make_room(q);
}

void fl_queue_put(struct fl_queue *queue, const struct fl_export_record *record)
{
	int len;

	if (BUFFER_BYTES - queue->buffered < FL_EXPORT_LINE_MAX + 1)
		fl_queue_write(queue);
	len = fl_export_encode(record, queue->next, queue->buffer + queue->buffered,
			       FL_EXPORT_LINE_MAX + 1);
	if (len < 0) {
		drop(queue, 1);
		return;
	}
	queue->buffered += (size_t)len;
	queue->buffered_count++;
	queue->next++;
}

void fl_queue_flush(struct fl_queue *queue)
{
	fl_queue_write(queue);
	if (queue->state_changed)
		save_state(queue);
}

void fl_queue_ack(struct fl_queue *queue, uint64_t seq)
{
	if (seq <= queue->acked || seq >= queue->next)
		return;
	queue->acked = seq;
	queue->state_changed = true;
	remove_acked(queue);
}

/* --- reading ----------------------------------------------------------------------------------
 */

void fl_queue_rewind(struct fl_queue *queue)
{
	if (queue->read_fd >= 0)
		close(queue->read_fd);
	queue->read_fd = -1;
	queue->read_first = 0;
}

/* Bytes of the first @lines lines. */
static off_t skip_lines(int fd, uint64_t lines)
{
	char chunk[4096];
	off_t at = 0;
	ssize_t got;

	while (lines && (got = pread(fd, chunk, sizeof(chunk), at)) > 0) {
		ssize_t i = 0;

		while (i < got && lines)
			lines -= chunk[i++] == '\n';
		at += i;
	}
	return at;
}

/* To the first segment behind the one that was read, at its first record that is not acknowledged.
 */
static bool next_segment(struct fl_queue *q)
{
	char path[PATH_BYTES];

	for (size_t i = 0; i < q->n_segments; i++) {
		const struct segment *seg = &q->segments[i];

		if (seg->first <= q->read_first)
			continue;
		path_of(q, seg->first, path);
		if (q->read_fd >= 0)
			close(q->read_fd);
		q->read_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		q->read_first = seg->first;
		if (q->read_fd < 0)
			continue;
		q->read_at = seg->first > q->acked
				     ? 0
				     : skip_lines(q->read_fd, q->acked + 1 - seg->first);
		return true;
	}
	return false;
}

size_t fl_queue_read(struct fl_queue *queue, char *buf, size_t size)
{
	for (;;) {
		ssize_t got = 0;

		if (queue->read_fd >= 0)
			got = pread(queue->read_fd, buf, size, queue->read_at);
		while (got > 0 && buf[got - 1] != '\n')
			got--;
		if (got > 0) {
			queue->read_at += got;
			return (size_t)got;
		}
		if (!next_segment(queue))
			return 0;
	}
}

void fl_queue_stats(const struct fl_queue *queue, struct fl_queue_stats *ret_stats)
{
	*ret_stats = (struct fl_queue_stats){ queue->next - 1, queue->acked, queue->dropped,
					      total_bytes(queue) };
}
