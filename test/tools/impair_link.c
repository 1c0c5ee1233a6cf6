// SPDX-License-Identifier: Apache-2.0
/* What a bad link does to frames: see impair.h. */
#include "test/tools/impair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS_NS 1e6

static const struct impair_settings defaults = { .reorder_ms = 5, .queue_ms = 200 };

static const struct {
	const char *name;
	size_t offset;
	double max;
} keys[] = {
	{ "delay", offsetof(struct impair_settings, delay_ms), 60000 },
	{ "jitter", offsetof(struct impair_settings, jitter_ms), 60000 },
	{ "loss", offsetof(struct impair_settings, loss_pct), 100 },
	{ "duplicate", offsetof(struct impair_settings, duplicate_pct), 100 },
	{ "reorder", offsetof(struct impair_settings, reorder_pct), 100 },
	{ "reorder-by", offsetof(struct impair_settings, reorder_ms), 60000 },
	{ "rate", offsetof(struct impair_settings, rate_mbps), 1e6 },
	{ "queue", offsetof(struct impair_settings, queue_ms), 60000 },
	{ "independent", offsetof(struct impair_settings, independent), 1 },
	{ "blackhole", offsetof(struct impair_settings, blackhole), 1 },
	{ "spare", offsetof(struct impair_settings, spare), 65535 },
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* --- dice ------------------------------------------------------------------------------------- */

/* Each direction has its own, so that what one carries does not change the other. */
static void reseed(struct impair *im)
{
	for (uint64_t i = 0; i < 2; i++) {
		uint64_t x = im->seed * 2 + i + 0x9e3779b97f4a7c15;

		/* splitmix64: near seeds give far sequences */
		x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
		x = (x ^ x >> 27) * 0x94d049bb133111eb;
		im->dir[i].dice = (x ^ x >> 31) | 1;
	}
}

/* xorshift64*: 0 to 1, without 1. */
static double dice(struct impair_direction *d)
{
	d->dice ^= d->dice >> 12;
	d->dice ^= d->dice << 25;
	d->dice ^= d->dice >> 27;
	return (double)((d->dice * 0x2545f4914f6cdd1d) >> 11) / 9007199254740992.0;
}

static bool happens(struct impair_direction *d, double pct)
{
	return dice(d) * 100 < pct;
}

/*
 * Jitter that changes slowly: it moves by at most half of the time that has passed, so that frames
 * hardly ever would overtake each other. Independent dice would have to be held back to keep the
 * order, and every frame would get the largest delay.
 */
static double walk(struct impair_direction *d, uint64_t at_ns)
{
	double j = d->set.jitter_ms, x = d->walk_ms, step = 0;

	if (at_ns > d->walked_at_ns) {
		step = (double)(at_ns - d->walked_at_ns) / MS_NS / 2;
		d->walked_at_ns = at_ns;
	}
	if (step > j)
		step = j;
	x += (2 * dice(d) - 1) * step;
	if (x > j)
		x = 2 * j - x;
	if (x < -j)
		x = -2 * j - x;
	d->walk_ms = x > j || x < -j ? 0 : x;
	return d->walk_ms;
}

/* --- the queue: a heap by time, then by order of arrival ----------------------------------------
 */

static bool earlier(const struct impair_frame *a, const struct impair_frame *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->seq < b->seq;
}

static void push(struct impair *im, struct impair_frame *f)
{
	size_t i = im->queued++;

	for (; i > 0 && earlier(f, im->heap[(i - 1) / 2]); i = (i - 1) / 2)
		im->heap[i] = im->heap[(i - 1) / 2];
	im->heap[i] = f;
}

struct impair_frame *impair_due(struct impair *im, uint64_t now_ns)
{
	struct impair_frame *first, *last;
	size_t i = 0, child;

	if (!im->queued || im->heap[0]->due_ns > now_ns)
		return NULL;
	first = im->heap[0];
	last = im->heap[--im->queued];
	while ((child = 2 * i + 1) < im->queued) {
		if (child + 1 < im->queued && earlier(im->heap[child + 1], im->heap[child]))
			child++;
		if (!earlier(im->heap[child], last))
			break;
		im->heap[i] = im->heap[child];
		i = child;
	}
	im->heap[i] = last;
	return first;
}

uint64_t impair_next(const struct impair *im)
{
	return im->queued ? im->heap[0]->due_ns : UINT64_MAX;
}

/* --- frames ----------------------------------------------------------------------------------- */

void impair_init(struct impair *im, uint64_t seed)
{
	memset(im, 0, sizeof(*im));
	im->seed = seed;
	im->heap = calloc(IMPAIR_QUEUE, sizeof(*im->heap));
	if (!im->heap)
		abort();
	im->dir[0].set = im->dir[1].set = defaults;
	reseed(im);
}

static void queue(struct impair *im, int dir, const void *data, size_t len, uint64_t at_ns,
		  uint64_t due_ns)
{
	struct impair_frame *f = im->queued < IMPAIR_QUEUE ? malloc(sizeof(*f) + len) : NULL;

	if (!f) {
		im->dir[dir].counts.overflowed++;
		return;
	}
	f->due_ns = due_ns;
	f->delay_ns = due_ns - at_ns;
	f->seq = im->seq++;
	f->dir = dir;
	f->len = len;
	memcpy(f->data, data, len);
	push(im, f);
}

/* When the last bit of it has left through the narrow place; 0: the queue before it is full. */
static uint64_t squeeze(struct impair_direction *d, size_t len, uint64_t at_ns)
{
	uint64_t start = d->busy_until_ns > at_ns ? d->busy_until_ns : at_ns;

	if (d->set.rate_mbps <= 0)
		return at_ns;
	if ((double)(start - at_ns) > d->set.queue_ms * MS_NS)
		return 0;
	d->busy_until_ns =
		start + (uint64_t)((double)(len - IMPAIR_HDR_LEN) * 8000 / d->set.rate_mbps);
	return d->busy_until_ns;
}

/* A UDP datagram over IPv4, untagged and whole, from or to the port that is spared? */
static bool is_spared(const struct impair_direction *d, const void *data, size_t len)
{
	const uint8_t *eth = (const uint8_t *)data + IMPAIR_HDR_LEN, *ip = eth + 14, *udp;
	unsigned int port = (unsigned int)d->set.spare;

	if (!port || len < IMPAIR_HDR_LEN + 14 + 20 + 8 || eth[12] != 8 || eth[13] ||
	    ip[0] != 0x45 || ip[9] != 17)
		return false;
	udp = ip + 20;
	return (unsigned int)(udp[0] << 8 | udp[1]) == port ||
	       (unsigned int)(udp[2] << 8 | udp[3]) == port;
}

void impair_take(struct impair *im, int dir, const void *data, size_t len, uint64_t at_ns)
{
	struct impair_direction *d = &im->dir[dir];
	bool lost = happens(d, d->set.loss_pct), twice = happens(d, d->set.duplicate_pct);
	bool held = happens(d, d->set.reorder_pct);
	double jitter =
		d->set.independent > 0 ? (2 * dice(d) - 1) * d->set.jitter_ms : walk(d, at_ns);
	double delay = d->set.delay_ms + jitter;
	uint64_t due;

	d->counts.received++;
	if (is_spared(d, data, len)) {
		queue(im, dir, data, len, at_ns, at_ns);
		return;
	}
	if (d->set.blackhole > 0) {
		d->counts.blackholed++;
		return;
	}
	if (lost) {
		d->counts.lost++;
		return;
	}
	due = squeeze(d, len, at_ns);
	if (!due) {
		d->counts.overflowed++;
		return;
	}
	due += delay > 0 ? (uint64_t)(delay * MS_NS) : 0;
	if (!(d->set.independent > 0)) {
		if (due < d->last_due_ns)
			due = d->last_due_ns;
		d->last_due_ns = due;
	}
	if (held) {
		due += (uint64_t)(d->set.reorder_ms * MS_NS);
		d->counts.reordered++;
	}
	queue(im, dir, data, len, at_ns, due);
	if (twice) {
		d->counts.duplicated++;
		queue(im, dir, data, len, at_ns, due);
	}
}

void impair_sent(struct impair *im, const struct impair_frame *f, uint64_t now_ns)
{
	struct impair_direction *d = &im->dir[f->dir];
	struct impair_counts *c = &d->counts;
	uint64_t late = now_ns - f->due_ns, before = d->last_delay_ns;

	if (c->sent)
		c->change_sum += f->delay_ns > before ? f->delay_ns - before : before - f->delay_ns;
	if (!c->sent || f->delay_ns < c->delay_min)
		c->delay_min = f->delay_ns;
	if (f->delay_ns > c->delay_max)
		c->delay_max = f->delay_ns;
	if (late > c->late_max)
		c->late_max = late;
	c->late_sum += late;
	c->delay_sum += f->delay_ns;
	c->bytes += f->len - IMPAIR_HDR_LEN;
	c->sent++;
	d->last_delay_ns = f->delay_ns;
}

/* --- commands --------------------------------------------------------------------------------- */

static double *value_of(struct impair_settings *set, size_t key)
{
	return (double *)(void *)((char *)set + keys[key].offset);
}

/* Read "KEY=VALUE" into @set; false if it makes no sense. */
static bool set_one(struct impair_settings *set, const char *word)
{
	for (size_t i = 0; i < KEYS; i++) {
		size_t len = strlen(keys[i].name);
		double value;
		char *end;

		if (strncmp(word, keys[i].name, len) || word[len] != '=')
			continue;
		value = strtod(word + len + 1, &end);
		if (*end || end == word + len + 1 || !(value >= 0 && value <= keys[i].max))
			return false;
		*value_of(set, i) = value;
		return true;
	}
	return false;
}

/* All of it, or nothing. Return: the word that makes no sense, or NULL. */
static const char *set_line(struct impair *im, char *words)
{
	char *save, *where = strtok_r(words, " ", &save), *word;
	struct impair_settings set[2] = { im->dir[0].set, im->dir[1].set };
	bool there, back;

	if (!where)
		return "direction";
	there = !strcmp(where, "there") || !strcmp(where, "both");
	back = !strcmp(where, "back") || !strcmp(where, "both");
	if (!there && !back)
		return where;
	while ((word = strtok_r(NULL, " ", &save))) {
		if (there && !set_one(&set[0], word))
			return word;
		if (back && !set_one(&set[1], word))
			return word;
	}
	im->dir[0].set = set[0];
	im->dir[1].set = set[1];
	return NULL;
}

static size_t put_settings(struct impair_settings *set, const char *name, char *text, size_t size)
{
	size_t len = (size_t)snprintf(text, size, "%s", name);

	for (size_t i = 0; i < KEYS; i++)
		len += (size_t)snprintf(text + len, size - len, " %s=%g", keys[i].name,
					*value_of(set, i));
	return len + (size_t)snprintf(text + len, size - len, "\n");
}

static double us(uint64_t sum, uint64_t count)
{
	return count ? (double)sum / (double)count / 1e3 : 0;
}

static size_t put_counts(const struct impair_counts *c, const char *name, char *text, size_t size)
{
	return (size_t)snprintf(
		text, size,
		"%s received=%lu sent=%lu lost=%lu blackholed=%lu overflowed=%lu errors=%lu "
		"duplicated=%lu reordered=%lu bytes=%lu delay_us=%.0f delay_min_us=%.0f "
		"delay_max_us=%.0f jitter_us=%.0f late_us=%.0f late_max_us=%.0f\n",
		name, c->received, c->sent, c->lost, c->blackholed, c->overflowed, c->errors,
		c->duplicated, c->reordered, c->bytes, us(c->delay_sum, c->sent),
		us(c->delay_min, 1), us(c->delay_max, 1),
		us(c->change_sum, c->sent > 1 ? c->sent - 1 : 0), us(c->late_sum, c->sent),
		us(c->late_max, 1));
}

bool impair_command(struct impair *im, const char *line, char *answer, size_t size)
{
	static const char *const names[] = { "there", "back" };
	char copy[1024];
	const char *bad = NULL;
	size_t len = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	if (!strncmp(copy, "set ", 4)) {
		bad = set_line(im, copy + 4);
	} else if (!strcmp(copy, "get") || !strcmp(copy, "stats")) {
		for (int i = 0; i < 2; i++)
			len += copy[0] == 'g' ? put_settings(&im->dir[i].set, names[i],
							     answer + len, size - len)
					      : put_counts(&im->dir[i].counts, names[i],
							   answer + len, size - len);
	} else if (!strcmp(copy, "reset")) {
		for (int i = 0; i < 2; i++)
			im->dir[i].counts = (struct impair_counts){ 0 };
		reseed(im);
	} else {
		bad = copy;
	}
	if (bad)
		snprintf(answer, size, "error: %s\n", bad);
	else
		snprintf(answer + len, size - len, "ok\n");
	return !bad;
}
