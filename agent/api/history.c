// SPDX-License-Identifier: Apache-2.0
/* What was decided: a session's own record and moves, and all of them by another configuration. */
#include <errno.h>
#include <string.h>

#include "agent/api/api_internal.h"
#include "agent/session/replay.h"

/* Openings of one answer: the loop is to be back at its packets soon. */
#define REPLAY_PAGE 500

static const char *path_text(struct fl_api *api, uint16_t path)
{
	return path ? fl_dp_tables(api->dp)->paths[path].label : NULL;
}

static void add_age(struct fl_json *o, struct fl_mono at)
{
	fl_json_add_double(o, "seconds-ago",
			   (double)fl_mono_ms_between(at, fl_mono_now()) / 1000.0);
}

/* --- one session ------------------------------------------------------------------------------ */

void fl_api_add_judged(struct fl_json *o, const struct fl_sla_verdict *v)
{
	if (v->quality.has & FL_QUALITY_LATENCY)
		fl_json_add_double(o, "latency-ms", v->quality.latency_us / 1000.0);
	if (v->quality.has & FL_QUALITY_JITTER)
		fl_json_add_double(o, "jitter-ms", v->quality.jitter_us / 1000.0);
	if (v->quality.has & FL_QUALITY_LOSS)
		fl_json_add_double(o, "loss-percent", v->quality.loss_ppm / 10000.0);
	if (v->mos_x100)
		fl_json_add_double(o, "mos", v->mos_x100 / 100.0);
	if (v->quality.has)
		fl_json_add_string(o, "measured-by",
				   v->fpm == v->quality.has ? "fpm"
				   : v->fpm                 ? "fpm, bfd"
							    : "bfd");
}

static void add_paths(struct fl_api *api, struct fl_json *list,
		      const struct fl_history_decision *record)
{
	static struct fl_sla_decision d;
	char text[512];

	fl_history_restore(record, &d);
	for (size_t i = 0; i < d.in.n_paths; i++) {
		const struct fl_sla_path *p = &d.in.path[i];
		struct fl_json *o = fl_json_add_object(list, NULL);

		fl_json_add_string(o, "path",
				   p->kind == FL_SLA_PEER_PATH ? path_text(api, (uint16_t)p->id)
							       : "(local)");
		fl_json_add_bool(o, "chosen", (int)i == d.chosen);
		fl_json_add_bool(o, "meets-sla", !d.verdict[i].violates);
		fl_api_add_judged(o, &d.verdict[i]);
		fl_sla_explain(&d, i, text, sizeof(text));
		fl_json_add_string(o, "why", text);
	}
}

static void add_record(struct fl_api *api, struct fl_json *o,
		       const struct fl_history_decision *record)
{
	fl_json_add_string(o, "service-policy",
			   fl_store_name_text(fl_engine_store(api->engine), record->policy));
	fl_json_add_string(o, "result", fl_sla_result_text((enum fl_sla_result)record->result));
	add_paths(api, fl_json_add_array(o, "paths"), record);
}

static void add_move(struct fl_api *api, struct fl_json *list, const struct fl_history_move *m)
{
	const struct fl_history *history = fl_engine_history(api->engine);
	const struct fl_history_decision *record = fl_history_find_decision(history, m->decision);
	struct fl_json *o = fl_json_add_object(list, NULL);

	add_age(o, m->at);
	fl_json_add_string(o, "cause", fl_move_cause_text(m->cause));
	fl_json_add_string(o, "from", path_text(api, m->from));
	fl_json_add_string(o, "to", path_text(api, m->to));
	fl_json_add_u64(o, "sessions", m->sessions);
	if (record)
		add_record(api, fl_json_add_object(o, "decision"), record);
}

/* Which vectors a session is in, toward the responder and toward the initiator, as time goes on. */
struct vectors {
	uint16_t of[2];
};

static bool is_own(const struct fl_history_move *m, const struct fl_session *s, uint32_t id)
{
	return m->at.ns >= s->start_ns && m->session == id &&
	       !memcmp(m->uuid, s->uuid, sizeof(m->uuid));
}

static size_t side_of(const struct fl_history_move *m)
{
	return m->cause == FL_MOVE_BY_PEER;
}

/* Those that it began in: what its first moves took it out of, else the ones of today. */
static struct vectors first_vectors(const struct fl_history *history, const struct fl_session *s,
				    uint32_t id, uint32_t first)
{
	struct vectors v = { { s->out.kind == FL_SIDE_PEER ? s->out.vector : 0,
			       s->in.kind == FL_SIDE_PEER ? s->in.vector : 0 } };

	for (uint32_t seq = fl_history_last_move(history); seq >= first && seq; seq--) {
		const struct fl_history_move *m = fl_history_find_move(history, seq);

		if (m && is_own(m, s, id))
			v.of[side_of(m)] = m->was;
	}
	return v;
}

/* Moves of a session: its own, and those of the vectors that it was in at the time. */
static void add_moves(struct fl_api *api, struct fl_json *list, uint32_t id)
{
	const struct fl_history *history = fl_engine_history(api->engine);
	const struct fl_session *s = &fl_dp_tables(api->dp)->sessions[id];
	uint32_t last = fl_history_last_move(history);
	uint32_t first = last > FL_HISTORY_MOVES ? last - FL_HISTORY_MOVES + 1 : 1;
	struct vectors v = first_vectors(history, s, id, first);

	for (uint32_t seq = first; last && seq <= last; seq++) {
		const struct fl_history_move *m = fl_history_find_move(history, seq);

		if (!m || m->at.ns < s->start_ns)
			continue;
		if (is_own(m, s, id))
			v.of[side_of(m)] = m->vector;
		else if (m->session || m->vector != v.of[side_of(m)])
			continue;
		add_move(api, list, m);
	}
}

void fl_api_add_history(struct fl_api *api, struct fl_json *data, uint32_t id)
{
	const struct fl_history *history = fl_engine_history(api->engine);
	const struct fl_session *s = &fl_dp_tables(api->dp)->sessions[id];
	const struct fl_history_decision *record =
		fl_history_find_decision(history, fl_engine_decision_of(api->engine, id));
	struct fl_json *o;

	if (record) {
		o = fl_json_add_object(data, "decision");
		add_age(o, (struct fl_mono){ s->start_ns });
		add_record(api, o, record);
	}
	add_moves(api, fl_json_add_array(data, "moves"), id);
}

/* --- policy test ------------------------------------------------------------------------------ */

/* Counts of one answer. */
struct replayed {
	uint64_t looked_at;
	uint64_t same;
	uint64_t denied;
	uint64_t moved;
	uint64_t gone;
};

static void add_ends(struct fl_json *o, const struct fl_tuple *t)
{
	char proto[8];

	fl_json_add_string(o, "protocol", fl_api_proto_text(t->proto, proto));
	fl_api_add_addr(o, "source", t->family, t->src);
	fl_json_add_u64(o, "source-port", t->sport);
	fl_api_add_addr(o, "destination", t->family, t->dst);
	fl_json_add_u64(o, "destination-port", t->dport);
}

static void add_replayed(struct fl_api *api, struct fl_json *list,
			 const struct fl_history_opening *opening, const struct fl_replay *r)
{
	const struct fl_store *store = fl_engine_store(api->engine);
	struct fl_json *o = fl_json_add_object(list, NULL);
	const char *meaning = NULL;
	char uuid[37];

	fl_api_uuid_text(opening->uuid, uuid);
	fl_json_add_string(o, "id", uuid);
	add_age(o, opening->at);
	fl_json_add_string(o, "tenant", fl_store_name_text(store, opening->tenant));
	fl_json_add_string(o, "service", fl_store_name_text(store, opening->service));
	add_ends(o, &opening->tuple);
	fl_json_add_string(o, "verdict", r->verdict == FL_REPLAY_DENIED ? "denied" : "moved");
	if (r->verdict == FL_REPLAY_DENIED) {
		fl_json_add_string(o, "reason", fl_api_drop_text(r->reason, &meaning));
		fl_json_add_string(o, "meaning", meaning);
	}
	fl_json_add_string(o, "from", path_text(api, r->from));
	fl_json_add_string(o, "to", path_text(api, r->to));
	fl_json_add_string(o, "why", r->why);
}

static void replay_one(struct fl_api *api, const struct fl_deciding *by,
		       const struct fl_history_opening *opening, struct fl_json *list,
		       struct replayed *n)
{
	struct fl_replay r;

	fl_replay(api->engine, by, opening, &r);
	n->looked_at++;
	n->same += r.verdict == FL_REPLAY_SAME;
	n->denied += r.verdict == FL_REPLAY_DENIED;
	n->moved += r.verdict == FL_REPLAY_MOVED;
	n->gone += r.verdict == FL_REPLAY_GONE;
	if (r.verdict == FL_REPLAY_DENIED || r.verdict == FL_REPLAY_MOVED)
		add_replayed(api, list, opening, &r);
}

/* A part of the openings, from "after" on; "next" is what to ask for then. */
static void replay_page(struct fl_api *api, const struct fl_deciding *by,
			const struct fl_json *request, struct fl_json *data)
{
	const struct fl_history *history = fl_engine_history(api->engine);
	struct fl_json *list = fl_json_add_array(data, "sessions");
	uint64_t after = 0, last_s = 3600, newest = fl_history_last_opening(history), seq;
	struct replayed n = { 0 };

	fl_json_get_u64(fl_json_member(request, "after"), &after);
	fl_json_get_u64(fl_json_member(request, "last-seconds"), &last_s);
	if (newest > FL_HISTORY_OPENINGS && after < newest - FL_HISTORY_OPENINGS)
		after = newest - FL_HISTORY_OPENINGS;
	for (seq = after + 1; seq <= newest && n.looked_at < REPLAY_PAGE; seq++) {
		const struct fl_history_opening *o =
			fl_history_find_opening(history, (uint32_t)seq);

		if (o && fl_mono_ms_between(o->at, by->now) <= last_s * 1000)
			replay_one(api, by, o, list, &n);
	}
	fl_json_add_u64(data, "replayed", n.looked_at);
	fl_json_add_u64(data, "unchanged", n.same);
	fl_json_add_u64(data, "denied", n.denied);
	fl_json_add_u64(data, "moved", n.moved);
	fl_json_add_u64(data, "no-longer-recorded", n.gone);
	if (seq <= newest)
		fl_json_add_u64(data, "next", seq - 1);
}

void fl_api_policy_test(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	const char *text = fl_json_get_string(fl_json_member(request, "text"));
	struct fl_json *data = fl_json_add_object(reply, "data");
	struct fl_config_errors *errors = NULL;
	struct fl_config *config = NULL;
	struct fl_deciding by;
	struct fl_fib *fib = NULL;
	int err;

	if (!text) {
		fl_ctl_error(reply, FL_CTL_USAGE, "no configuration to try");
		return;
	}
	err = fl_config_load(text, strlen(text), &config, &errors);
	fl_api_add_findings(data, errors);
	fl_config_errors_free(errors);
	if (!err)
		err = fl_fib_new(config, &fib);
	if (err) {
		fl_ctl_error(reply, err == -EINVAL ? FL_CTL_BAD_CONFIG : FL_CTL_NO, "%s",
			     err == -EINVAL ? "the configuration has errors" : strerror(-err));
	} else {
		fl_engine_begin(api->engine);
		by = fl_engine_deciding(api->engine);
		by.config = config;
		by.fib = fib;
		by.policy_names = NULL;
		by.routes = NULL;
		replay_page(api, &by, request, data);
	}
	fl_fib_free(fib);
	fl_config_free(config);
}
