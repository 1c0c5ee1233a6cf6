// SPDX-License-Identifier: Apache-2.0
/*
 * Who moves when (svr-protocol.md 6.2, 6.3). Every vector of ours is looked at when a path comes or
 * goes, when a path begins or ceases to meet a service level, and once a second besides:
 *
 *	path down          its sessions leave at once
 *	service level      they leave when there is a path that meets it
 *	failback           with revertible failover, those that gain return, a few clients at a time
 *
 * A move of ones own accord waits for the hold-down since the last one; a path that is down does
 * not.
 */
#include <string.h>

#include "agent/base/log.h"
#include "agent/session/engine_internal.h"

#define REVIEW_MS      1000
#define ANNOUNCE_MS    100 /* until an announcement that nobody has acknowledged is repeated */
#define ANNOUNCE_TRIES 30  /* and less than P-16's 5 s, for which both paths are accepted */

#define WALK_PART  16384 /* sessions looked at in a tick, and moved: chosen, some ms */
#define MOVES_PART 2048

/* Sessions that moved one by one are told to the peer again until it answers: after 0.2 s, 0.4 s,
 * ... */
#define REMINDERS 6
#define REMIND_MS 200
/* Failback: clients share so many turns, one a tick, of about so many sessions. */
#define TURNS_MAX         64
#define SESSIONS_PER_TURN 16

/* A vector that is looked at. */
struct look {
	struct fl_engine *e;
	uint16_t id;
	struct fl_vector *v;
	struct fl_steering *st;
	const struct fl_cfg_service_policy *policy;
	struct fl_sla_decision *d;
	int here;      /* the path in use among the candidates, -1: it is none */
	uint16_t best; /* path, 0: none */
};

/* --- questions -------------------------------------------------------------------------------- */

static const struct fl_cfg_peer *peer_cfg(const struct fl_engine *e, uint16_t peer)
{
	const struct fl_peer *p = fl_fabric_peer(e->fabric, peer);

	for (size_t i = 0; p && i < e->config->router.n_peer; i++)
		if (!strcmp(e->config->router.peer[i].name, p->name))
			return &e->config->router.peer[i];
	return NULL;
}

static enum fl_cfg_vector_switch switch_of(const struct fl_engine *e, uint16_t peer)
{
	const struct fl_cfg_peer *cfg = peer_cfg(e, peer);

	return cfg ? cfg->vector_switch : FL_CFG_SWITCH_AUTO;
}

bool fl_engine_may_follow(const struct fl_engine *e, uint16_t peer)
{
	return switch_of(e, peer) != FL_CFG_SWITCH_NEVER;
}

/* Does the peer move a whole vector's sessions when it hears of one? */
static bool follows(const struct fl_engine *e, uint16_t peer, uint16_t path)
{
	const struct fl_path_quality *q = fl_fabric_path_quality(e->fabric, path);

	switch (switch_of(e, peer)) {
	case FL_CFG_SWITCH_ALWAYS:
		return true;
	case FL_CFG_SWITCH_NEVER:
		return false;
	case FL_CFG_SWITCH_AUTO:
		break;
	}
	return e->follows[peer] || (q && q->vector_switch);
}

const struct fl_cfg_service_policy *fl_engine_policy(const struct fl_engine *e, uint16_t name)
{
	for (size_t i = 0; name && i < e->config->authority.n_service_policy; i++)
		if (e->plan.policy_names[i] == name)
			return &e->config->authority.service_policy[i];
	return NULL;
}

static bool is_usable(const struct fl_engine *e, uint16_t path)
{
	const struct fl_path_rt *rt = fl_fabric_path(e->fabric, path);

	return rt && rt->cfg && !rt->why;
}

static uint64_t hold_down_ms(const struct fl_path_rt *rt)
{
	return rt->cfg->bfd->hold_down_s * 1000ULL;
}

/* Up for long enough to return to; where BFD watches, its hold-down has seen to that. */
static bool is_settled(const struct fl_engine *e, uint16_t path)
{
	const struct fl_path_rt *rt = fl_fabric_path(e->fabric, path);

	return rt->quality.live != FL_LIVE_UNWATCHED ||
	       fl_mono_ms_between(rt->since, e->now) >= hold_down_ms(rt);
}

static bool may_move_again(const struct look *l)
{
	const struct fl_path_rt *rt = fl_fabric_path(l->e->fabric, l->v->path);

	return !l->st->moved.ns || fl_mono_ms_between(l->st->moved, l->e->now) >= hold_down_ms(rt);
}

/* --- what there is to choose from ------------------------------------------------------------- */

static void decide(struct look *l)
{
	static struct fl_sla_snapshot in;
	const struct fl_engine *e = l->e;
	const struct fl_choice_for what = { l->policy, l->v->policy, (uint8_t)l->v->group };

	memset(&in, 0, sizeof(in));
	in.policy = fl_choice_policy(l->policy);
	l->here = -1;
	for (uint16_t id = 1; id <= fl_fabric_path_limit(e->fabric); id++) {
		const struct fl_path_rt *rt = fl_fabric_path(e->fabric, id);

		if (!rt || !rt->cfg || rt->peer != l->v->peer || in.n_paths == FL_SLA_MAX_PATHS)
			continue;
		if (id == l->v->path)
			l->here = (int)in.n_paths;
		fl_choice_path(e->choice, e->fabric, &what, id, 0, &in.path[in.n_paths++]);
	}
	/* Better on a busy device than on none. */
	for (size_t i = 0; !is_usable(e, l->v->path) && i < in.n_paths; i++)
		in.path[i].load.above_utilisation = false;
	fl_sla_decide(&in, l->d);
	l->best = l->d->chosen < 0 ? 0 : (uint16_t)l->d->in.path[l->d->chosen].id;
}

/* Is the best path really better than the one in use, and not only its equal or a little faster? */
static bool is_gain(const struct look *l)
{
	const struct fl_sla_path *best = &l->d->in.path[l->d->chosen],
				 *here = &l->d->in.path[l->here];

	if (l->best == l->v->path)
		return false;
	if (l->best == l->v->home_path)
		return true;
	if (l->policy->best_path_criteria != FL_CFG_BY_VECTOR)
		return false;
	return best->vector_cost < here->vector_cost ||
	       (best->vector_cost == here->vector_cost && best->cost < here->cost);
}

/* --- moving ----------------------------------------------------------------------------------- */

void fl_engine_note_move(struct fl_engine *e, struct fl_history_move *move)
{
	if (move->session)
		memcpy(move->uuid, fl_engine_session(e, move->session)->uuid, sizeof(move->uuid));
	fl_history_move(e->history, move);
}

/* All sessions of the vector are on another path now. */
static void note_vector(const struct look *l, enum fl_move_cause cause, uint16_t from)
{
	struct fl_engine *e = l->e;
	struct fl_history_move move = {
		.at = e->now,
		.cause = cause,
		.vector = l->id,
		.from = from,
		.to = l->v->path,
		.sessions = fl_fabric_vector_refs(e->fabric, l->id),
		.decision = fl_history_decision(e->history, l->d, l->v->policy, NULL, e->now),
	};

	fl_history_move(e->history, &move);
	e->t->stats[FL_STAT_SESSIONS_MOVED] += move.sessions;
	fl_notice("%u sessions to %s moved from %s to %s: %s", move.sessions,
		  fl_fabric_peer(e->fabric, l->v->peer)->name, e->t->paths[from].label,
		  e->t->paths[move.to].label, fl_move_cause_text(cause));
}

/* The next session of a vector that word of a move can go with. */
static uint32_t next_carrier(struct fl_engine *e, uint16_t vector)
{
	struct fl_steering *st = &e->steering[vector];
	uint32_t id = st->cursor ? st->cursor : e->groups.first[vector];

	st->cursor = id ? e->groups.links[id].next : 0;
	return id;
}

static void announce(struct fl_engine *e, uint16_t vector)
{
	struct fl_steering *st = &e->steering[vector];
	uint32_t carrier = next_carrier(e, vector);

	st->announced = e->now;
	st->tries++;
	if (carrier)
		fl_engine_announce_move(e, vector, carrier, st->to);
}

void fl_engine_call_back(struct fl_engine *e, uint16_t vector, bool quiet)
{
	struct fl_steering *st = &e->steering[vector];

	fl_fabric_vector_renumber(e->fabric, vector);
	fl_fabric_vector_renumber(e->fabric, vector);
	st->seq = fl_fabric_vector_seq(e->fabric, vector);
	st->to = e->t->vectors[vector].path;
	st->state = FL_STEER_ANNOUNCED;
	st->quiet = quiet;
	st->tries = 0;
	announce(e, vector);
}

static void move_vector(struct look *l, enum fl_move_cause cause)
{
	uint16_t from = fl_fabric_vector_last(l->e->fabric, l->id);

	/* The next number may have been said of another path. */
	if (l->st->state == FL_STEER_ASKED && l->st->to != l->best)
		fl_fabric_vector_renumber(l->e->fabric, l->id);
	l->st->state = FL_STEER_ANNOUNCED;
	l->st->quiet = false;
	l->st->to = l->best;
	l->st->tries = 0;
	l->st->cursor = 0;
	l->st->moved = l->e->now;
	fl_fabric_vector_move(l->e->fabric, l->id, l->best, l->e->jiffies);
	l->st->seq = fl_fabric_vector_seq(l->e->fabric, l->id);
	/* Twice, by two sessions: a packet may get lost when paths are changing. */
	announce(l->e, l->id);
	announce(l->e, l->id);
	note_vector(l, cause, from);
}

/* The peer first: nothing is lost while both paths carry packets. */
static void ask_to_follow(struct look *l, enum fl_move_cause cause)
{
	l->st->state = FL_STEER_ASKED;
	l->st->quiet = false;
	l->st->cause = cause;
	l->st->to = l->best;
	l->st->tries = 0;
	l->st->cursor = 0;
	l->st->moved = l->e->now;
	l->st->seq = fl_fabric_vector_seq(l->e->fabric, l->id) + 1;
	fl_fabric_vector_accept(l->e->fabric, l->id, l->best, l->e->jiffies);
	announce(l->e, l->id);
}

/* @target: vector that sessions move to, 0: whatever each of them is decided for. */
static void one_by_one(struct look *l, uint16_t target, enum fl_move_cause cause)
{
	uint32_t sessions = fl_fabric_vector_refs(l->e->fabric, l->id);

	l->st->state = FL_STEER_ONE_BY_ONE;
	l->st->cause = cause;
	l->st->target = target;
	l->st->to = target ? l->e->t->vectors[target].path : 0;
	l->st->cursor = l->e->groups.first[l->id];
	l->st->turn = 0;
	l->st->turns = 1;
	l->st->walked = 0;
	l->st->moved = l->e->now;
	if (target)
		l->e->steering[target].moved = l->e->now;
	if (cause != FL_MOVE_FAILBACK)
		return;
	sessions /= SESSIONS_PER_TURN;
	l->st->turns = sessions < 1 ? 1 : sessions > TURNS_MAX ? TURNS_MAX : (uint8_t)sessions;
}

static void go(struct look *l, enum fl_move_cause cause)
{
	const struct fl_vector_key key = { l->v->peer, l->v->policy, l->v->group };
	bool together = follows(l->e, l->v->peer, l->best);
	uint16_t target;

	if (together && cause == FL_MOVE_PATH_DOWN) {
		move_vector(l, cause);
	} else if (together && cause == FL_MOVE_SERVICE_LEVEL) {
		ask_to_follow(l, cause);
	} else {
		target = fl_fabric_vector(l->e->fabric, &key, l->best);
		if (target)
			one_by_one(l, target, cause);
	}
}

/* --- looking ---------------------------------------------------------------------------------- */

static bool another_peer_is_better(struct look *l, bool failback)
{
	return fl_engine_other_peer(l->e, l->id, failback, !l->best);
}

static bool is_revertible(const struct look *l)
{
	return l->policy->session_resiliency == FL_CFG_REVERTIBLE_FAILOVER;
}

static void look_at(struct look *l)
{
	bool other = l->policy->peer_path_resiliency;
	bool meets = l->d->result == FL_SLA_OK;

	if (l->here < 0 || !is_usable(l->e, l->v->path)) {
		if (l->best)
			go(l, FL_MOVE_PATH_DOWN);
		else if (other && another_peer_is_better(l, false))
			one_by_one(l, 0, FL_MOVE_PATH_DOWN);
		return;
	}
	if (!may_move_again(l))
		return;
	if (l->d->verdict[l->here].violates) {
		if (meets && l->best != l->v->path)
			go(l, FL_MOVE_SERVICE_LEVEL);
		else if (!meets && other && another_peer_is_better(l, false))
			one_by_one(l, 0, FL_MOVE_SERVICE_LEVEL);
		return;
	}
	if (!is_revertible(l))
		return;
	if (l->best && is_gain(l) && is_settled(l->e, l->best))
		go(l, FL_MOVE_FAILBACK);
	else if (other && another_peer_is_better(l, true))
		one_by_one(l, 0, FL_MOVE_FAILBACK);
}

static bool begin_look(struct fl_engine *e, uint16_t id, struct look *l)
{
	static struct fl_sla_decision d;

	*l = (struct look){ .e = e, .id = id, .v = &e->t->vectors[id], .st = &e->steering[id] };
	if (!l->v->peer || l->v->group & FL_GROUP_PEER || !e->groups.first[id])
		return false;
	l->policy = fl_engine_policy(e, l->v->policy);
	if (!l->policy || l->policy->session_resiliency == FL_CFG_RESILIENCY_NONE)
		return false;
	l->d = &d;
	return true;
}

static void review(struct fl_engine *e)
{
	struct look l;

	e->review_due = false;
	e->reviewed = e->now;
	for (uint16_t id = 1; id < FL_MAX_VECTORS; id++) {
		if (!begin_look(e, id, &l))
			continue;
		/* What is under way goes on, unless the path that it goes to is down. */
		if (l.st->state == FL_STEER_ONE_BY_ONE && (!l.st->to || is_usable(e, l.st->to)))
			continue;
		if (l.st->state == FL_STEER_ONE_BY_ONE)
			l.st->state = FL_STEER_STEADY;
		if (l.st->state == FL_STEER_ASKED && is_usable(e, l.v->path)) {
			if (!is_usable(e, l.st->to))
				fl_engine_call_back(e, id, false);
			continue;
		}
		decide(&l);
		look_at(&l);
	}
}

/* --- what is under way ------------------------------------------------------------------------ */

static uint8_t turn_of(const struct fl_engine *e, uint32_t id, uint8_t turns)
{
	const struct fl_session *s = fl_engine_session(e, id);
	uint64_t a, b;

	memcpy(&a, s->src, sizeof(a));
	memcpy(&b, s->src + 8, sizeof(b));
	return (uint8_t)(fl_flow_hash(a, b ^ s->service, e->t->hash_seed) % turns);
}

void fl_engine_tell_move(struct fl_engine *e, uint32_t id)
{
	struct fl_steering *st = &e->steering[fl_engine_session(e, id)->out.vector];

	fl_engine_announce_session(e, id);
	st->reminders = REMINDERS;
	st->remind_at = fl_mono_add_ms(e->now, REMIND_MS);
}

static void remind(struct fl_engine *e, uint16_t vector)
{
	struct fl_steering *st = &e->steering[vector];
	unsigned int left = MOVES_PART;

	if (!st->reminders || !fl_mono_reached(e->now, st->remind_at))
		return;
	st->reminders--;
	st->remind_at = fl_mono_add_ms(e->now, (uint64_t)REMIND_MS << (REMINDERS - st->reminders));
	for (uint32_t id = e->groups.first[vector]; id && left; id = e->groups.links[id].next) {
		if (!(fl_engine_session(e, id)->flags & FL_SESSION_RESIGNAL) ||
		    !(fl_engine_flow(e, id, FL_FORWARD)->state & FL_FLOW_TX_META))
			continue;
		fl_engine_announce_session(e, id);
		left--;
	}
}

static void move_one(struct fl_engine *e, struct fl_steering *st, uint16_t vector, uint32_t id)
{
	static struct fl_decision d;
	const struct fl_session *s = fl_engine_session(e, id);
	struct fl_deciding by = fl_engine_deciding(e);
	struct fl_history_move move = { .session = id,
					.at = e->now,
					.cause = st->cause,
					.from = e->t->vectors[vector].path,
					.sessions = 1 };
	struct fl_question q;

	if (st->target) {
		fl_engine_move_session(e, id, st->target);
	} else {
		fl_engine_question(e, id, &q);
		fl_decide(&by, &q, &d);
		if (!fl_engine_leads_elsewhere(&d, s->out.id, move.from,
					       st->cause == FL_MOVE_FAILBACK) ||
		    fl_engine_move_to_peer(e, id, d.chosen) < 0)
			return;
		fl_engine_route_changed(e, id, d.chosen);
		move.decision = fl_engine_note_decision(e, &d);
	}
	fl_engine_tell_move(e, id);
	st->walked++;
	move.was = vector;
	move.vector = s->out.vector;
	move.to = e->t->vectors[s->out.vector].path;
	fl_engine_note_move(e, &move);
}

static void walk(struct fl_engine *e, uint16_t vector)
{
	struct fl_steering *st = &e->steering[vector];
	uint32_t before = st->walked;

	for (uint32_t n = 0; n < WALK_PART && st->walked - before < MOVES_PART; n++) {
		uint32_t id = st->cursor;

		if (!id && ++st->turn >= st->turns) {
			st->state = FL_STEER_STEADY;
			if (st->walked)
				fl_notice(
					"%u sessions moved from %s: %s", st->walked,
					e->t->paths[fl_fabric_vector_last(e->fabric, vector)].label,
					fl_move_cause_text(st->cause));
			return;
		}
		if (!id) {
			st->cursor = e->groups.first[vector];
			return;
		}
		st->cursor = e->groups.links[id].next;
		if (turn_of(e, id, st->turns) == st->turn)
			move_one(e, st, vector, id);
	}
}

/* Nobody says that it has followed: it may be one that cannot. */
static void give_up(struct fl_engine *e, uint16_t vector)
{
	struct fl_steering *st = &e->steering[vector];

	e->follows[e->t->vectors[vector].peer] = false;
	if (st->state == FL_STEER_ASKED) {
		fl_engine_call_back(e, vector, false);
		return;
	}
	st->state = FL_STEER_STEADY;
	if (st->quiet)
		return;
	for (uint32_t id = e->groups.first[vector]; id; id = e->groups.links[id].next)
		fl_engine_signal_move(e, id);
	st->reminders = REMINDERS;
	st->remind_at = e->now;
}

static void go_on(struct fl_engine *e, uint16_t vector)
{
	struct fl_steering *st = &e->steering[vector];

	if (st->state == FL_STEER_ONE_BY_ONE) {
		walk(e, vector);
		return;
	}
	if (fl_mono_ms_between(st->announced, e->now) < ANNOUNCE_MS)
		return;
	if (st->tries >= ANNOUNCE_TRIES)
		give_up(e, vector);
	else
		announce(e, vector);
}

void fl_engine_move_heard(struct fl_engine *e, uint16_t peer, const struct fl_meta_vector *vector)
{
	struct fl_steering *st;
	struct look l;

	if (!vector->id || vector->id >= FL_MAX_VECTORS || e->t->vectors[vector->id].peer != peer)
		return;
	e->follows[peer] = true;
	st = &e->steering[vector->id];
	if (vector->seq != st->seq ||
	    (st->state != FL_STEER_ASKED && st->state != FL_STEER_ANNOUNCED))
		return;
	if (st->state == FL_STEER_ANNOUNCED) {
		st->state = FL_STEER_STEADY;
		return;
	}
	st->state = FL_STEER_STEADY;
	/* By another configuration they stay. */
	if (!begin_look(e, vector->id, &l)) {
		fl_engine_call_back(e, vector->id, false);
		return;
	}
	decide(&l);
	l.best = st->to;
	fl_fabric_vector_move(e->fabric, l.id, st->to, e->jiffies);
	note_vector(&l, st->cause, e->t->vectors[l.id].prev_path);
}

/* --- service levels --------------------------------------------------------------------------- */

/* How paths stand by each policy with limits, for TCP and for the rest. */
static bool judge(struct fl_engine *e)
{
	static const uint8_t protos[] = { FL_IPPROTO_TCP, FL_IPPROTO_UDP };
	bool changed = false;

	for (size_t p = 0; p < e->config->authority.n_service_policy; p++) {
		struct fl_choice_for what = { &e->config->authority.service_policy[p],
					      e->plan.policy_names[p], 0 };

		for (uint16_t id = 1;
		     what.cfg->path_quality_filter && id <= fl_fabric_path_limit(e->fabric); id++) {
			const struct fl_path_rt *rt = fl_fabric_path(e->fabric, id);

			for (size_t i = 0; rt && rt->cfg && i < sizeof(protos); i++) {
				what.proto = protos[i];
				changed |= fl_choice_judge(e->choice, e->fabric, &what, id, e->now);
			}
		}
	}
	return changed;
}

void fl_engine_steer(struct fl_engine *e)
{
	if (judge(e) || e->review_due || fl_mono_ms_between(e->reviewed, e->now) >= REVIEW_MS)
		review(e);
	for (uint16_t id = 1; id < FL_MAX_VECTORS; id++) {
		if (e->steering[id].state != FL_STEER_STEADY)
			go_on(e, id);
		remind(e, id);
	}
}

void fl_engine_paths_changed(struct fl_engine *engine)
{
	if (!engine->config)
		return;
	fl_engine_begin(engine);
	review(engine);
}
