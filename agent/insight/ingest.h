/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what Zoom says of a meeting to what is kept of it: each participant is matched to a client
 * of a site and to its sessions; those from elsewhere are counted and dropped.
 */
#ifndef FL_AGENT_INSIGHT_INGEST_H
#define FL_AGENT_INSIGHT_INGEST_H

#include "agent/insight/store.h"

struct fl_participant {
	/* What Zoom knows: key, names, device, kinds of network and connection, times, labels. The
	 * rest of it is filled in here. */
	struct fl_call call;
	struct fl_join_ends ends;
	bool guest; /* not of the meeting's account */
	const struct fl_call_minute *minutes;
	size_t minute_count;
};

struct fl_ingest_options {
	/* Names, e-mail and addresses of guests are not kept; a guest whom only its address tells
	 * from others is not kept at all. */
	bool discard_guest_info;
	bool keep_topic;
};

struct fl_ingest;

/**
 * fl_ingest_new() - ready to take meetings
 * @store: borrowed
 * @sites: the managed network, copied but for its prefixes and addresses, which are borrowed
 */
int fl_ingest_new(struct fl_store *store, const struct fl_site *sites, size_t count,
		  struct fl_ingest **ret_ingest);
void fl_ingest_free(struct fl_ingest *ingest);

/* Who is it: fl_match() with what the store knows. @ret_match borrows from @ingest. 0 or -errno. */
int fl_ingest_match(struct fl_ingest *ingest, const struct fl_join_ends *ends,
		    struct fl_match *ret_match);

/**
 * fl_ingest_meeting() - match and keep a meeting, in one transaction of the store
 * @meeting: calls are ignored; dropped grows by those from elsewhere
 *
 * Return: number of participants that were kept, or as fl_store_put_meeting().
 */
int fl_ingest_meeting(struct fl_ingest *ingest, struct fl_meeting_put *meeting,
		      const struct fl_participant *participants, size_t count,
		      const struct fl_ingest_options *options);

/**
 * fl_ingest_again() - what routers have told of a stored call since it was stored
 *
 * They may have been away. Sessions that are known now give minutes without a path theirs, and the
 * call its bytes; what is known already stays. 0 or -errno.
 */
int fl_ingest_again(struct fl_ingest *ingest, const struct fl_call *call);

#endif
