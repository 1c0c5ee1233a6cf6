// SPDX-License-Identifier: Apache-2.0
/* Scores: see score.h. Pure. */
#include "agent/insight/score.h"

const struct fl_score_cfg fl_score_default = {
	.model = FL_SCORE_SHORT,
	.r_max = 93.2,
	.loss_weight = 2.5,
	.base_ms = 10,
	.jitter_weight = 2,
	.codec_ms = 20,
	.ie = 0,
	.bpl = 25.1,
	.burst = 1,
	.frame_caps = { { 5, 1.9 }, { 10, 2.9 }, { 15, 3.9 } },
};

/* Zero for what was not measured: it then costs nothing. */
static double known(double value)
{
	return isnan(value) ? 0 : value;
}

static double rate_short(const struct fl_score_cfg *cfg, double latency, double jitter, double loss)
{
	double effective = latency + cfg->jitter_weight * jitter + cfg->base_ms;
	double r =
		effective < 160 ? cfg->r_max - effective / 40 : cfg->r_max - (effective - 120) / 10;

	return r - cfg->loss_weight * loss;
}

/* Delay: the fit of Cole and Rosenbluth; loss: G.113 with random loss. */
static double rate_g107(const struct fl_score_cfg *cfg, double latency, double jitter, double loss)
{
	double d = latency / 2 + cfg->jitter_weight * jitter + cfg->codec_ms;
	double id = 0.024 * d + 0.11 * fmax(0, d - 177.3);
	double ie_eff = cfg->ie + (95 - cfg->ie) * loss / (loss / cfg->burst + cfg->bpl);

	return cfg->r_max - id - ie_eff;
}

double fl_score_rating(const struct fl_score_cfg *cfg, double latency_ms, double jitter_ms,
		       double loss_pct)
{
	double latency = known(latency_ms), jitter = known(jitter_ms), loss = known(loss_pct);

	if (cfg->model == FL_SCORE_G107)
		return rate_g107(cfg, latency, jitter, loss);
	return rate_short(cfg, latency, jitter, loss);
}

double fl_score_of_rating(double r)
{
	if (r <= 0)
		return 1;
	if (r >= 100)
		return 4.5;
	/* The cubic dips below 1 where r is small. */
	return fmax(1, 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r));
}

enum fl_grade fl_grade_of_mos(double mos)
{
	if (mos >= 4)
		return FL_GRADE_GOOD;
	if (mos >= 3)
		return FL_GRADE_FAIR;
	return mos >= 2 ? FL_GRADE_POOR : FL_GRADE_BAD;
}

/* Slow video looks bad however well its packets travel; shared screens are slow by nature. */
static double cap_by_frames(const struct fl_score_cfg *cfg, double mos, double fps)
{
	for (unsigned int i = 0; i < sizeof(cfg->frame_caps) / sizeof(cfg->frame_caps[0]); i++)
		if (fps < cfg->frame_caps[i].fps)
			return fmin(mos, cfg->frame_caps[i].cap);
	return mos;
}

static void score_stream(const struct fl_score_cfg *cfg, const struct fl_stream_minute *s,
			 enum fl_stream stream, struct fl_minute_score *score)
{
	bool video = stream == FL_STREAM_VIDEO_IN || stream == FL_STREAM_VIDEO_OUT;
	double mos;

	score->mos[stream] = NAN;
	if (isnan(s->latency_ms) && isnan(s->jitter_ms) && isnan(s->loss_pct)) {
		bool ran = !isnan(s->bitrate_kbps) || !isnan(s->frame_rate) || s->width;

		score->quality[stream] = ran ? FL_GRADE_UNKNOWN : FL_GRADE_NOT_APPLICABLE;
		return;
	}
	mos = fl_score_of_rating(fl_score_rating(cfg, s->latency_ms, s->jitter_ms, s->loss_pct));
	if (video && !isnan(s->frame_rate))
		mos = cap_by_frames(cfg, mos, s->frame_rate);
	score->mos[stream] = mos;
	score->quality[stream] = fl_grade_of_mos(mos);
	if (score->quality[stream] != FL_GRADE_GOOD)
		score->bad_streams |= (uint8_t)(1U << stream);
}

void fl_score_minute(const struct fl_score_cfg *cfg, const struct fl_call_minute *minute,
		     struct fl_minute_score *ret_score)
{
	ret_score->bad_streams = 0;
	for (enum fl_stream s = 0; s < FL_STREAM_MAX; s++)
		score_stream(cfg, &minute->streams[s], s, ret_score);
	ret_score->bad = ret_score->bad_streams & ((1U << FL_STREAM_JUDGED) - 1);
}

enum fl_stream fl_score_worst_stream(const struct fl_minute_score *score)
{
	enum fl_stream worst = FL_STREAM_AUDIO_IN;

	for (enum fl_stream s = 0; s < FL_STREAM_JUDGED; s++)
		if (isnan(score->mos[worst]) || score->mos[s] < score->mos[worst])
			worst = s;
	return worst;
}

static const struct {
	const char *name;
	const char *display;
	const char *mos_range;
} quality_text[] = {
	[FL_GRADE_NOT_APPLICABLE] = { "not_applicable", "Not Applicable", NULL },
	[FL_GRADE_UNKNOWN] = { "unknown", "Unknown (data not collected)", NULL },
	[FL_GRADE_BAD] = { "bad", "Bad (MOS 1-2)", "1-2" },
	[FL_GRADE_POOR] = { "poor", "Poor (MOS 2-3)", "2-3" },
	[FL_GRADE_FAIR] = { "fair", "Fair (MOS 3-4)", "3-4" },
	[FL_GRADE_GOOD] = { "good", "Good (MOS 4-5)", "4-5" },
};

const char *fl_grade_name(enum fl_grade quality)
{
	return quality_text[quality].name;
}

const char *fl_grade_display(enum fl_grade quality)
{
	return quality_text[quality].display;
}

const char *fl_grade_mos_range(enum fl_grade quality)
{
	return quality_text[quality].mos_range;
}

const char *fl_stream_name(enum fl_stream stream)
{
	static const char *const names[] = { "audio_in",  "audio_out", "video_in",
					     "video_out", "screen_in", "screen_out" };

	return names[stream];
}
