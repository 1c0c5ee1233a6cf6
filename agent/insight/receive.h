/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one router tells (agent/codec/export.h), gathered and put into the store. Records may come
 * again: the store takes the same twice as once. The caller has the connection and the clock.
 */
#ifndef FL_AGENT_INSIGHT_RECEIVE_H
#define FL_AGENT_INSIGHT_RECEIVE_H

#include "agent/codec/export.h"
#include "agent/insight/store.h"

/* Records that are gathered at most: fl_receiver_line() says when. */
#define FL_RECEIVER_BATCH 512

struct fl_receiver;

/* @store is borrowed. Return: 0 or -ENOMEM. */
int fl_receiver_new(struct fl_store *store, struct fl_receiver **ret_receiver);
void fl_receiver_free(struct fl_receiver *receiver); /* takes NULL; what is not committed is lost */

/**
 * fl_receiver_line() - take a line, without its newline
 *
 * The first one is the hello. A record that is not understood is counted and passed over: a newer
 * router may tell more. Return: 0; 1: commit now; -EBADMSG: this is no router, or it speaks another
 * version; else the store's error.
 */
int fl_receiver_line(struct fl_receiver *receiver, const char *line, size_t len);

/* A time, from the earliest start to the latest end; to_s 0: none. */
struct fl_receiver_span {
	int64_t from_s, to_s;
};

/**
 * fl_receiver_commit() - put what was gathered into the store
 * @late_s:   what was over before, in seconds since 1970, comes late
 * @ret_ack:  number up to which everything is safe; 0: nothing new
 * @ret_late: the time of minutes of paths and of sessions that came late
 *
 * Return: 0, or the store's error; then it may be tried again, or the connection be dropped.
 */
int fl_receiver_commit(struct fl_receiver *receiver, int64_t late_s, uint64_t *ret_ack,
		       struct fl_receiver_span *ret_late);

struct fl_receiver_stats {
	char site[FL_EXPORT_SITE_LEN];
	char router[FL_EXPORT_SITE_LEN]; /* "": no hello yet */
	uint64_t records;
	uint64_t unknown; /* not understood */
	uint64_t dropped; /* by the router, before we came */
};

void fl_receiver_stats(const struct fl_receiver *receiver, struct fl_receiver_stats *ret_stats);

#endif
