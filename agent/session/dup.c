// SPDX-License-Identifier: Apache-2.0
/*
 * Sessions carried in copies (svr-protocol.md 6.4, P-42): which paths they take, the handshake on
 * each of them, and the packets that the data plane leaves to the agent. Numbers and window are the
 * data plane's (common/dup.h).
 *
 * The initiator's side sends forward metadata by every path that has not answered yet, with user
 * packets at first, then alone once a second; a path is ready when reverse metadata has come by it.
 * For the responder a path is ready with the first forward metadata that comes by it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/hash.h"
#include "agent/base/log.h"
#include "agent/session/engine_internal.h"
#include "common/dup.h"

/* How long user packets carry metadata for paths that do not answer, after one has; how often such
 * a path is tried then; how often metadata by itself is answered. Chosen. */
#define WAIT_MS  2000
#define RETRY_MS 1000
#define ACK_MS   100

/* A side of a session that this router opened in copies, or was asked to. */
struct fl_dup_side {
	struct fl_dup_key key;
	struct fl_mono first; /* when the first path became ready; 0: none is */
	struct fl_mono tried; /* when a path that is not ready was last tried */
	struct fl_mono acked;
	bool waiting; /* for a path to become ready */
	bool renew;   /* the peer has lost the session, and will count anew */
	UT_hash_handle hh;
};

static struct fl_dup_side *find(const struct fl_engine *e, uint32_t id, enum fl_dup_end end)
{
	const struct fl_dup_key key = { .session = id, .side = end };
	struct fl_dup_side *side;

	HASH_FIND(hh, e->dups, &key, sizeof(key), side);
	return side;
}

static int ask(struct fl_engine *e, struct fl_dup_ask *what)
{
	return e->t->ops->dup_ask(e->t->ops_ctx, what);
}

static int get(const struct fl_engine *e, const struct fl_dup_side *side, struct fl_dup *ret_dup)
{
	return e->t->ops->dup_get(e->t->ops_ctx, &side->key, ret_dup);
}

static int index_of(const struct fl_dup *dup, uint16_t path)
{
	for (int i = 0; i < FL_DUP_WAYS; i++)
		if (path && dup->path[i] == path)
			return i;
	return -1;
}

static bool is_up(const struct fl_engine *e, uint16_t path)
{
	return path && e->t->paths[path].state == FL_PATH_UP;
}

static bool is_ready(const struct fl_dup *dup, int i)
{
	return dup->ready >> i & 1;
}

static void note_waiting(struct fl_dup_side *side, const struct fl_dup *dup)
{
	side->waiting = false;
	for (int i = 0; i < FL_DUP_WAYS; i++)
		side->waiting |= dup->path[i] && !is_ready(dup, i);
}

static void set_paths(struct fl_engine *e, struct fl_dup_side *side, const struct fl_dup *dup)
{
	struct fl_dup_ask what = { .key = side->key, .op = FL_DUP_ASK_PATHS, .ready = dup->ready };

	memcpy(what.path, dup->path, sizeof(what.path));
	ask(e, &what);
	note_waiting(side, dup);
}

/* --- which paths ------------------------------------------------------------------------------ */

/* May copies of a session to this peer take the path? Families do not mix: the data plane only
 * readdresses a datagram from one path to the next. */
static bool is_usable(const struct fl_engine *e, uint16_t id, uint16_t peer, uint8_t family,
		      const struct fl_cfg_service_policy *policy)
{
	const struct fl_path_rt *path = fl_fabric_path(e->fabric, id);

	return path && path->cfg && path->peer == peer && path->local.family == family &&
	       fl_fabric_path_cost(path, policy) != FL_CFG_PRIORITY_NEVER;
}

/* Paths of a session of ours: its own first, then the others of the peer. Returns how many. */
static int pick_paths(const struct fl_engine *e, const struct fl_session *s, uint16_t first,
		      uint16_t paths[FL_DUP_WAYS])
{
	const struct fl_cfg_service_policy *policy = fl_engine_policy(e, s->policy);
	uint8_t family = e->t->paths[first].family;
	int n = 0;

	memset(paths, 0, FL_DUP_WAYS * sizeof(*paths));
	if (is_usable(e, first, s->out.id, family, policy))
		paths[n++] = first;
	for (uint16_t id = 1; id <= fl_fabric_path_limit(e->fabric) && n < FL_DUP_WAYS; id++) {
		/* One without a path of its own takes those of the first family that there is. */
		if (!n && !first)
			family = e->t->paths[id].family;
		if (id != first && is_usable(e, id, s->out.id, family, policy))
			paths[n++] = id;
	}
	return n;
}

/* --- life ------------------------------------------------------------------------------------- */

static struct fl_dup_side *add_side(struct fl_engine *e, uint32_t id, enum fl_dup_end end)
{
	struct fl_dup_side *side = calloc(1, sizeof(*side));

	if (!side)
		return NULL;
	side->key = (struct fl_dup_key){ .session = id, .side = end };
	HASH_ADD(hh, e->dups, key, sizeof(side->key), side);
	return side;
}

static void remove_side(struct fl_engine *e, struct fl_dup_side *side)
{
	e->t->ops->dup_remove(e->t->ops_ctx, &side->key);
	HASH_DEL(e->dups, side);
	free(side);
}

static int open_side(struct fl_engine *e, uint32_t id, enum fl_dup_end end,
		     const struct fl_dup *paths)
{
	struct fl_dup_side *side = add_side(e, id, end);
	int err;

	if (!side)
		return -ENOMEM;
	/* Left by a process that died between closing the session and this. */
	e->t->ops->dup_remove(e->t->ops_ctx, &side->key);
	err = e->t->ops->dup_add(e->t->ops_ctx, &side->key);
	if (err) {
		remove_side(e, side);
		return err;
	}
	set_paths(e, side, paths);
	fl_engine_session(e, id)->dup |= (uint8_t)(1 << end);
	return 0;
}

void fl_engine_dup_open(struct fl_engine *e, uint32_t id, uint16_t path)
{
	struct fl_session *s = fl_engine_session(e, id);
	const struct fl_cfg_service_policy *policy = fl_engine_policy(e, s->policy);
	struct fl_dup dup = { 0 };
	static struct fl_log_rate rate;
	int err;

	if (!policy || policy->session_resiliency != FL_CFG_PACKET_DUPLICATION ||
	    s->proto == FL_IPPROTO_TCP || pick_paths(e, s, path, dup.path) < 2)
		return;
	err = open_side(e, id, FL_DUP_OUT, &dup);
	if (err)
		fl_log_ratelimited(&rate, FL_LOG_WARNING,
				   "too many sessions in copies (%s): a new one takes one path",
				   strerror(-err));
}

int fl_engine_dup_announced(struct fl_engine *e, uint32_t id, uint16_t path)
{
	struct fl_dup dup = { .path = { path }, .ready = 1 };

	return open_side(e, id, FL_DUP_IN, &dup);
}

void fl_engine_dup_close(struct fl_engine *e, uint32_t id)
{
	for (int end = FL_DUP_IN; end <= FL_DUP_OUT; end++) {
		struct fl_dup_side *side = find(e, id, (enum fl_dup_end)end);

		if (side)
			remove_side(e, side);
	}
	fl_engine_session(e, id)->dup = 0;
}

void fl_engine_dup_adopt(struct fl_engine *e, uint32_t id)
{
	struct fl_session *s = fl_engine_session(e, id);
	struct fl_dup dup;

	for (int end = FL_DUP_IN; end <= FL_DUP_OUT; end++) {
		struct fl_dup_side *side;

		if (!(s->dup >> end & 1))
			continue;
		side = add_side(e, id, (enum fl_dup_end)end);
		if (!side || get(e, side, &dup))
			continue;
		note_waiting(side, &dup);
		if (dup.ready)
			side->first = e->now;
	}
}

void fl_engine_dup_free(struct fl_engine *e)
{
	struct fl_dup_side *side, *tmp;

	HASH_ITER(hh, e->dups, side, tmp) {
		HASH_DEL(e->dups, side);
		free(side);
	}
}

void fl_engine_dup_turned(struct fl_engine *e, uint32_t id, enum fl_direction toward)
{
	const struct fl_session *s = fl_engine_session(e, id);
	struct fl_dup_side *side = find(e, id, toward == FL_FORWARD ? FL_DUP_OUT : FL_DUP_IN);
	struct fl_dup dup = { 0 };

	if (!side)
		return;
	if (toward == FL_FORWARD) {
		pick_paths(e, s, e->t->vectors[s->out.vector].path, dup.path);
	} else {
		dup.path[0] = e->t->vectors[s->in.vector].path;
		dup.ready = 1;
	}
	side->first = (struct fl_mono){ 0 };
	side->renew = true;
	set_paths(e, side, &dup);
}

/* Other paths, by another configuration: what is ready stays so, the rest begins. */
static void refresh(struct fl_engine *e, struct fl_dup_side *side)
{
	const struct fl_session *s = fl_engine_session(e, side->key.session);
	struct fl_dup now, then = { 0 };

	if (get(e, side, &now))
		return;
	if (side->key.side == FL_DUP_OUT) {
		pick_paths(e, s, e->t->vectors[s->out.vector].path, then.path);
	} else {
		memcpy(then.path, now.path, sizeof(then.path));
		for (int i = 0; i < FL_DUP_WAYS; i++) {
			const struct fl_path_rt *path = fl_fabric_path(e->fabric, then.path[i]);

			if (!path || !path->cfg || path->peer != s->in.id)
				then.path[i] = 0;
		}
	}
	for (int i = 0; i < FL_DUP_WAYS; i++) {
		int old = index_of(&now, then.path[i]);

		if (old >= 0 && is_ready(&now, old))
			then.ready |= (uint8_t)(1 << i);
	}
	set_paths(e, side, &then);
}

void fl_engine_dup_configured(struct fl_engine *e)
{
	struct fl_dup_side *side, *tmp;

	HASH_ITER(hh, e->dups, side, tmp) {
		refresh(e, side);
	}
}

/* --- from the peer ---------------------------------------------------------------------------- */

bool fl_engine_dup_from(const struct fl_engine *e, uint32_t id, enum fl_direction dir)
{
	return fl_engine_session(e, id)->dup >> (dir == FL_FORWARD ? FL_DUP_IN : FL_DUP_OUT) & 1;
}

/* The side that packets of direction @dir come from. */
static struct fl_dup_side *side_from(const struct fl_engine *e, uint32_t id, enum fl_direction dir)
{
	return find(e, id, dir == FL_FORWARD ? FL_DUP_IN : FL_DUP_OUT);
}

bool fl_engine_dup_path(struct fl_engine *e, uint32_t id, enum fl_direction dir, uint16_t path,
			bool announced)
{
	struct fl_dup_side *side = side_from(e, id, dir);
	struct fl_dup dup;
	int at;

	if (!side || get(e, side, &dup))
		return false;
	at = index_of(&dup, path);
	if (at >= 0 && is_ready(&dup, at))
		return true;
	if (at < 0) {
		/* Only forward metadata adds a path: the responder answers where it is asked. */
		if (!announced || dir != FL_FORWARD)
			return false;
		for (at = 0; at < FL_DUP_WAYS && dup.path[at];)
			at++;
		if (at == FL_DUP_WAYS)
			return false;
		dup.path[at] = path;
	}
	if (!announced)
		return true;
	dup.ready |= (uint8_t)(1 << at);
	if (!side->first.ns)
		side->first = e->now;
	set_paths(e, side, &dup);
	return true;
}

enum fl_drop_reason fl_engine_dup_let_by(struct fl_engine *e, uint32_t id, enum fl_direction dir,
					 const struct fl_meta *m)
{
	struct fl_dup_side *side = side_from(e, id, dir);
	struct fl_dup_ask what = { .op = FL_DUP_ASK_CHECK };

	if (!side || !fl_meta_has(m, FL_META_DUPLICATE_SEQ) || !m->duplicate_seq)
		return FL_DROP_META_INCOMPLETE;
	what.key = side->key;
	what.seq = m->duplicate_seq;
	if (ask(e, &what))
		return FL_DROP_INTERNAL;
	if (what.answer == FL_DUP_OUTSIDE && side->renew &&
	    (fl_meta_has(m, FL_META_FORWARD) || fl_meta_has(m, FL_META_REVERSE))) {
		what.op = FL_DUP_ASK_RESTART;
		ask(e, &what);
		what.answer = FL_DUP_NEW;
	}
	switch (what.answer) {
	case FL_DUP_NEW:
		side->renew = false;
		fl_tables_count(e->t, FL_STAT_DUP_PASSED);
		return FL_DROP_NONE;
	case FL_DUP_AGAIN:
		return FL_DROP_DUPLICATE;
	default:
		return FL_DROP_DUP_WINDOW;
	}
}

/* Is there a path that is up and not ready? */
static bool is_waiting(const struct fl_engine *e, const struct fl_dup *dup)
{
	for (int i = 0; i < FL_DUP_WAYS; i++)
		if (is_up(e, dup->path[i]) && !is_ready(dup, i))
			return true;
	return false;
}

bool fl_engine_dup_done(struct fl_engine *e, uint32_t id)
{
	struct fl_dup_side *side = find(e, id, FL_DUP_OUT);
	struct fl_dup dup;

	return !side || get(e, side, &dup) || !is_waiting(e, &dup);
}

void fl_engine_dup_lost(struct fl_engine *e, uint32_t id)
{
	struct fl_dup_side *side = find(e, id, FL_DUP_OUT);
	struct fl_dup dup;

	if (!side || get(e, side, &dup))
		return;
	dup.ready = 0;
	side->first = (struct fl_mono){ 0 };
	side->renew = true;
	set_paths(e, side, &dup);
}

void fl_engine_dup_ack(struct fl_engine *e, uint32_t id, uint16_t path)
{
	struct fl_dup_side *side = find(e, id, FL_DUP_IN);
	struct fl_meta meta;
	const struct fl_generated what = {
		.id = id, .dir = FL_REVERSE, .meta = &meta, .path = path
	};

	if (!side || (side->acked.ns && fl_mono_ms_between(side->acked, e->now) < ACK_MS))
		return;
	side->acked = e->now;
	fl_engine_meta_reverse(e, id, true, &meta);
	fl_engine_meta_by(e, &meta, path);
	fl_tables_count(e->t, FL_STAT_GENERATED_ACK);
	fl_engine_generate(e, &what);
}

/* --- to the peer ------------------------------------------------------------------------------ */

bool fl_engine_dup_to(const struct fl_engine *e, uint32_t id, enum fl_direction dir)
{
	return fl_engine_session(e, id)->dup >> (dir == FL_FORWARD ? FL_DUP_OUT : FL_DUP_IN) & 1;
}

/* A packet, and what its copies carry. */
struct copies {
	struct fl_dup dup;
	struct fl_meta full; /* for paths that are not ready, or for all: what the flow asks for */
	struct fl_meta bare; /* only the number */
	bool all_full;
	struct fl_copy copy;
};

/* Smallest of the paths that copies take. */
static uint16_t smallest_mtu(const struct fl_engine *e, const struct fl_dup *dup)
{
	uint16_t mtu = 0xffff;

	for (int i = 0; i < FL_DUP_WAYS; i++)
		if (is_up(e, dup->path[i]) && e->t->paths[dup->path[i]].mtu < mtu)
			mtu = e->t->paths[dup->path[i]].mtu;
	return mtu;
}

static void send_copies(struct fl_engine *e, struct copies *c, bool signalling)
{
	bool any = false;

	c->copy.mtu = smallest_mtu(e, &c->dup);
	for (int i = 0; i < FL_DUP_WAYS; i++) {
		bool full = signalling && (c->all_full || !is_ready(&c->dup, i));

		if (!is_up(e, c->dup.path[i]) || (!full && !is_ready(&c->dup, i)))
			continue;
		if (full)
			fl_engine_meta_by(e, &c->full, c->dup.path[i]);
		c->copy.path = c->dup.path[i];
		c->copy.meta = full ? &c->full : &c->bare;
		c->copy.again = any;
		fl_engine_emit_copy(e, &c->copy);
		fl_tables_count(e->t, FL_STAT_DUP_SENT);
		any = true;
	}
	if (!any)
		fl_engine_drop(e, FL_DROP_NO_PATH);
}

void fl_engine_dup_forward(struct fl_engine *e, uint32_t id, enum fl_direction dir,
			   struct fl_packet *packet)
{
	struct fl_dup_side *side = find(e, id, dir == FL_FORWARD ? FL_DUP_OUT : FL_DUP_IN);
	struct copies c = { .copy = { .id = id, .dir = dir, .packet = packet } };
	struct fl_dup_ask next = { .op = FL_DUP_ASK_NEXT };
	bool signalling;

	if (!side || get(e, side, &c.dup)) {
		fl_engine_drop(e, FL_DROP_INTERNAL);
		return;
	}
	next.key = side->key;
	if (ask(e, &next)) {
		fl_engine_drop(e, FL_DROP_INTERNAL);
		return;
	}
	signalling = fl_engine_meta_due(e, id, dir, packet, &c.full);
	if (!signalling && !c.dup.ready && dir == FL_FORWARD) {
		fl_engine_meta_forward(e, id, &c.full);
		signalling = true;
	}
	/* What a responder has to say, or a question, goes by every path. */
	c.all_full = !fl_meta_has(&c.full, FL_META_FORWARD);
	c.full.has |= FL_META_BIT(FL_META_DUPLICATE_SEQ);
	c.full.duplicate_seq = next.answer;
	c.bare.has = FL_META_BIT(FL_META_DUPLICATE_SEQ);
	c.bare.duplicate_seq = next.answer;
	send_copies(e, &c, signalling);
}

void fl_engine_dup_generate(struct fl_engine *e, const struct fl_generated *what)
{
	struct fl_dup_side *side =
		find(e, what->id, what->dir == FL_FORWARD ? FL_DUP_OUT : FL_DUP_IN);
	struct fl_dup dup;

	if (!side || get(e, side, &dup))
		return;
	for (int i = 0; i < FL_DUP_WAYS; i++) {
		struct fl_generated copy = *what;

		copy.path = dup.path[i];
		if (copy.path)
			fl_engine_generate(e, &copy);
	}
}

/* --- time ------------------------------------------------------------------------------------- */

/* Forward metadata alone, by the paths that have not answered; its receiver drops it (P-14). */
static void try_paths(struct fl_engine *e, struct fl_dup_side *side, const struct fl_dup *dup)
{
	uint32_t id = side->key.session;
	struct fl_meta meta;
	struct fl_generated what = { .id = id, .dir = FL_FORWARD, .meta = &meta };

	fl_engine_meta_forward(e, id, &meta);
	meta.has |= FL_META_BIT(FL_META_DISABLE_FORWARD) | FL_META_BIT(FL_META_DUPLICATE_SEQ);
	meta.duplicate_seq = 0;
	for (int i = 0; i < FL_DUP_WAYS; i++) {
		if (!is_up(e, dup->path[i]) || is_ready(dup, i))
			continue;
		fl_engine_meta_by(e, &meta, dup->path[i]);
		what.path = dup->path[i];
		fl_engine_generate(e, &what);
	}
}

static void look(struct fl_engine *e, struct fl_dup_side *side)
{
	struct fl_flow *flow = fl_engine_flow(e, side->key.session, FL_FORWARD);
	struct fl_dup dup;

	/* While nothing is ready, user packets say all that there is to say. */
	if (side->key.side != FL_DUP_OUT || !side->waiting || !side->first.ns ||
	    fl_mono_ms_between(side->first, e->now) < WAIT_MS ||
	    fl_mono_ms_between(side->tried, e->now) < RETRY_MS || get(e, side, &dup))
		return;
	side->tried = e->now;
	if (dup.ready && flow->state & FL_FLOW_TX_META &&
	    !(fl_engine_session(e, side->key.session)->flags & FL_SESSION_HEALTH))
		flow->state &= (enum fl_flow_state) ~FL_FLOW_TX_META;
	if (is_waiting(e, &dup))
		try_paths(e, side, &dup);
}

void fl_engine_dup_tick(struct fl_engine *e)
{
	struct fl_dup_side *side, *tmp;

	HASH_ITER(hh, e->dups, side, tmp) {
		look(e, side);
	}
}
