/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the API to records (zoom-api.md 4 and 5). Tolerant: what is unknown is passed over,
 * what makes no sense is not known, one bad element does not spoil the others. Pure but for memory.
 */
#ifndef FL_AGENT_ZOOM_PARSE_H
#define FL_AGENT_ZOOM_PARSE_H

#include "agent/zoom/sink.h"

struct fl_pull;

#define FL_ZOOM_TOKEN_LEN    512                        /* of a page */
#define FL_ZOOM_BODY_MAX     (32 << 20)                 /* bytes (zoom-api.md 5.12) */
#define FL_ZOOM_MINUTES_MAX  2880                       /* of one join: two days */
#define FL_ZOOM_PAGE_MINUTES (10 * FL_ZOOM_MINUTES_MAX) /* on one page; joins beyond have none */
#define FL_ZOOM_PAGE_MAX     2000 /* records on one page: the most that Zoom sends */

/* What an answer says of itself. */
struct fl_zoom_page {
	char next[FL_ZOOM_TOKEN_LEN]; /* "": the last page */
	int64_t code;                 /* of an error, 0: none; also with HTTP 200 (5.9) */
	char message[512];
	bool has_errors; /* "errors": [...], of a request that was wrong */
};

/*
 * Return, all of them: 0; -EBADMSG for what is no JSON object; -ENOMEM; -EREMOTEIO for an error in
 * place of an answer, see @ret_page. Lists are for the caller to free, and empty on failure.
 */
struct fl_zoom_meetings {
	struct fl_zoom_meeting *list;
	size_t count;
};

int fl_zoom_parse_meetings(const char *body, size_t len, struct fl_zoom_page *ret_page,
			   struct fl_zoom_meetings *ret_meetings);
/* The same for one, without a list around it. */
int fl_zoom_parse_meeting(const char *body, size_t len, struct fl_zoom_page *ret_page,
			  struct fl_zoom_meeting *ret_meeting);
void fl_zoom_meetings_done(struct fl_zoom_meetings *meetings);

struct fl_zoom_joins {
	struct fl_zoom_join *list;
	size_t count;
	size_t minutes; /* that were read, of all of them */
};

/* Participants, or QoS of all or of one: the records have the same shape. */
int fl_zoom_parse_joins(const char *body, size_t len, struct fl_zoom_page *ret_page,
			struct fl_zoom_joins *ret_joins);
void fl_zoom_joins_done(struct fl_zoom_joins *joins);
/* The minutes of one. */
void fl_zoom_join_done(struct fl_zoom_join *join);

/**
 * fl_zoom_join_merge() - put what a later record of the same join says into an earlier one
 * @join: keeps what @later does not know; takes over the minutes of @later
 *
 * Return: 0 or -ENOMEM; @later has no minutes then.
 */
int fl_zoom_join_merge(struct fl_zoom_join *join, struct fl_zoom_join *later);

struct fl_zoom_feedbacks {
	struct fl_zoom_feedback *list;
	size_t count;
};

int fl_zoom_parse_feedback(const char *body, size_t len, struct fl_zoom_page *ret_page,
			   struct fl_zoom_feedbacks *ret_feedbacks);
void fl_zoom_feedbacks_done(struct fl_zoom_feedbacks *feedbacks);

/* What the QSS add-on says of one participant's whole meeting. */
struct fl_zoom_summary {
	char user_id[24]; /* in this meeting */
	enum fl_zoom_quality labels[FL_ZOOM_MEDIA];
	double mos[FL_ZOOM_MEDIA]; /* 0: not said */
};

struct fl_zoom_summaries {
	struct fl_zoom_summary *list;
	size_t count;
};

int fl_zoom_parse_summaries(const char *body, size_t len, struct fl_zoom_page *ret_page,
			    struct fl_zoom_summaries *ret_summaries);
void fl_zoom_summaries_done(struct fl_zoom_summaries *summaries);

/* People of the account, for telling guests. */
struct fl_zoom_users {
	char (*ids)[FL_ZOOM_KEY_LEN];
	size_t count;
};

int fl_zoom_parse_users(const char *body, size_t len, struct fl_zoom_page *ret_page,
			struct fl_zoom_users *ret_users);
void fl_zoom_users_done(struct fl_zoom_users *users);

/* Who linked the account: /users/me or one user. */
struct fl_zoom_person {
	char id[FL_ZOOM_KEY_LEN];
	char email[FL_ZOOM_NAME_LEN];
	char name[FL_ZOOM_NAME_LEN];
	char account_id[FL_ZOOM_KEY_LEN];
	char account_number[24];
	char company[FL_ZOOM_NAME_LEN];
	char role_name[FL_ZOOM_HOST_LEN];
};

int fl_zoom_parse_person(const char *body, size_t len, struct fl_zoom_page *ret_page,
			 struct fl_zoom_person *ret_person);

/* An answer that is expected to be an error, or of which only that matters. */
int fl_zoom_parse_page(const char *body, size_t len, struct fl_zoom_page *ret_page);

/* --- parts ------------------------------------------------------------------------------------ */

/* One member of a record of a participant; false if it is not one that is known (nothing is read).
 */
bool fl_zoom_join_member(struct fl_zoom_join *join, const char *key, struct fl_pull *p);
/* Keys and guests, once all members are there. */
void fl_zoom_join_finish(struct fl_zoom_join *join);
/* "user_qos": [...]; 0 or -ENOMEM. */
int fl_zoom_join_minutes(struct fl_zoom_join *join, struct fl_pull *p);
/* Nothing known of a minute. */
struct fl_zoom_minute fl_zoom_minute_none(int64_t minute);
/* One more of a join, in its place; 0 or -ENOMEM. */
int fl_zoom_join_add_minute(struct fl_zoom_join *join, const struct fl_zoom_minute *minute);

#endif
