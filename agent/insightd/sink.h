/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Zoom side brings, put into the store: the table of functions of agent/zoom/sink.h, over
 * agent/insight/ingest.h and store.h.
 */
#ifndef FL_AGENT_INSIGHTD_SINK_H
#define FL_AGENT_INSIGHTD_SINK_H

#include "agent/insight/ingest.h"
#include "agent/zoom/sink.h"
#include "agent/zoom/webhook.h"

struct fl_sink {
	struct fl_store *store;
	struct fl_ingest *ingest;
	bool discard_guests; /* for webhooks, which do not say who is a guest */
	/* Meetings came: bad minutes of calls from this number on may want a cause. */
	void (*stored)(void *ctx);
	/* The store's file is damaged: open it anew, not from here. */
	void (*damaged)(void *ctx);
	void *ctx;
	/* For fl_zoom_new(). */
	struct fl_zoom_sink zoom;
};

/* Fill @sink->zoom; the other members are the caller's, borrowed as long as it is used. */
void fl_sink_init(struct fl_sink *sink);

/**
 * fl_sink_hook() - keep what a webhook says of a call that is known
 * @hook: as fl_zoom_hook() gave it
 *
 * What is of nobody on the managed network is dropped. Return: 0, or -errno of the store, which
 * Zoom is to be told by 503: it sends it again.
 */
int fl_sink_hook(struct fl_sink *sink, const struct fl_zoom_hook *hook);

/* One participant of Zoom's as one of the store's; the minutes are for the caller to free, by
 * fl_sink_participant_done(). -ENOMEM. */
int fl_sink_participant(const struct fl_zoom_join *join, int64_t ended_s,
			struct fl_participant *ret_participant);
void fl_sink_participant_done(struct fl_participant *participant);

#endif
