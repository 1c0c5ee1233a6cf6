/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes out of Zoom, as plain data, and the table of functions that take it: whoever keeps
 * meetings fulfils it (agent/insight/store in the daemon, a journal in the tests). A figure that
 * nobody measured is NAN, a text that is not known is "", a time that is not known is 0.
 */
#ifndef FL_AGENT_ZOOM_SINK_H
#define FL_AGENT_ZOOM_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/addr.h"

#define FL_ZOOM_KEY_LEN  96 /* NUL included, as in all of these: ids of meetings, joins, ... */
#define FL_ZOOM_NAME_LEN 128
#define FL_ZOOM_HOST_LEN 64
#define FL_ZOOM_ADDRS    8 /* internal addresses of one client that are kept */

/* In: sent by the client, out: received by it (zoom-api.md 4.3). Screen is "as" there. */
enum fl_zoom_stream {
	FL_ZOOM_AUDIO_IN,
	FL_ZOOM_AUDIO_OUT,
	FL_ZOOM_VIDEO_IN,
	FL_ZOOM_VIDEO_OUT,
	FL_ZOOM_SCREEN_IN,
	FL_ZOOM_SCREEN_OUT,
	FL_ZOOM_STREAMS,
};

enum fl_zoom_quality {
	FL_ZOOM_QUALITY_NONE, /* no label */
	FL_ZOOM_QUALITY_BAD,
	FL_ZOOM_QUALITY_POOR,
	FL_ZOOM_QUALITY_FAIR,
	FL_ZOOM_QUALITY_GOOD,
};

enum fl_zoom_media {
	FL_ZOOM_AUDIO,
	FL_ZOOM_VIDEO,
	FL_ZOOM_SCREEN,
	FL_ZOOM_MEDIA,
};

enum fl_zoom_network {
	FL_ZOOM_NETWORK_UNKNOWN,
	FL_ZOOM_NETWORK_WIRED,
	FL_ZOOM_NETWORK_WIFI,
	FL_ZOOM_NETWORK_CELLULAR,
	FL_ZOOM_NETWORK_OTHER, /* PPP and what Zoom calls "Others" */
};

enum fl_zoom_conn {
	FL_ZOOM_CONN_UNKNOWN,
	FL_ZOOM_CONN_UDP,   /* P2P, UDP, reliable UDP */
	FL_ZOOM_CONN_TCP,   /* TCP, SSL, HTTP */
	FL_ZOOM_CONN_PROXY, /* any of them through a proxy */
};

enum fl_zoom_leave {
	FL_ZOOM_LEAVE_UNKNOWN,
	FL_ZOOM_LEAVE_LEFT,
	FL_ZOOM_LEAVE_HOST_ENDED,
	FL_ZOOM_LEAVE_REMOVED,
	FL_ZOOM_LEAVE_NETWORK_ERROR,
};

/* Bits: one participant may use several devices. */
enum fl_zoom_device {
	FL_ZOOM_DEVICE_UNKNOWN = 1 << 0,
	FL_ZOOM_DEVICE_WINDOWS = 1 << 1,
	FL_ZOOM_DEVICE_MAC = 1 << 2,
	FL_ZOOM_DEVICE_LINUX = 1 << 3,
	FL_ZOOM_DEVICE_IOS = 1 << 4,
	FL_ZOOM_DEVICE_ANDROID = 1 << 5,
	FL_ZOOM_DEVICE_CHROMEOS = 1 << 6,
	FL_ZOOM_DEVICE_WEB = 1 << 7,
	FL_ZOOM_DEVICE_PHONE = 1 << 8,
	FL_ZOOM_DEVICE_SIP = 1 << 9, /* H.323 and SIP rooms */
	FL_ZOOM_DEVICE_ROOMS = 1 << 10,
};

enum fl_zoom_role {
	FL_ZOOM_ROLE_ATTENDEE,
	FL_ZOOM_ROLE_HOST,
	FL_ZOOM_ROLE_PANELIST,
};

/* One stream in one minute. */
struct fl_zoom_figures {
	double latency_ms; /* a round trip */
	double jitter_ms;
	double loss_pct;
	double max_loss_pct;
	double bitrate_kbps;
	double frame_rate;
	uint16_t width; /* 0: off, or not known */
	uint16_t height;
};

struct fl_zoom_minute {
	int64_t minute; /* since 1970, UTC */
	struct fl_zoom_figures streams[FL_ZOOM_STREAMS];
	double cpu_system_pct; /* highest of the minute */
	double cpu_zoom_pct;   /* average */
	double rssi_dbm;       /* average */
	double rssi_min_dbm;
	double rssi_max_dbm;
};

/* One participant from joining to leaving; who comes back is a new one. */
struct fl_zoom_join {
	char key[FL_ZOOM_KEY_LEN];  /* participant_uuid, else user_id and join time */
	char user_id[24];           /* in this meeting */
	char user[FL_ZOOM_KEY_LEN]; /* Zoom's id of the person, "" if not signed in */
	char user_name[FL_ZOOM_NAME_LEN];
	char email[FL_ZOOM_NAME_LEN];
	bool guest;   /* from outside the account */
	bool blank;   /* a guest of whom no address may be stored; name and e-mail are "" */
	bool waiting; /* still in the waiting room */
	enum fl_zoom_role role;
	struct fl_addr public_addr;
	struct fl_addr internal[FL_ZOOM_ADDRS];
	size_t internal_count;
	uint8_t mac[6]; /* zero: not known */
	char pc_name[FL_ZOOM_HOST_LEN];
	char domain[FL_ZOOM_HOST_LEN];
	char location[FL_ZOOM_HOST_LEN];
	char data_center[FL_ZOOM_HOST_LEN];
	char version[32];
	unsigned int devices; /* enum fl_zoom_device */
	enum fl_zoom_network network;
	enum fl_zoom_conn conn, video_conn, screen_conn;
	int64_t join_s;
	int64_t leave_s; /* 0: still in, or not known */
	enum fl_zoom_leave leave;
	bool disconnected; /* left because the connection broke */
	enum fl_zoom_quality audio, video, screen;
	double mos[FL_ZOOM_MEDIA];      /* by Zoom (QSS add-on), 1 to 5; 0: not said */
	struct fl_zoom_minute *minutes; /* ascending */
	size_t minute_count;
};

struct fl_zoom_meeting {
	char uuid[FL_ZOOM_KEY_LEN];
	int64_t number;
	char topic[FL_ZOOM_NAME_LEN]; /* "" unless switched on */
	char host[FL_ZOOM_NAME_LEN];
	char host_email[FL_ZOOM_NAME_LEN];
	int64_t start_s;
	int64_t end_s; /* 0: still on */
	unsigned int participants;
	enum fl_zoom_quality audio, video, screen;
};

/* Zoom knows two answers. */
struct fl_zoom_feedback {
	char who[FL_ZOOM_NAME_LEN]; /* user id, else e-mail, else "" */
	int64_t at_s;
	int rating;        /* 5 good, 1 not good */
	char comment[256]; /* "" unless switched on */
};

/* How far a meeting is that is not done; a meeting that is done has none. */
enum fl_zoom_stage {
	FL_ZOOM_STAGE_LISTED,   /* nothing but its line in the list */
	FL_ZOOM_STAGE_QOS,      /* joins and minutes are kept; feedback is to come */
	FL_ZOOM_STAGE_FEEDBACK, /* feedback was fetched once, and is fetched again */
};

struct fl_zoom_work {
	char uuid[FL_ZOOM_KEY_LEN];
	enum fl_zoom_stage stage;
	int tries; /* failed ones of this stage */
	int64_t due_s;
	int64_t end_s;
};

/* Everything of one meeting that is known by now. */
struct fl_zoom_put {
	const struct fl_zoom_meeting *meeting;
	const struct fl_zoom_join *joins;
	size_t join_count;
	unsigned int dropped; /* joins that were not wanted */
	const struct fl_zoom_feedback *feedback;
	size_t feedback_count;
	const struct fl_zoom_work *work; /* NULL: nothing is left to do for it */
	bool live;                       /* it goes on */
};

typedef void (*fl_zoom_work_fn)(void *ctx, const struct fl_zoom_work *work);

/*
 * @account is Zoom's account id. All return 0 or -errno; -ENOSPC and the like stop the polling for
 * a minute, after which the same is tried again.
 */
struct fl_zoom_sink_ops {
	/* Text of the poller's own; *ret_text is for the caller to free, NULL if there is none. */
	int (*state_load)(void *ctx, const char *account, char **ret_text);
	int (*state_save)(void *ctx, const char *account, const char *text);
	/* 1: stored since it ended, or open work; 0: never heard of, or only while it went on. */
	int (*meeting_known)(void *ctx, const char *account, const char *uuid);
	int (*work_put)(void *ctx, const char *account, const struct fl_zoom_meeting *meeting,
			const struct fl_zoom_work *work);
	int (*work_delete)(void *ctx, const char *account, const char *uuid);
	int (*work_each)(void *ctx, const char *account, fl_zoom_work_fn fn, void *fn_ctx);
	/* Is this join from the managed network? NULL: all are wanted. */
	bool (*wanted)(void *ctx, const char *account, const struct fl_zoom_meeting *meeting,
		       const struct fl_zoom_join *join);
	/*
	 * One transaction, together with the work. What is put again replaces what is there, what
	 * is not known replaces nothing, and what is not mentioned stays.
	 */
	int (*meeting_put)(void *ctx, const char *account, const struct fl_zoom_put *put);
	/* Cursor and work; with @data all that was collected. */
	int (*account_forget)(void *ctx, const char *account, bool data);
};

struct fl_zoom_sink {
	const struct fl_zoom_sink_ops *ops;
	void *ctx;
};

#endif
