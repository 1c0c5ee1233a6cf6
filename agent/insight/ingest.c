// SPDX-License-Identifier: Apache-2.0
/* Meetings into the store: see ingest.h. */
#include "agent/insight/ingest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Sessions of one participant's addresses that are looked at (chosen: far more than a call has). */
#define MAX_SESSIONS   1024
#define MAX_NEIGHBOURS 64

struct fl_ingest {
	struct fl_store *store;
	struct fl_site *sites; /* by the store's number; others are without LANs */
	unsigned int site_count;
	/* Of the participant at hand. */
	struct fl_session_record sessions[MAX_SESSIONS];
	size_t session_count;
	struct fl_neighbour_record neighbours[MAX_NEIGHBOURS];
	size_t neighbour_count;
};

static int add_site(struct fl_ingest *ingest, const struct fl_site *site)
{
	uint32_t id;
	int err = fl_store_site(ingest->store, site->name, &id);

	if (err)
		return err;
	if (id >= ingest->site_count) {
		struct fl_site *sites = realloc(ingest->sites, (id + 1) * sizeof(*sites));

		if (!sites)
			return -ENOMEM;
		memset(sites + ingest->site_count, 0,
		       (id + 1 - ingest->site_count) * sizeof(*sites));
		ingest->sites = sites;
		ingest->site_count = id + 1;
	}
	ingest->sites[id] = *site;
	return 0;
}

int fl_ingest_new(struct fl_store *store, const struct fl_site *sites, size_t count,
		  struct fl_ingest **ret_ingest)
{
	struct fl_ingest *ingest = calloc(1, sizeof(*ingest));
	int err = 0;

	if (!ingest)
		return -ENOMEM;
	ingest->store = store;
	for (size_t i = 0; !err && i < count; i++)
		err = add_site(ingest, &sites[i]);
	if (err)
		fl_ingest_free(ingest);
	else
		*ret_ingest = ingest;
	return err;
}

void fl_ingest_free(struct fl_ingest *ingest)
{
	if (!ingest)
		return;
	free(ingest->sites);
	free(ingest);
}

static bool take_session(void *ctx, const struct fl_session_record *session)
{
	struct fl_ingest *ingest = ctx;

	ingest->sessions[ingest->session_count++] = *session;
	return ingest->session_count < MAX_SESSIONS;
}

static bool take_neighbour(void *ctx, const struct fl_neighbour_record *neighbour)
{
	struct fl_ingest *ingest = ctx;

	ingest->neighbours[ingest->neighbour_count++] = *neighbour;
	return ingest->neighbour_count < MAX_NEIGHBOURS;
}

static int gather_sessions(struct fl_ingest *ingest, const struct fl_join_ends *ends,
			   const struct fl_addr *addr)
{
	int64_t to_s = ends->leave_s == FL_SESSION_OPEN_END ? ends->leave_s
							    : ends->leave_s + FL_MATCH_SLACK_S;

	if (ingest->session_count >= MAX_SESSIONS || !fl_addr_is_usable(addr))
		return 0;
	return fl_store_each_session(ingest->store, addr, ends->join_s - FL_MATCH_SLACK_S, to_s,
				     take_session, ingest);
}

static bool is_internal(const struct fl_join_ends *ends, const struct fl_addr *addr)
{
	for (unsigned int i = 0; i < ends->internal_count; i++)
		if (fl_addr_equal(&ends->internal[i], addr))
			return true;
	return false;
}

static void match_gathered(struct fl_ingest *ingest, const struct fl_join_ends *ends,
			   struct fl_match *match)
{
	const struct fl_network net = { ingest->sites,      ingest->site_count,
					ingest->sessions,   ingest->session_count,
					ingest->neighbours, ingest->neighbour_count };

	fl_sessions_sort(ingest->sessions, ingest->session_count);
	fl_match(&net, ends, match);
}

int fl_ingest_match(struct fl_ingest *ingest, const struct fl_join_ends *ends,
		    struct fl_match *ret_match)
{
	int err = 0;

	ingest->session_count = 0;
	ingest->neighbour_count = 0;
	for (unsigned int i = 0; !err && i < ends->internal_count; i++)
		err = gather_sessions(ingest, ends, &ends->internal[i]);
	if (!err)
		err = fl_store_each_neighbour(ingest->store, ends->mac, ends->pc_name,
					      take_neighbour, ingest);
	if (err)
		return err;
	match_gathered(ingest, ends, ret_match);
	/* Found by its MAC or name: its address was not known before, nor its sessions. */
	if (!fl_match_is_on_network(ret_match) || is_internal(ends, &ret_match->client))
		return 0;
	err = gather_sessions(ingest, ends, &ret_match->client);
	if (!err)
		match_gathered(ingest, ends, ret_match);
	return err;
}

static void forget_guest(struct fl_call *call)
{
	call->user_name[0] = '\0';
	call->email[0] = '\0';
	call->person[0] = '\0';
	call->public_addr = (struct fl_addr){ 0 };
	call->addr = (struct fl_addr){ 0 };
}

/* A client is known by its MAC, else by its address, which may not be kept of everybody. */
static bool may_be_kept(const struct fl_participant *p, const struct fl_match *match,
			const struct fl_ingest_options *options)
{
	return fl_match_is_on_network(match) &&
	       !(p->guest && options->discard_guest_info && !fl_mac_is_known(match->mac));
}

/* Paths of its minutes, to be freed by the caller of the caller. */
static int fill_call(const struct fl_participant *p, const struct fl_match *match,
		     const struct fl_ingest_options *options, struct fl_call_put *put)
{
	struct fl_call *call = &put->call;
	uint32_t *paths = calloc(p->minute_count + 1, sizeof(*paths));

	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; i < p->minute_count; i++)
		if (!fl_match_path(match, p->minutes[i].minute, &paths[i]))
			paths[i] = 0;
	*put = (struct fl_call_put){ p->call, p->minutes, paths, p->minute_count };
	call->site = match->site;
	call->rule = match->rule;
	call->vpn = match->vpn;
	call->addr = match->client;
	call->public_addr = p->ends.public_addr;
	call->mac = match->mac;
	memcpy(call->hostname, match->hostname, sizeof(call->hostname));
	call->join_s = p->ends.join_s;
	call->leave_s = p->ends.leave_s;
	call->bytes = fl_match_bytes(match, p->ends.join_s, p->ends.leave_s);
	if (p->guest && options->discard_guest_info)
		forget_guest(call);
	return 0;
}

int fl_ingest_meeting(struct fl_ingest *ingest, struct fl_meeting_put *meeting,
		      const struct fl_participant *participants, size_t count,
		      const struct fl_ingest_options *options)
{
	struct fl_call_put *calls = calloc(count + 1, sizeof(*calls));
	size_t kept = 0;
	int err = 0;

	if (!calls)
		return -ENOMEM;
	for (size_t i = 0; !err && i < count; i++) {
		struct fl_match match;

		err = fl_ingest_match(ingest, &participants[i].ends, &match);
		if (!err && may_be_kept(&participants[i], &match, options)) {
			err = fill_call(&participants[i], &match, options, &calls[kept]);
			kept += !err;
		}
	}
	meeting->calls = calls;
	meeting->call_count = kept;
	meeting->dropped += (unsigned int)(count - kept);
	if (!options->keep_topic)
		meeting->topic[0] = '\0';
	if (!err)
		err = fl_store_put_meeting(ingest->store, meeting);
	for (size_t i = 0; i < kept; i++)
		free((void *)(uintptr_t)calls[i].paths);
	free(calls);
	meeting->calls = NULL;
	meeting->call_count = 0;
	return err ? err : (int)kept;
}

/* --- routers that were late ---------------------------------------------------------------------
 */

/* As much of what Zoom said as is kept. */
static struct fl_join_ends ends_of(const struct fl_call *call)
{
	struct fl_join_ends ends = { .public_addr = call->public_addr,
				     .mac = call->mac,
				     .join_s = call->join_s,
				     .leave_s = call->leave_s };

	if (call->addr.family)
		ends.internal[ends.internal_count++] = call->addr;
	memcpy(ends.pc_name, call->hostname, sizeof(ends.pc_name));
	return ends;
}

struct pathless {
	const struct fl_match *match;
	struct fl_minute_path *paths;
	size_t count;
	size_t room;
};

static bool take_pathless(void *ctx, const struct fl_call *call, const struct fl_minute_row *row)
{
	struct pathless *p = ctx;
	struct fl_minute_path *to = &p->paths[p->count];

	(void)call;
	if (!row->path && fl_match_path(p->match, row->figures.minute, &to->path)) {
		to->minute = row->figures.minute;
		p->count++;
	}
	return p->count < p->room;
}

int fl_ingest_again(struct fl_ingest *ingest, const struct fl_call *call)
{
	const struct fl_join_ends ends = ends_of(call);
	struct pathless p = { .room = call->minutes };
	struct fl_call known = *call;
	struct fl_match match;
	int err;

	if (!call->minutes)
		return 0;
	err = fl_ingest_match(ingest, &ends, &match);
	if (err || !fl_match_is_on_network(&match) || match.site != call->site ||
	    !match.session_count)
		return err;
	p.match = &match;
	p.paths = calloc(p.room, sizeof(*p.paths));
	if (!p.paths)
		return -ENOMEM;
	known.vpn |= match.vpn;
	known.bytes = fl_match_bytes(&match, call->join_s, call->leave_s);
	err = fl_store_each_minute(ingest->store, call, take_pathless, &p);
	if (!err && (p.count || known.bytes > call->bytes))
		err = fl_store_set_sessions(ingest->store, &known, p.paths, p.count);
	free(p.paths);
	return err;
}
