// SPDX-License-Identifier: Apache-2.0
/* Scores against the reference vectors, and the bad minutes of the fixture (zoom-api.md 8). */
#include <criterion/criterion.h>
#include <string.h>

#include "agent/insight/score.h"
#include "test/insight/load.h"

static void check_model(const struct fl_json *row, const char *name, enum fl_score_model model)
{
	const struct fl_json *want = fl_json_member(row, name);
	struct fl_score_cfg cfg = fl_score_default;
	double latency = load_number(fl_json_member(row, "latency_rtt_ms"));
	double r, mos;

	cfg.model = model;
	r = fl_score_rating(&cfg, latency, load_number(fl_json_member(row, "jitter_ms")),
			    load_number(fl_json_member(row, "loss_pct")));
	mos = fl_score_of_rating(r);
	cr_expect_float_eq(r, load_number(fl_json_member(want, "R")), 5.1e-5, "%s %g ms: R %f",
			   name, latency, r);
	cr_expect_float_eq(mos, load_number(fl_json_member(want, "mos")), 5.1e-5,
			   "%s %g ms: MOS %f", name, latency, mos);
	cr_expect_str_eq(fl_grade_name(fl_grade_of_mos(mos)),
			 fl_json_get_string(fl_json_member(want, "quality")));
}

Test(score, vectors_of_both_models)
{
	struct fl_json *rows = load_json("vectors/mos.json");

	cr_assert_eq(fl_json_count(rows), 15);
	for (size_t i = 0; i < fl_json_count(rows); i++) {
		check_model(fl_json_at(rows, i), "model_a", FL_SCORE_G107);
		check_model(fl_json_at(rows, i), "model_b", FL_SCORE_SHORT);
	}
	fl_json_free(rows);
}

/* The class edges in R that section 8 names. */
Test(score, class_edges)
{
	const struct {
		double r;
		enum fl_grade above, below;
	} rows[] = {
		{ 79.37, FL_GRADE_GOOD, FL_GRADE_FAIR },
		{ 58.08, FL_GRADE_FAIR, FL_GRADE_POOR },
		{ 38.68, FL_GRADE_POOR, FL_GRADE_BAD },
	};

	for (size_t i = 0; i < 3; i++) {
		cr_expect_eq(fl_grade_of_mos(fl_score_of_rating(rows[i].r + 0.02)), rows[i].above);
		cr_expect_eq(fl_grade_of_mos(fl_score_of_rating(rows[i].r - 0.02)), rows[i].below);
	}
	cr_expect_eq(fl_score_of_rating(-5), 1);
	cr_expect_eq(fl_score_of_rating(3), 1);
	cr_expect_eq(fl_score_of_rating(100), 4.5);
}

/* D15: the labels, with the two that are no class. */
Test(score, D15_labels_with_mos_range)
{
	struct fl_call_minute m = fl_call_minute_none(1);
	struct fl_minute_score score;

	m.streams[FL_STREAM_AUDIO_IN].latency_ms = 20;
	m.streams[FL_STREAM_VIDEO_IN].bitrate_kbps = 900;
	fl_score_minute(&fl_score_default, &m, &score);
	cr_expect_str_eq(fl_grade_display(score.quality[FL_STREAM_AUDIO_IN]), "Good (MOS 4-5)");
	cr_expect_str_eq(fl_grade_display(score.quality[FL_STREAM_VIDEO_IN]),
			 "Unknown (data not collected)");
	cr_expect_str_eq(fl_grade_display(score.quality[FL_STREAM_SCREEN_IN]), "Not Applicable");
	cr_expect_str_eq(fl_grade_mos_range(FL_GRADE_FAIR), "3-4");
	cr_expect_null(fl_grade_mos_range(FL_GRADE_UNKNOWN));
	cr_expect_not(score.bad);
}

/* Frame rates cap video, never a shared screen; a bad screen does not make a minute bad. */
Test(score, frame_rate_caps)
{
	const struct {
		double fps, cap;
	} rows[] = { { 4.9, 1.9 }, { 5, 2.9 }, { 9.9, 2.9 }, { 10, 3.9 }, { 14.9, 3.9 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fl_call_minute m = fl_call_minute_none(1);
		struct fl_minute_score score;

		for (int s = FL_STREAM_VIDEO_IN; s <= FL_STREAM_SCREEN_OUT; s++) {
			m.streams[s].latency_ms = 20;
			m.streams[s].frame_rate = rows[i].fps;
		}
		fl_score_minute(&fl_score_default, &m, &score);
		cr_expect_eq(score.mos[FL_STREAM_VIDEO_IN], rows[i].cap);
		cr_expect_eq(score.mos[FL_STREAM_VIDEO_OUT], rows[i].cap);
		cr_expect_gt(score.mos[FL_STREAM_SCREEN_IN], 4);
		cr_expect_eq(score.bad_streams, 1 << FL_STREAM_VIDEO_IN | 1 << FL_STREAM_VIDEO_OUT);
		cr_expect(score.bad);
		m.streams[FL_STREAM_VIDEO_IN] = m.streams[FL_STREAM_VIDEO_OUT] =
			fl_stream_minute_none();
		m.streams[FL_STREAM_SCREEN_IN].latency_ms = 900;
		fl_score_minute(&fl_score_default, &m, &score);
		cr_expect_eq(score.bad_streams, 1 << FL_STREAM_SCREEN_IN);
		cr_expect_not(score.bad);
	}
}

static const struct fl_json *expected_minute(const struct fl_json *items, const char *uuid,
					     int64_t minute)
{
	for (size_t i = 0; i < fl_json_count(items); i++) {
		const struct fl_json *item = fl_json_at(items, i);
		const char *at = fl_json_get_string(fl_json_member(item, "minute"));

		if (!strcmp(fl_json_get_string(fl_json_member(item, "participant_uuid")), uuid) &&
		    load_time(at) / 60 == minute)
			return item;
	}
	return NULL;
}

static void check_scores(const struct fl_json *item, const struct fl_minute_score *score)
{
	for (enum fl_stream s = 0; s < FL_STREAM_JUDGED; s++) {
		const char *name = fl_stream_name(s);
		double mos = load_number(fl_json_member(fl_json_member(item, "mos"), name));
		const char *quality =
			fl_json_get_string(fl_json_member(fl_json_member(item, "quality"), name));

		cr_expect_float_eq(score->mos[s], mos, 5.1e-5, "%s: %f, not %f", name,
				   score->mos[s], mos);
		cr_expect_str_eq(fl_grade_name(score->quality[s]), quality);
	}
}

/* Every minute of the site: those that are expected to be bad, and no other. */
Test(score, bad_minutes_of_the_fixture)
{
	struct fl_json *want = load_json("correlation/expected_bad_minutes.json");
	const struct fl_json *items = fl_json_member(want, "items");
	const struct load *l = load_correlation();
	unsigned int minutes = 0, bad = 0;

	for (unsigned int i = 0; i < l->join_count; i++) {
		const struct load_join *j = &l->joins[i];
		struct fl_match match;

		fl_match(&l->net, &j->ends, &match);
		if (!fl_match_is_on_network(&match) || match.site != 0)
			continue;
		for (unsigned int n = 0; n < j->minute_count; n++) {
			const struct fl_json *item =
				expected_minute(items, j->uuid, j->minutes[n].minute);
			struct fl_minute_score score;

			fl_score_minute(&fl_score_default, &j->minutes[n], &score);
			minutes++;
			bad += score.bad;
			cr_expect_eq(score.bad, item != NULL, "%s %ld", j->name,
				     (long)j->minutes[n].minute);
			if (item)
				check_scores(item, &score);
		}
	}
	cr_expect_eq(minutes, load_number(fl_json_member(want, "participant_minutes")));
	cr_expect_eq(bad, load_number(fl_json_member(want, "bad_minutes")));
	cr_expect_eq(bad, fl_json_count(items));
	fl_json_free(want);
}
