// SPDX-License-Identifier: Apache-2.0
/*
 * Packing: see store_pack.h. A minute is, for each stream and then for the client, a byte that says
 * which figures are there, and the figures, as integers of seven bits a byte, low ones first.
 */
#include "agent/insight/store_pack.h"

#include <errno.h>
#include <string.h>

#include "agent/base/buf.h"

#define STREAM_FIGURES 6
#define HAS_SIZE       (1U << STREAM_FIGURES)
#define CLIENT_FIGURES 3

/* Larger ones are an error of whoever measured them, and are cut: 2^40 hundredths. */
#define FIGURE_MAX (1LL << 40)

static double *stream_figure(struct fl_stream_minute *s, int i)
{
	double *const figures[STREAM_FIGURES] = {
		&s->latency_ms,   &s->jitter_ms,    &s->loss_pct,
		&s->max_loss_pct, &s->bitrate_kbps, &s->frame_rate
	};

	return figures[i];
}

static double *client_figure(struct fl_call_minute *m, int i)
{
	double *const figures[CLIENT_FIGURES] = { &m->cpu_system_pct, &m->cpu_zoom_pct,
						  &m->rssi_dbm };

	return figures[i];
}

static void write_number(struct fl_writer *w, uint64_t v)
{
	for (; v > 127; v >>= 7)
		fl_write_u8(w, (uint8_t)(v | 128));
	fl_write_u8(w, (uint8_t)v);
}

static uint64_t read_number(struct fl_reader *r)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t byte = fl_read_u8(r);

		v |= (uint64_t)(byte & 127) << shift;
		if (!(byte & 128))
			return v;
	}
	r->failed = true;
	return 0;
}

/* Sign in the lowest bit. */
static uint64_t fold(int64_t v)
{
	return v < 0 ? (uint64_t)(-(v + 1)) * 2 + 1 : (uint64_t)v * 2;
}

static int64_t unfold(uint64_t v)
{
	return v & 1 ? -(int64_t)(v / 2) - 1 : (int64_t)(v / 2);
}

/* The lowest bit says whether it is in hundredths, or whole. */
static void write_figure(struct fl_writer *w, double value)
{
	int64_t v = fl_roll_hundredths(fmin(fmax(value, -1e9), 1e9));

	if (v % 100)
		write_number(w, fold(v) * 2 + 1);
	else
		write_number(w, fold(v / 100) * 2);
}

static double read_figure(struct fl_reader *r)
{
	uint64_t v = read_number(r);
	int64_t number = unfold(v / 2);

	if (number > FIGURE_MAX || number < -FIGURE_MAX) {
		r->failed = true;
		return NAN;
	}
	return v & 1 ? (double)number / 100 : (double)number;
}

size_t fl_pack_minute(const struct fl_call_minute *minute, uint8_t *out)
{
	struct fl_writer w = fl_writer(out, FL_PACK_MINUTE_MAX);
	struct fl_call_minute m = *minute;
	uint8_t has = 0;

	for (int s = 0; s < FL_STREAM_MAX; s++) {
		struct fl_stream_minute *stream = &m.streams[s];

		has = stream->width && stream->height ? HAS_SIZE : 0;
		for (int i = 0; i < STREAM_FIGURES; i++)
			if (!isnan(*stream_figure(stream, i)))
				has |= (uint8_t)(1U << i);
		fl_write_u8(&w, has);
		for (int i = 0; i < STREAM_FIGURES; i++)
			if (has >> i & 1)
				write_figure(&w, *stream_figure(stream, i));
		if (has & HAS_SIZE) {
			write_number(&w, stream->width);
			write_number(&w, stream->height);
		}
	}
	has = 0;
	for (int i = 0; i < CLIENT_FIGURES; i++)
		if (!isnan(*client_figure(&m, i)))
			has |= (uint8_t)(1U << i);
	fl_write_u8(&w, has);
	for (int i = 0; i < CLIENT_FIGURES; i++)
		if (has >> i & 1)
			write_figure(&w, *client_figure(&m, i));
	return fl_writer_len(&w);
}

static void read_stream(struct fl_reader *r, struct fl_stream_minute *stream)
{
	uint8_t has = fl_read_u8(r);

	if (has >> (STREAM_FIGURES + 1))
		r->failed = true;
	for (int i = 0; i < STREAM_FIGURES; i++)
		if (has >> i & 1)
			*stream_figure(stream, i) = read_figure(r);
	if (has & HAS_SIZE) {
		stream->width = (uint16_t)read_number(r);
		stream->height = (uint16_t)read_number(r);
	}
}

int fl_unpack_minute(const uint8_t *data, size_t len, struct fl_call_minute *minute)
{
	struct fl_reader r = fl_reader(data, len);
	uint8_t has;

	*minute = fl_call_minute_none(minute->minute);
	for (int s = 0; s < FL_STREAM_MAX; s++)
		read_stream(&r, &minute->streams[s]);
	has = fl_read_u8(&r);
	if (has >> CLIENT_FIGURES)
		r.failed = true;
	for (int i = 0; i < CLIENT_FIGURES; i++)
		if (has >> i & 1)
			*client_figure(minute, i) = read_figure(&r);
	return r.failed || fl_reader_left(&r) ? -EBADMSG : 0;
}

/* All members are of one type: the sums are an array of them. */
#define ROLL_NUMBERS (sizeof(struct fl_roll) / sizeof(int64_t))
_Static_assert(ROLL_NUMBERS == 2 * FL_SERIES_MAX + 2 + FL_CATEGORY_MAX, "only numbers, no holes");
_Static_assert(ROLL_NUMBERS * 10 <= FL_PACK_ROLL_MAX, "the longest numbers fit");

size_t fl_pack_roll(const struct fl_roll *roll, uint8_t *out)
{
	struct fl_writer w = fl_writer(out, FL_PACK_ROLL_MAX);
	int64_t numbers[ROLL_NUMBERS];

	memcpy(numbers, roll, sizeof(numbers));
	for (size_t i = 0; i < ROLL_NUMBERS; i++)
		write_number(&w, fold(numbers[i]));
	return fl_writer_len(&w);
}

int fl_unpack_roll(const uint8_t *data, size_t len, struct fl_roll *ret_roll)
{
	struct fl_reader r = fl_reader(data, len);
	int64_t numbers[ROLL_NUMBERS];

	for (size_t i = 0; i < ROLL_NUMBERS; i++)
		numbers[i] = unfold(read_number(&r));
	if (r.failed || fl_reader_left(&r))
		return -EBADMSG;
	memcpy(ret_roll, numbers, sizeof(numbers));
	return 0;
}

static bool merge_figure(double *to, double from)
{
	if (isnan(from) || (!isnan(*to) && fl_roll_hundredths(*to) == fl_roll_hundredths(from)))
		return false;
	*to = from;
	return true;
}

bool fl_merge_minute(struct fl_call_minute *to, const struct fl_call_minute *from)
{
	struct fl_call_minute src = *from;
	bool changed = false;

	for (int s = 0; s < FL_STREAM_MAX; s++) {
		struct fl_stream_minute *a = &to->streams[s], *b = &src.streams[s];

		for (int i = 0; i < STREAM_FIGURES; i++)
			changed |= merge_figure(stream_figure(a, i), *stream_figure(b, i));
		if (b->width && b->height && (a->width != b->width || a->height != b->height)) {
			a->width = b->width;
			a->height = b->height;
			changed = true;
		}
	}
	for (int i = 0; i < CLIENT_FIGURES; i++)
		changed |= merge_figure(client_figure(to, i), *client_figure(&src, i));
	return changed;
}
