// SPDX-License-Identifier: Apache-2.0
/* The bad link of network tests: does it do to frames what it was told? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "test/tools/impair.h"

#define MS   1000000ULL
#define SIZE (IMPAIR_HDR_LEN + 100)

static struct impair im;

static void start(const char *settings)
{
	char line[256], answer[1024];

	free(im.heap);
	impair_init(&im, 7);
	snprintf(line, sizeof(line), "set there %s", settings);
	cr_assert(impair_command(&im, line, answer, sizeof(answer)), "%s", answer);
}

struct result {
	unsigned int count, disordered, twice;
	uint64_t min_ns, max_ns;
	uint64_t hash; /* of who left, and when */
};

/* Carry frames at equal distances, until all have left. */
static struct result carry(unsigned int frames, uint64_t gap_ns)
{
	struct result r = { .min_ns = UINT64_MAX };
	uint64_t now = 1000 * MS, last = 0;
	unsigned int last_id = 0;

	for (unsigned int i = 0; i <= frames; i++, now += gap_ns) {
		struct impair_frame *f;
		uint8_t data[SIZE] = { 0 };
		uint64_t until = i < frames ? now : UINT64_MAX - 1;

		while ((f = impair_due(&im, until))) {
			unsigned int id;

			memcpy(&id, f->data, 4);
			cr_assert_geq(f->due_ns, last);
			last = f->due_ns;
			r.disordered += r.count && id < last_id;
			r.twice += r.count && id == last_id;
			r.min_ns = f->delay_ns < r.min_ns ? f->delay_ns : r.min_ns;
			r.max_ns = f->delay_ns > r.max_ns ? f->delay_ns : r.max_ns;
			r.hash = (r.hash ^ id ^ f->due_ns) * 0x100000001b3;
			r.count++;
			last_id = id;
			impair_sent(&im, f, f->due_ns);
			free(f);
		}
		memcpy(data, &i, 4);
		if (i < frames)
			impair_take(&im, 0, data, sizeof(data), now);
	}
	cr_assert_eq(impair_next(&im), UINT64_MAX);
	return r;
}

Test(impair, settings)
{
	static const struct {
		const char *set;
		uint64_t gap_ns;
		unsigned int count_min, count_max; /* of 20000 */
		uint64_t min_ns, max_ns;           /* delays lie within, and come near both */
		unsigned int disordered_max;
	} rows[] = {
		{ "loss=0", MS, 20000, 20000, 0, 0, 0 },
		{ "delay=20", MS, 20000, 20000, 20 * MS, 20 * MS, 0 },
		{ "loss=1", MS, 19760, 19840, 0, 0, 0 },
		{ "loss=100", MS, 0, 0, UINT64_MAX, 0, 0 },
		{ "blackhole=1", MS, 0, 0, UINT64_MAX, 0, 0 },
		{ "duplicate=2", MS, 20340, 20460, 0, 0, 0 },
		{ "delay=20 jitter=2", 2 * MS, 20000, 20000, 18 * MS, 22 * MS, 0 },
		{ "delay=20 jitter=2 independent=1", MS, 20000, 20000, 18 * MS, 22 * MS, 20000 },
		{ "delay=5 reorder=3 reorder-by=4", MS, 20000, 20000, 5 * MS, 9 * MS, 700 },
		/* 100 bytes each 100 us are 8 Mbit/s: half of it gets through */
		{ "rate=4 queue=10", MS / 10, 9990, 10110, 200000, 10200001, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct result r, again;
		uint64_t span = (rows[i].max_ns - rows[i].min_ns) / 20;

		start(rows[i].set);
		r = carry(20000, rows[i].gap_ns);
		cr_assert(r.count >= rows[i].count_min && r.count <= rows[i].count_max, "%s: %u",
			  rows[i].set, r.count);
		cr_assert_leq(r.disordered, rows[i].disordered_max, "%s: %u", rows[i].set,
			      r.disordered);
		cr_assert(rows[i].disordered_max == 0 || r.disordered > 500, "%s", rows[i].set);
		if (r.count) {
			cr_assert(r.min_ns >= rows[i].min_ns && r.max_ns <= rows[i].max_ns,
				  "%s: %lu to %lu", rows[i].set, r.min_ns, r.max_ns);
			cr_assert(r.min_ns - rows[i].min_ns <= span &&
					  rows[i].max_ns - r.max_ns <= span,
				  "%s: %lu to %lu", rows[i].set, r.min_ns, r.max_ns);
		}
		cr_assert_eq(im.dir[0].counts.sent, r.count);
		cr_assert_eq(im.dir[0].counts.received, 20000);
		/* The same dice again. */
		start(rows[i].set);
		again = carry(20000, rows[i].gap_ns);
		cr_assert_eq(r.hash, again.hash, "%s", rows[i].set);
	}
}

/* A port that is spared passes at once, whatever happens to the others; those are not changed by
 * it. */
Test(impair, spared_port)
{
	static const struct {
		uint8_t proto, first; /* of the IP header */
		uint16_t sport, dport;
		bool spared;
	} rows[] = {
		{ 17, 0x45, 1280, 1280, true },  { 17, 0x45, 40000, 1280, true },
		{ 17, 0x45, 1280, 40000, true }, { 17, 0x45, 40000, 1281, false },
		{ 6, 0x45, 1280, 1280, false },  { 17, 0x60, 1280, 1280, false },
	};

	start("delay=20 loss=100 spare=1280");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t data[SIZE] = { 0 }, *eth = data + IMPAIR_HDR_LEN, *udp = eth + 34;
		struct impair_frame *f;

		eth[12] = 8;
		eth[14] = rows[i].first;
		eth[23] = rows[i].proto;
		udp[0] = (uint8_t)(rows[i].sport >> 8);
		udp[1] = (uint8_t)rows[i].sport;
		udp[2] = (uint8_t)(rows[i].dport >> 8);
		udp[3] = (uint8_t)rows[i].dport;
		impair_take(&im, 0, data, sizeof(data), 1000 + i);
		f = impair_due(&im, 1000 + i);
		cr_assert_eq(f != NULL, rows[i].spared, "row %zu", i);
		free(f);
	}
	cr_assert_eq(im.dir[0].counts.lost, 3);
}

/* What one direction carries does not change the dice of the other. */
Test(impair, directions)
{
	struct result alone, beside;
	uint8_t data[SIZE] = { 0 };

	start("loss=30");
	alone = carry(1000, MS);
	start("loss=30");
	for (int i = 0; i < 100; i++)
		impair_take(&im, 1, data, sizeof(data), 0);
	while (impair_next(&im) == 0)
		free(impair_due(&im, 0));
	beside = carry(1000, MS);
	cr_assert_eq(alone.hash, beside.hash);
}

/* The mean change from frame to frame is counted, so that tests know the true jitter. */
Test(impair, counts)
{
	char text[2048];

	start("delay=20 jitter=3 independent=1");
	carry(20000, 20 * MS);
	/* of two even dice over 6 ms: a third of the range */
	cr_assert_float_eq((double)im.dir[0].counts.change_sum / 19999, 2e6, 5e4);
	cr_assert_float_eq((double)im.dir[0].counts.delay_sum / 20000, 20e6, 5e4);
	cr_assert(impair_command(&im, "stats", text, sizeof(text)));
	cr_assert(strstr(text, "there received=20000 sent=20000 lost=0"));
	cr_assert(impair_command(&im, "reset", text, sizeof(text)));
	cr_assert_str_eq(text, "ok\n");
	cr_assert_eq(im.dir[0].counts.sent, 0);
}

Test(impair, commands)
{
	static const struct {
		const char *line;
		const char *answer;
	} rows[] = {
		{ "set there delay=20 loss=0.5", "ok\n" },
		{ "set both", "ok\n" },
		{ "set", "error: set\n" },
		{ "set ", "error: direction\n" },
		{ "set up delay=1", "error: up\n" },
		{ "set there delay", "error: delay\n" },
		{ "set there delay=", "error: delay=\n" },
		{ "set there delay=x", "error: delay=x\n" },
		{ "set there delay=-1", "error: delay=-1\n" },
		{ "set there loss=101", "error: loss=101\n" },
		{ "set there delay=nan", "error: delay=nan\n" },
		{ "set there color=1", "error: color=1\n" },
		{ "", "error: \n" },
	};
	char answer[2048];

	start("loss=0");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		impair_command(&im, rows[i].line, answer, sizeof(answer));
		cr_assert_str_eq(answer, rows[i].answer, "%s", rows[i].line);
	}
	/* All of a line, or nothing. */
	impair_command(&im, "set both delay=7 loss=x", answer, sizeof(answer));
	impair_command(&im, "get", answer, sizeof(answer));
	cr_assert_str_eq(answer,
			 "there delay=20 jitter=0 loss=0.5 duplicate=0 reorder=0 reorder-by=5 "
			 "rate=0 queue=200 independent=0 blackhole=0 spare=0\n"
			 "back delay=0 jitter=0 loss=0 duplicate=0 reorder=0 reorder-by=5 "
			 "rate=0 queue=200 independent=0 blackhole=0 spare=0\nok\n");
}
