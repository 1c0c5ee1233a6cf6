// SPDX-License-Identifier: Apache-2.0
/* Waiting packets: see pending.h. One list in the order of arrival; there are never many. */
#include "agent/session/pending.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct waiting {
	struct fl_pending_packet packet;
	struct fl_mono since;
	struct waiting *prev, *next;
	uint8_t data[];
};

struct fl_pending {
	struct waiting *list;
	size_t count;
};

int fl_pending_new(struct fl_pending **ret_pending)
{
	*ret_pending = calloc(1, sizeof(**ret_pending));
	return *ret_pending ? 0 : -ENOMEM;
}

static void drop(struct fl_pending *pending, struct waiting *w)
{
	DL_DELETE(pending->list, w);
	pending->count--;
	free(w);
}

void fl_pending_free(struct fl_pending *pending)
{
	struct waiting *w, *tmp;

	if (!pending)
		return;
	DL_FOREACH_SAFE(pending->list, w, tmp)
		drop(pending, w);
	free(pending);
}

/* Make room in the flow's own queue; returns 1 if a packet had to go. */
static int trim_flow(struct fl_pending *pending, const struct fl_pending_packet *packet)
{
	struct waiting *w, *oldest = NULL;
	unsigned int same = 0;

	DL_FOREACH(pending->list, w) {
		if (w->packet.session != packet->session || w->packet.dir != packet->dir)
			continue;
		if (!oldest)
			oldest = w;
		same++;
	}
	if (same < FL_PENDING_PER_FLOW)
		return 0;
	drop(pending, oldest);
	return 1;
}

int fl_pending_add(struct fl_pending *pending, const struct fl_pending_packet *packet,
		   struct fl_mono now)
{
	int trimmed = trim_flow(pending, packet);
	struct waiting *w;

	if (pending->count >= FL_PENDING_MAX)
		return -ENOSPC;
	w = malloc(sizeof(*w) + packet->len);
	if (!w)
		return -ENOMEM;
	w->packet = *packet;
	w->packet.data = w->data;
	w->since = now;
	memcpy(w->data, packet->data, packet->len);
	DL_APPEND(pending->list, w);
	pending->count++;
	return trimmed;
}

/* Detach what @matches before handing it over: the callback may add packets. */
static void hand_over(struct fl_pending *pending, bool (*matches)(const struct waiting *, uint64_t),
		      uint64_t what, fl_pending_fn fn, void *ctx)
{
	struct waiting *w, *tmp, *out = NULL;

	DL_FOREACH_SAFE(pending->list, w, tmp) {
		if (!matches(w, what))
			continue;
		DL_DELETE(pending->list, w);
		pending->count--;
		DL_APPEND(out, w);
	}
	DL_FOREACH_SAFE(out, w, tmp) {
		DL_DELETE(out, w);
		fn(ctx, &w->packet);
		free(w);
	}
}

static bool waits_for_hop(const struct waiting *w, uint64_t hop)
{
	return w->packet.hop == hop;
}

static bool waits_since(const struct waiting *w, uint64_t ns)
{
	return w->since.ns + FL_PENDING_MS * FL_NS_PER_MS <= ns;
}

static bool is_of_session(const struct waiting *w, uint64_t session)
{
	return w->packet.session == session;
}

void fl_pending_release(struct fl_pending *pending, uint16_t hop, fl_pending_fn fn, void *ctx)
{
	if (pending->list)
		hand_over(pending, waits_for_hop, hop, fn, ctx);
}

void fl_pending_expire(struct fl_pending *pending, struct fl_mono now, fl_pending_fn fn, void *ctx)
{
	if (pending->list)
		hand_over(pending, waits_since, now.ns, fn, ctx);
}

void fl_pending_forget(struct fl_pending *pending, uint32_t session, fl_pending_fn fn, void *ctx)
{
	if (pending->list)
		hand_over(pending, is_of_session, session, fn, ctx);
}

size_t fl_pending_count(const struct fl_pending *pending)
{
	return pending->count;
}
