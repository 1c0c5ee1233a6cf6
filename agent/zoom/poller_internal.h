/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the poller share. */
#ifndef FL_AGENT_ZOOM_POLLER_INTERNAL_H
#define FL_AGENT_ZOOM_POLLER_INTERNAL_H

#include "agent/base/hash.h"
#include "agent/zoom/poller.h"

#define POLL_PAST_S        300
#define POLL_PASTONE_S     3600
#define POLL_LIVE_S        90
#define POLL_LIVE_QOS_S    300
#define POLL_LIVE_IDLE_S   900 /* nobody of the managed network was in it */
#define POLL_USERS_S       86400
#define POLL_OVERLAP_S     (30 * 3600) /* zoom-api.md 3 */
#define POLL_END_OVERLAP_S (6 * 3600)  /* chosen: lists by end time need only what is filed late */
#define POLL_FIRST_PASS_S  300
#define POLL_SECOND_PASS_S 3600
#define POLL_OLDEST_S      (183 * 86400LL)
#define POLL_BLOCK_S       86400
#define POLL_REFUSED_S     3600 /* after two refusals of a fresh token */
#define POLL_SINK_MS       60000
#define POLL_OPEN_MAX      500   /* open meetings, then catching up waits */
#define POLL_JOBS_MAX      10000 /* then no page is asked for that might bring more */
#define POLL_LIVES_MAX     2000
#define POLL_HELD_MINUTES  50000 /* in memory, of all meetings together: 18 MB */
#define POLL_JOINS_MAX     5000  /* of one meeting */
#define POLL_PAGES_MAX     1000  /* of one listing */
#define POLL_BUDGET_STEP   20    /* requests that are on disk before they are sent */

enum lister_kind {
	LIST_PAST,
	LIST_BACKLOG, /* the same for days that were missed */
	LIST_PASTONE,
	LIST_LIVE,
	LIST_USERS,
	LISTERS,
};

/* A listing page by page. */
struct lister {
	enum lister_kind kind;
	bool active; /* between its first page and its last */
	bool busy;
	bool repeated; /* with a new token */
	int64_t due_s;
	int64_t from_s, to_s;
	char next[FL_ZOOM_TOKEN_LEN];
	unsigned int pages;
	unsigned int restarts;
	unsigned int stale_pages;    /* in a row, that brought nothing new */
	bool one;                    /* backlog: of meetings with one person */
	char first[FL_ZOOM_KEY_LEN]; /* meeting of the page before */
};

/* Phases with a call of the API behind them, and those that wait for the sink. */
enum phase {
	PHASE_DETAIL,
	PHASE_PARTICIPANTS,
	PHASE_QOS,
	PHASE_SUMMARY, /* accounts with the QSS add-on */
	PHASE_PUT,
	PHASE_FEEDBACK,
	PHASE_END,
};

/* One meeting that is not done. */
struct job {
	UT_hash_handle hh;
	struct fl_zoom_work work;
	struct fl_zoom_meeting meeting;
	enum phase phase;
	bool live;
	bool seen;        /* live: in the last list */
	bool interesting; /* live: somebody of ours is in it */
	bool busy;
	bool repeated;
	bool in_cycle;
	bool detailed;         /* the detail was asked for */
	bool partial;          /* some of its minutes were put already */
	unsigned int failures; /* while others succeed */
	unsigned int restarts;
	unsigned int pages;
	unsigned int stale_pages; /* in a row, that brought nothing new */
	char next[FL_ZOOM_TOKEN_LEN];
	struct fl_zoom_join *joins;
	bool *unwanted; /* of each join */
	size_t join_count;
	size_t minutes;
	unsigned int dropped; /* that the sink was not told of yet */
	struct fl_zoom_feedback *feedback;
	size_t feedback_count;
};

struct call {
	uint32_t id; /* 0: free */
	enum fl_zoom_label label;
	struct lister *lister; /* one of the two */
	struct job *job;
	enum fl_zoom_call what;
	unsigned int token;
};

enum capability {
	CAP_UNKNOWN,
	CAP_YES,
	CAP_NO,
};

struct fl_zoom_poller {
	char account[FL_ZOOM_KEY_LEN];
	struct fl_zoom_settings settings;
	const struct fl_zoom_sink *sink;
	struct fl_zoom_limits limits;
	char scope[2048];
	bool allowed[FL_ZOOM_CALLS]; /* by the scope */
	unsigned int token;          /* counts tokens */
	bool wait_token;
	uint32_t last_id;
	struct call calls[FL_ZOOM_PARALLEL_MAX];
	unsigned int under_way;
	struct lister listers[LISTERS];
	struct job *jobs;  /* by uuid */
	struct job *lives; /* by uuid */
	size_t held;       /* minutes of all jobs */
	/* Persistent. */
	int64_t cursor_s; /* lists are complete up to here, but for the backlog */
	int64_t backlog_from_s, backlog_to_s;
	enum capability end_time;
	enum capability summary; /* whether the account has the QSS add-on */
	int64_t last_sync_ms;
	uint32_t used_on_disk; /* requests that the file says were sent */
	int64_t day_on_disk;
	struct job *prober; /* that asks for the first summary, while it is not known */
	/* Who belongs to the account. */
	uint64_t *users; /* hashes, sorted */
	size_t user_count;
	bool users_known;
	uint64_t *building;
	size_t building_count, building_room;
	/* What is wrong. */
	int64_t blocked_s[FL_ZOOM_CALLS]; /* until then */
	char block_reason[FL_ZOOM_CALLS][256];
	int64_t refused_s; /* tokens are refused, wait until then */
	char transient[192];
	struct fl_mono sink_resume;
	int sink_err;
	int64_t offset_s;
	bool warned_clock;
	bool list_again; /* as soon as the list that is under way is complete */
	bool cycle_open;
	unsigned int cycle_left;
	uint64_t labels_seen, feedback_seen, meetings, joins, minutes, dropped, requests;
};

/* poller.c */
struct fl_zoom_now poll_now(const struct fl_zoom_poller *p);
void poll_block(struct fl_zoom_poller *p, enum fl_zoom_call what, const char *reason);
bool poll_is_blocked(const struct fl_zoom_poller *p, enum fl_zoom_call what);
/* An error of the sink: pause, and say so. Returns it. */
int poll_sink(struct fl_zoom_poller *p, int err);
/* Cycle: a job that belonged to it moved on. */
void poll_cycle_step(struct fl_zoom_poller *p, struct job *job);

/* poller_state.c */
int poll_state_load(struct fl_zoom_poller *p);
int poll_state_save(struct fl_zoom_poller *p);
int poll_work_load(struct fl_zoom_poller *p);

/* poller_list.c */
void poll_listers_init(struct fl_zoom_poller *p);
bool poll_lister_is_wanted(struct fl_zoom_poller *p, struct lister *l, int64_t now_s);
void poll_lister_path(struct fl_zoom_poller *p, struct lister *l, char *path, size_t size);
enum fl_zoom_call poll_lister_call(const struct lister *l);
void poll_lister_answer(struct fl_zoom_poller *p, struct lister *l, enum fl_zoom_verdict verdict,
			const struct fl_zoom_answer *answer);
bool poll_is_user(const struct fl_zoom_poller *p, const char *id);

/* poller_job.c */
struct job *poll_job_new(struct fl_zoom_poller *p, const struct fl_zoom_meeting *meeting,
			 bool live);
void poll_job_free(struct fl_zoom_poller *p, struct job *job);
enum fl_zoom_rank poll_job_rank(const struct job *job);
enum fl_zoom_call poll_job_call(const struct job *job);
void poll_job_path(const struct job *job, char *path, size_t size);
/* Past phases that are not allowed, or too dear, and to the sink. False: the job is gone. */
bool poll_job_settle(struct fl_zoom_poller *p, struct job *job);
void poll_job_answer(struct fl_zoom_poller *p, struct job *job, enum fl_zoom_verdict verdict,
		     const struct fl_zoom_answer *answer);
/* Whether the account has the QSS add-on is to be found out again. */
void poll_summary_again(struct fl_zoom_poller *p);

/* poller_keep.c: what is kept of a meeting */
int poll_keep_joins(struct fl_zoom_poller *p, struct job *job, struct fl_zoom_joins *joins,
		    bool qos, bool *ret_news);
int poll_keep_feedback(struct fl_zoom_poller *p, struct job *job, struct fl_zoom_feedbacks *f);
/* What the QSS add-on says of participants, to the joins that are kept. */
void poll_keep_summaries(struct job *job, const struct fl_zoom_summaries *summaries);
/* Forget what was collected of a meeting. */
void poll_keep_nothing(struct fl_zoom_poller *p, struct job *job);
/* To the sink; @work NULL: done. */
int poll_put(struct fl_zoom_poller *p, struct job *job, const struct fl_zoom_work *work);

#endif
