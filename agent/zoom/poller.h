/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked of one Zoom account, when, and what is done with the answers (zoom-api.md 3, 6, 9).
 * A state machine without I/O: the caller asks for the next request, sends it, and brings the
 * answer; records and state go to the sink. So a day of polling is tested in a second.
 */
#ifndef FL_AGENT_ZOOM_POLLER_H
#define FL_AGENT_ZOOM_POLLER_H

#include "agent/base/monotime.h"
#include "agent/zoom/answer.h"
#include "agent/zoom/limits.h"
#include "agent/zoom/scope.h"
#include "agent/zoom/sink.h"

struct fl_zoom_poller;

struct fl_zoom_settings {
	bool live;           /* also look at meetings that go on */
	bool business;       /* Business plan or higher: Zoom allows more */
	bool discard_guests; /* keep no name, e-mail, address of people from outside the account */
	bool keep_topic;
	bool keep_comments;
	bool keep_phone_numbers;
	uint32_t max_daily;      /* requests, 0: no limit of our own */
	unsigned int first_days; /* to look back when an account is new; at most 183 */
	unsigned int parallel;   /* requests under way, at most FL_ZOOM_PARALLEL_MAX */
	double rate_scale;       /* 1; more only against a server of the tests */
};

#define FL_ZOOM_PARALLEL_MAX 8
#define FL_ZOOM_PATH_LEN     2048

struct fl_zoom_settings fl_zoom_settings_default(void);

struct fl_zoom_request {
	uint32_t id;
	enum fl_zoom_label label;
	char path[FL_ZOOM_PATH_LEN]; /* and query, behind the API's base and "/v2" */
};

/**
 * fl_zoom_poller_new() - go on where the sink says that we were
 * @account:  Zoom's account id
 * @sink:     borrowed
 *
 * Return: 0, -ENOMEM, or an error of the sink.
 */
int fl_zoom_poller_new(const char *account, const struct fl_zoom_settings *settings,
		       const struct fl_zoom_sink *sink, struct fl_zoom_poller **ret_poller);
void fl_zoom_poller_free(struct fl_zoom_poller *poller); /* takes NULL */

/**
 * fl_zoom_poller_next() - the request that is to be sent now
 * @ret_wake: if there is none, when to ask again; also ask after each answer
 */
bool fl_zoom_poller_next(struct fl_zoom_poller *poller, struct fl_zoom_request *ret_request,
			 struct fl_mono *ret_wake);

/**
 * fl_zoom_poller_answer() - what came for a request
 *
 * Return: true if the access token must be refreshed now; nothing is asked until
 * fl_zoom_poller_token() then, and after it the same request is asked once more.
 */
bool fl_zoom_poller_answer(struct fl_zoom_poller *poller, uint32_t id,
			   const struct fl_zoom_answer *answer);

/* There is a new token; @scope as Zoom gave it. */
void fl_zoom_poller_token(struct fl_zoom_poller *poller, const char *scope);

/* Ask for the list now, and try again what was given up. */
void fl_zoom_poller_sync(struct fl_zoom_poller *poller);

/* A webhook says that a meeting ended. */
void fl_zoom_poller_ended(struct fl_zoom_poller *poller, const struct fl_zoom_meeting *meeting);

struct fl_zoom_status {
	int64_t last_sync_ms; /* of the last complete cycle, 0: none yet */
	bool failed;
	char errors[8][384]; /* why, most important first */
	size_t error_count;
	char hints[4][256]; /* nothing is wrong, but something is missing */
	size_t hint_count;
	uint32_t used_today, max_daily;
	unsigned int open_meetings;                       /* that are not done */
	uint64_t meetings, joins, minutes, dropped_joins; /* since the start */
	uint64_t requests;
	int64_t clock_offset_s; /* Zoom's clock less ours */
	bool catching_up;
};

void fl_zoom_poller_status(struct fl_zoom_poller *poller, struct fl_zoom_status *ret_status);

#endif
