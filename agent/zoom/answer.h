/* SPDX-License-Identifier: Apache-2.0 */
/* What came back for a request, and what it means (zoom-api.md 6). Pure. */
#ifndef FL_AGENT_ZOOM_ANSWER_H
#define FL_AGENT_ZOOM_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "agent/zoom/parse.h"

/* As HTTP brought it; texts are cut to fit, "" if the header was not there. */
struct fl_zoom_answer {
	int err;       /* -errno: no answer came; 0: one did */
	char why[160]; /* in words, if none came */
	long status;
	char content_type[48];
	char rate_type[24];
	char rate_category[24];
	char retry_after[48];
	int64_t date_s; /* of the server, 0: not said */
	uint32_t elapsed_ms;
	const char *body; /* borrowed */
	size_t len;
};

enum fl_zoom_verdict {
	FL_ZOOM_FINE,
	FL_ZOOM_REFRESH,     /* the token is not valid: refresh once, repeat once */
	FL_ZOOM_SCOPE,       /* permanent for this call: the message says what is missing */
	FL_ZOOM_PLAN,        /* permanent: Business plan and Dashboard needed */
	FL_ZOOM_STALE_PAGE,  /* start the listing anew */
	FL_ZOOM_WEBINAR,     /* not a meeting: ignore it */
	FL_ZOOM_WRONG,       /* the request was not understood: our mistake */
	FL_ZOOM_NO_USER,     /* skip */
	FL_ZOOM_NOT_READY,   /* not ended, or no detail yet: later */
	FL_ZOOM_NO_END_TIME, /* this account cannot be asked by end time */
	FL_ZOOM_TOO_OLD,     /* drop */
	FL_ZOOM_DENIED,      /* permanent */
	FL_ZOOM_SLOWER,      /* 429, a second's or a minute's limit */
	FL_ZOOM_TOMORROW,    /* 429, the day's limit */
	FL_ZOOM_AGAIN,       /* transient: 5xx, time-outs, no JSON */
};

/**
 * fl_zoom_judge() - what an answer means
 * @ret_page: code and message if it is an error in JSON, else empty
 *
 * A record is not parsed here: FL_ZOOM_FINE says that one may be looked for.
 */
enum fl_zoom_verdict fl_zoom_judge(const struct fl_zoom_answer *answer,
				   struct fl_zoom_page *ret_page);

/* In words, for a log or a status; never with a body or a token in it. */
void fl_zoom_answer_words(const struct fl_zoom_answer *answer, const struct fl_zoom_page *page,
			  char *buf, size_t size);

#endif
