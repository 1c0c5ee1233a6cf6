/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Zoom posts to us (zoom-api.md 7): is it from Zoom, is it new, what does it say. A
 * complement: polling works without. Pure; whoever runs the HTTP server calls it.
 */
#ifndef FL_AGENT_ZOOM_WEBHOOK_H
#define FL_AGENT_ZOOM_WEBHOOK_H

#include "agent/zoom/sink.h"

#define FL_ZOOM_HOOK_SKEW_S   300 /* zoom-api.md 7 */
#define FL_ZOOM_HOOK_SEEN     4096
#define FL_ZOOM_HOOK_BODY_MAX (1 << 20)

enum fl_zoom_hook_kind {
	FL_ZOOM_HOOK_OTHER, /* well signed, nothing for us */
	FL_ZOOM_HOOK_VALIDATION,
	FL_ZOOM_HOOK_ENDED,
	FL_ZOOM_HOOK_JOINED,
	FL_ZOOM_HOOK_LEFT,
	FL_ZOOM_HOOK_ALERT,
	FL_ZOOM_HOOK_FEEDBACK,
	FL_ZOOM_HOOK_QOS,  /* of the QSS add-on */
	FL_ZOOM_HOOK_DATA, /* of the same: addresses and ports */
	FL_ZOOM_HOOK_DEAUTHORIZED,
};

/* Bits of meeting.alert. */
enum fl_zoom_issue {
	FL_ZOOM_ISSUE_AUDIO = 1 << 0,
	FL_ZOOM_ISSUE_VIDEO = 1 << 1,
	FL_ZOOM_ISSUE_SCREEN = 1 << 2,
	FL_ZOOM_ISSUE_CPU = 1 << 3,
	FL_ZOOM_ISSUE_RECONNECT = 1 << 4,
	FL_ZOOM_ISSUE_OTHER = 1 << 5,
};

/* Addresses that REST lacks: what a session is matched by exactly. */
struct fl_zoom_endpoint {
	struct fl_addr addr; /* internal */
	uint16_t ports[4];   /* signaling, audio, video, share; 0: not said */
	struct fl_addr remote;
	uint16_t remote_port;
};

struct fl_zoom_hook {
	enum fl_zoom_hook_kind kind;
	int64_t event_ms;
	char account[FL_ZOOM_KEY_LEN];
	char user[FL_ZOOM_KEY_LEN];     /* deauthorized: who */
	char client_id[128];            /* the same: of which app */
	bool keep_data;                 /* the same: user_data_retention says so */
	struct fl_zoom_meeting meeting; /* uuid, number, start, end */
	struct fl_zoom_join join;       /* its key, user, times; QOS: its minutes */
	struct fl_zoom_feedback feedback;
	unsigned int issues;
	struct fl_zoom_endpoint endpoint;
};

/* Events that were seen, so that retries and the like count once; zeroed is ready. */
struct fl_zoom_hooks {
	uint64_t seen[FL_ZOOM_HOOK_SEEN];
	size_t next;
};

/* As received; @signature and @timestamp NULL if the header was not there. */
struct fl_zoom_hook_request {
	const char *timestamp;
	const char *signature;
	const char *body;
	size_t len;
	int64_t now_s;
};

/**
 * fl_zoom_hook_take() - judge and read one request
 * @secret: the app's secret token
 * @reply:  gets the body of the answer, "" for none
 *
 * Return: the HTTP status to answer with: 200 with *ret_hook filled, to be acted upon and
 * fl_zoom_hook_done(); 204 for what was seen before; 400, 401 for what is refused.
 */
int fl_zoom_hook_take(struct fl_zoom_hooks *hooks, const char *secret,
		      const struct fl_zoom_hook_request *request, struct fl_zoom_hook *ret_hook,
		      char *reply, size_t size);
void fl_zoom_hook_done(struct fl_zoom_hook *hook);

/* It could not be acted upon: when Zoom sends it again, it is new. Before fl_zoom_hook_done(). */
void fl_zoom_hook_forget(struct fl_zoom_hooks *hooks, const struct fl_zoom_hook *hook);

/* Is @signature ("v0=...") that of Zoom for this body? Constant time. */
bool fl_zoom_hook_is_signed(const char *secret, const char *timestamp, const char *signature,
			    const char *body, size_t len);

#endif
