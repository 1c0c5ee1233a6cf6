/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that insightd remembers. Callers see records and nothing of what keeps them: today
 * SQLite in WAL mode, whose SQL is all in store.c.
 *
 * One thread uses a store. Functions return 0 or -errno: -ENOSPC for a full disk (nothing of the
 * call was kept, try again later), -EUCLEAN for a damaged file (close it and open it again: it is
 * put aside then), -ENOENT for what is not there. What is handed to a callback lives until it
 * returns; a callback that returns false ends the walk.
 */
#ifndef FL_AGENT_INSIGHT_STORE_H
#define FL_AGENT_INSIGHT_STORE_H

#include "agent/insight/correlate.h"
#include "agent/insight/roll.h"
#include "agent/insight/score.h"

struct fl_store;

struct fl_store_cfg {
	const char *path;
	const struct fl_score_cfg *mos; /* NULL: the default */
	unsigned int minute_days;       /* 0: 30 */
	unsigned int meeting_days;      /* 0: 90 */
	uint64_t quota_bytes;           /* of the file, 0: none; the oldest minutes go first */
	uint64_t now_s;                 /* names what is put aside; what is too old is not kept */
};

struct fl_store_health {
	bool quarantined;  /* the file was damaged: this one is new, poll again */
	char problem[128]; /* what was wrong with it */
	char put_aside_as[4096];
};

/**
 * fl_store_open() - open or make the file, check it, bring its schema up to date
 *
 * A damaged file is renamed to PATH.damaged-TIME, the one that was put aside before is removed, and
 * an empty store takes its place. Return: 0; -EPROTO if a newer version made the file.
 */
int fl_store_open(const struct fl_store_cfg *cfg, struct fl_store_health *ret_health,
		  struct fl_store **ret_store);
void fl_store_close(struct fl_store *store); /* takes NULL */

/* --- the poller's state -------------------------------------------------------------------------
 */

/* A meeting that is not done: its stage is the poller's own. */
struct fl_store_work {
	char uuid[FL_KEY_LEN];
	int stage;
	int tries;
	int64_t due_s;
	int64_t ended_s;
};

/* Number of an account; made if it is new. */
int fl_store_account(struct fl_store *store, const char *key, uint32_t *ret_account);
/* Text of the poller's own: cursor, budget, what it learned. "" until set. */
int fl_store_set_account_state(struct fl_store *store, uint32_t account, const char *state);
typedef bool (*fl_account_fn)(void *ctx, uint32_t account, const char *key, const char *state);
int fl_store_each_account(struct fl_store *store, fl_account_fn fn, void *ctx);
/* Forget it and its work; with @data also all of its meetings. */
int fl_store_delete_account(struct fl_store *store, uint32_t account, bool data);

int fl_store_put_work(struct fl_store *store, uint32_t account, const struct fl_store_work *work);
int fl_store_delete_work(struct fl_store *store, uint32_t account, const char *uuid);
typedef bool (*fl_work_fn)(void *ctx, const struct fl_store_work *work);
/* Work that is due at @now_s or before, earliest first. */
int fl_store_each_work(struct fl_store *store, uint32_t account, int64_t now_s, fl_work_fn fn,
		       void *ctx);
/* Return: 1 if this meeting is stored since it ended, or is open work; 0 if not. */
int fl_store_has_meeting(struct fl_store *store, uint32_t account, const char *uuid);

/* --- from the router ----------------------------------------------------------------------------
 */

enum fl_severity {
	FL_SEVERITY_GOOD,
	FL_SEVERITY_NEUTRAL,
	FL_SEVERITY_BAD,
};

struct fl_event {
	uint32_t site;
	int64_t at_s;
	enum fl_severity severity;
	char kind[32];    /* PATH_DOWN, VECTOR_MOVED, SLA_VIOLATED, ... */
	char subject[64]; /* the path or peer */
	char detail[192];
};

/* Numbers of sites and paths; made if they are new. */
int fl_store_site(struct fl_store *store, const char *name, uint32_t *ret_site);
int fl_store_path(struct fl_store *store, uint32_t site, const char *router, const char *name,
		  uint32_t *ret_path);
/* Upserts, each of them one transaction. A later row replaces an earlier one of its key; steps of a
 * session are added to those that are known. */
int fl_store_put_path_minutes(struct fl_store *store, const struct fl_path_minute *rows,
			      size_t count);
int fl_store_put_sessions(struct fl_store *store, const struct fl_session_record *rows,
			  size_t count);
int fl_store_put_neighbours(struct fl_store *store, const struct fl_neighbour_record *rows,
			    size_t count);
int fl_store_put_events(struct fl_store *store, const struct fl_event *rows, size_t count);

/* --- from Zoom ----------------------------------------------------------------------------------
 */

enum fl_leave_code {
	FL_LEAVE_UNKNOWN,
	FL_LEAVE_LEFT,
	FL_LEAVE_HOST_ENDED,
	FL_LEAVE_REMOVED,
	FL_LEAVE_NETWORK_ERROR,
	FL_LEAVE_DISCONNECTED,
};

/* One join that was matched to a client of a site. */
struct fl_call {
	uint64_t id;          /* of the store: when read */
	uint64_t meeting;     /* when read */
	char key[FL_KEY_LEN]; /* participant_uuid, else user_id and join time */
	uint32_t account;
	uint32_t site;
	uint32_t client; /* when read */
	enum fl_match_rule rule;
	bool vpn;
	enum fl_conn_type conn;
	enum fl_network_type network;
	struct fl_addr addr;
	struct fl_addr public_addr;
	struct fl_mac mac;
	char hostname[FL_HOSTNAME_LEN];
	char user_name[FL_PERSON_LEN];
	char email[FL_PERSON_LEN];
	char person[FL_KEY_LEN]; /* Zoom's id of the user, when written: ratings name it */
	char device[32];
	int64_t join_s;
	int64_t leave_s; /* FL_SESSION_OPEN_END: still in */
	enum fl_leave_code leave_code;
	enum fl_grade audio, video, screen; /* Zoom's labels */
	double mos[FL_MEDIA_MAX];           /* Zoom's scores, if it tells them; 0: not */
	int rating;                         /* lowest; 0: none */
	uint64_t bytes;                     /* 0: not known */
	unsigned int minutes, bad_minutes;  /* when read */
	/* Of the meeting, when read. */
	char meeting_uuid[FL_KEY_LEN];
	int64_t meeting_number;
};

struct fl_call_put {
	struct fl_call call;
	const struct fl_call_minute *minutes;
	const uint32_t *paths; /* of each minute, 0 unknown; NULL: of none */
	size_t minute_count;
};

struct fl_feedback {
	char who[FL_PERSON_LEN];   /* user id or e-mail */
	char call_key[FL_KEY_LEN]; /* "": the last call of @who that began before */
	int64_t at_s;
	int rating; /* 1 or 5 */
};

struct fl_meeting_put {
	uint32_t account;
	char uuid[FL_KEY_LEN];
	int64_t number;
	char topic[FL_PERSON_LEN]; /* "" unless switched on */
	char host[FL_PERSON_LEN];
	char host_email[FL_PERSON_LEN];
	int64_t start_s;
	int64_t end_s; /* FL_SESSION_OPEN_END: still on */
	unsigned int participants;
	unsigned int dropped;
	const struct fl_call_put *calls;
	size_t call_count;
	const struct fl_feedback *feedback;
	size_t feedback_count;
	const struct fl_store_work *work; /* NULL: it is done */
	bool keep_work;                   /* it goes on: what is open for it stays as it is */
};

/**
 * fl_store_put_meeting() - keep a meeting with all its joins, in one transaction
 *
 * May be repeated with more, or with newer, data: that replaces what is there, unknown values
 * replace nothing, and what is not mentioned stays.
 */
int fl_store_put_meeting(struct fl_store *store, const struct fl_meeting_put *put);

/* Who was to blame for a bad minute; -ENOENT if there is no such minute, or it is not bad. */
int fl_store_set_cause(struct fl_store *store, uint64_t call, int64_t minute,
		       enum fl_category cause);

struct fl_minute_path {
	int64_t minute;
	uint32_t path;
};

/**
 * fl_store_set_sessions() - what a router told of a call after it was stored
 * @call:  id, vpn and bytes of it
 * @paths: of minutes that have none; others keep theirs
 */
int fl_store_set_sessions(struct fl_store *store, const struct fl_call *call,
			  const struct fl_minute_path *paths, size_t count);

/* The next call after @after, in order of numbers, that touches [from_s, to_s); -ENOENT. */
int fl_store_next_call(struct fl_store *store, uint64_t after, int64_t from_s, int64_t to_s,
		       uint64_t *ret_call);

/* The next call after @after, in order of numbers, that has bad minutes without a cause; -ENOENT.
 */
int fl_store_next_unranked(struct fl_store *store, uint64_t after, uint64_t *ret_call);

/* --- reading ------------------------------------------------------------------------------------
 */

struct fl_insight_point {
	struct fl_roll roll;
	struct fl_wan_roll wan;
};

/* Site insights of a time: buckets, and sums over all of it. */
struct fl_insights {
	int64_t start_s;
	int64_t width_s;
	size_t count;
	struct fl_insight_point *points;
	struct fl_roll total;
	uint64_t users; /* clients */
	/* People by the ratings that they gave. */
	uint64_t good, average, poor;
};

int fl_store_insights(struct fl_store *store, uint32_t site, int64_t from_s, int64_t to_s,
		      struct fl_insights *ret_insights);
void fl_insights_done(struct fl_insights *insights);

struct fl_client_row {
	uint32_t client;
	uint32_t site;
	struct fl_mac mac; /* unknown if the client is known by its address only */
	struct fl_addr addr;
	char hostname[FL_HOSTNAME_LEN];
	char user_name[FL_PERSON_LEN];
	int min_rating; /* 0: none */
	unsigned int calls;
	int64_t seen_s;
};

typedef bool (*fl_client_fn)(void *ctx, const struct fl_client_row *row);
/* Clients with calls in a time, any order. */
int fl_store_each_client(struct fl_store *store, uint32_t site, int64_t from_s, int64_t to_s,
			 fl_client_fn fn, void *ctx);
/* By host name, MAC or address, of any site; no times, ratings and calls. */
int fl_store_find_clients(struct fl_store *store, const char *text, fl_client_fn fn, void *ctx);

/* One of them; no rating and calls. -ENOENT if there is none of that number. */
int fl_store_client(struct fl_store *store, uint32_t client, struct fl_client_row *ret_row);

/* Which calls; 0, false, or "" do not restrict. */
struct fl_call_filter {
	uint32_t site;
	uint32_t client;
	int64_t from_s, to_s;
	bool bad_only;   /* audio or video label poor or bad, or rating poor (E17) */
	char search[64]; /* in host name, user, or meeting id */
	unsigned int offset, limit;
};

typedef bool (*fl_call_fn)(void *ctx, const struct fl_call *call);
/* Newest first; *ret_total (may be NULL): how many there are in all. */
int fl_store_each_call(struct fl_store *store, const struct fl_call_filter *filter, fl_call_fn fn,
		       void *ctx, uint64_t *ret_total);
int fl_store_call(struct fl_store *store, uint64_t call, struct fl_call *ret_call);
/* By Zoom's keys; @key "": any call of the meeting. */
int fl_store_find_call(struct fl_store *store, uint32_t account, const char *uuid, const char *key,
		       struct fl_call *ret_call);

struct fl_minute_row {
	struct fl_call_minute figures;
	uint32_t path; /* 0: unknown */
	uint8_t bad_streams;
	bool ranked;
	enum fl_category cause;
};

typedef bool (*fl_minute_fn)(void *ctx, const struct fl_call *call,
			     const struct fl_minute_row *row);
/* Minutes of a call, in order. */
int fl_store_each_minute(struct fl_store *store, const struct fl_call *call, fl_minute_fn fn,
			 void *ctx);
/* Minutes of a site's calls that began in a time, newest call first: to fit a model, or for the
 * points of a graph. */
int fl_store_each_site_minute(struct fl_store *store, uint32_t site, int64_t from_s, int64_t to_s,
			      fl_minute_fn fn, void *ctx);

/* Up to @max rows of a path, ascending; *ret_count says how many. */
int fl_store_path_minutes(struct fl_store *store, uint32_t path, int64_t from_minute,
			  int64_t to_minute, struct fl_path_minute *rows, size_t max,
			  size_t *ret_count);

typedef bool (*fl_session_fn)(void *ctx, const struct fl_session_record *session);
/* Sessions of a client that were there in a time, with their paths. */
int fl_store_each_session(struct fl_store *store, const struct fl_addr *client, int64_t from_s,
			  int64_t to_s, fl_session_fn fn, void *ctx);

typedef bool (*fl_neighbour_fn)(void *ctx, const struct fl_neighbour_record *neighbour);
/* Those with that MAC or that host name (without domain). */
int fl_store_each_neighbour(struct fl_store *store, struct fl_mac mac, const char *hostname,
			    fl_neighbour_fn fn, void *ctx);

typedef bool (*fl_event_fn)(void *ctx, const struct fl_event *event);
int fl_store_each_event(struct fl_store *store, uint32_t site, int64_t from_s, int64_t to_s,
			fl_event_fn fn, void *ctx);

typedef bool (*fl_name_fn)(void *ctx, uint32_t id, const char *name);
int fl_store_each_site(struct fl_store *store, fl_name_fn fn, void *ctx);
int fl_store_each_path(struct fl_store *store, uint32_t site, fl_name_fn fn, void *ctx);

/* --- upkeep -------------------------------------------------------------------------------------
 */

struct fl_store_usage {
	uint64_t file_bytes; /* without the write-ahead log */
	uint64_t free_bytes; /* of it, to be given back */
	uint64_t meetings, calls, minutes;
};

int fl_store_usage(struct fl_store *store, struct fl_store_usage *ret_usage);

/**
 * fl_store_tidy() - one step of retention: a few hundred calls' worth, some ten milliseconds
 *
 * Removes what is too old, or what is too much, and gives the space back to the disk.
 * Return: 1 if there is more to do, 0 if not.
 */
int fl_store_tidy(struct fl_store *store, int64_t now_s);

#endif
