/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mean opinion scores and their classes (zoom-api.md 8). Zoom does not publish its formula; two
 * models are offered, and the short one decides unless the configuration says otherwise.
 */
#ifndef FL_AGENT_INSIGHT_SCORE_H
#define FL_AGENT_INSIGHT_SCORE_H

#include "agent/insight/types.h"

enum fl_score_model {
	FL_SCORE_SHORT, /* model B: the usual short form of the E-model */
	FL_SCORE_G107,  /* model A: ITU-T G.107 and G.113, G.711 with concealment */
};

/* All constants, so that a configuration may tune them; fl_score_default has those of section 8. */
struct fl_score_cfg {
	enum fl_score_model model;
	double r_max;
	/* Short form. */
	double loss_weight; /* R a per cent */
	double base_ms;
	double jitter_weight;
	/* G.107. */
	double codec_ms; /* jitter buffer and packetization */
	double ie;
	double bpl;
	double burst;
	/* Frames a second below which video cannot score more than the cap beside it. */
	struct {
		double fps;
		double cap;
	} frame_caps[3];
};

extern const struct fl_score_cfg fl_score_default;

struct fl_minute_score {
	double mos[FL_STREAM_MAX];            /* NAN if the stream did not run */
	enum fl_grade quality[FL_STREAM_MAX]; /* UNKNOWN if it ran but has no figures */
	uint8_t bad_streams;                  /* a bit each of enum fl_stream: worse than good */
	bool bad;                             /* any of audio and video is */
};

/* Transmission rating of latency (a round trip), jitter and loss; what is NAN costs nothing. */
double fl_score_rating(const struct fl_score_cfg *cfg, double latency_ms, double jitter_ms,
		       double loss_pct);

/* Score 1..4.5 of a rating. */
double fl_score_of_rating(double r);

enum fl_grade fl_grade_of_mos(double mos);

/* Score every stream of a minute. */
void fl_score_minute(const struct fl_score_cfg *cfg, const struct fl_call_minute *minute,
		     struct fl_minute_score *ret_score);

/* The audio or video stream that scored least: the one to ask about a bad minute. */
enum fl_stream fl_score_worst_stream(const struct fl_minute_score *score);

/* "good"; what Zoom's API and ours say. */
const char *fl_grade_name(enum fl_grade quality);
/* "Good (MOS 4-5)", "Unknown (data not collected)", "Not Applicable". */
const char *fl_grade_display(enum fl_grade quality);
/* "4-5", NULL for the two that have none. */
const char *fl_grade_mos_range(enum fl_grade quality);

/* "audio_in" */
const char *fl_stream_name(enum fl_stream stream);

#endif
