// SPDX-License-Identifier: Apache-2.0
/* Ranking over the store: see explain.h. */
#include "agent/insight/explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MODELS       64 /* that are kept: sites times days (chosen) */
#define MODEL_AGE_S  600
#define DAY_S        86400
#define HISTORY_S    (30 * DAY_S) /* minutes are kept no longer */
#define CALL_MINUTES 1800         /* of one call: 30 hours */
#define WAN_AROUND   180          /* minutes of a path that are read at once */

/* What a site was like around one day. */
struct site_model {
	uint32_t site; /* 0: empty */
	int64_t day;
	int64_t made_s;
	bool known[FL_STREAM_JUDGED]; /* else it has too little data */
	struct fl_rank_model models[FL_STREAM_JUDGED];
};

/* The last stretch of path minutes that was read. */
struct wan {
	uint32_t path;
	int64_t from, to;
	size_t count;
	struct fl_path_minute rows[2 * WAN_AROUND + 1];
};

/* Rows while they are gathered; one call's or a site's. */
struct gathered {
	struct fl_explainer *owner;
	size_t count;
	size_t max;
	int err;
	struct fl_rank_row *rows[FL_STREAM_JUDGED];
	struct fl_minute_row *minutes; /* NULL: not wanted */
};

struct fl_explainer {
	struct fl_store *store;
	struct fl_score_cfg mos;
	struct wan wan;
	unsigned int next; /* model to be replaced */
	struct site_model sites[MODELS];
	struct fl_rank_row rows[FL_STREAM_JUDGED][FL_RANK_FIT_MINUTES];
	struct fl_minute_row minutes[CALL_MINUTES];
};

int fl_explainer_new(struct fl_store *store, const struct fl_score_cfg *mos,
		     struct fl_explainer **ret_explainer)
{
	struct fl_explainer *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->store = store;
	e->mos = mos ? *mos : fl_score_default;
	*ret_explainer = e;
	return 0;
}

void fl_explainer_free(struct fl_explainer *explainer)
{
	free(explainer);
}

void fl_explainer_forget(struct fl_explainer *explainer)
{
	for (unsigned int i = 0; i < MODELS; i++)
		explainer->sites[i].site = 0;
}

/* The path's minute, or NULL if there is none near. */
static int find_wan(struct fl_explainer *e, uint32_t path, int64_t minute,
		    const struct fl_path_minute **ret_wan)
{
	struct wan *w = &e->wan;
	int err = 0;

	*ret_wan = NULL;
	if (!path)
		return 0;
	if (w->path != path || minute <= w->from || minute >= w->to) {
		w->path = path;
		w->from = minute - WAN_AROUND;
		w->to = minute + WAN_AROUND;
		w->count = 0;
		err = fl_store_path_minutes(e->store, path, w->from, w->to, w->rows,
					    2 * WAN_AROUND + 1, &w->count);
	}
	if (!err)
		*ret_wan = fl_path_minute_near(w->rows, w->count, minute);
	return err;
}

static bool gather(void *ctx, const struct fl_call *call, const struct fl_minute_row *row)
{
	const struct fl_rank_client client = { call->vpn, call->conn, call->network };
	struct gathered *g = ctx;
	const struct fl_path_minute *wan;
	double x[FL_FEATURE_MAX];

	if (g->count == g->max)
		return false;
	g->err = find_wan(g->owner, row->path, row->figures.minute, &wan);
	if (g->err)
		return false;
	fl_rank_features(&row->figures, wan, &client, x);
	for (int s = 0; s < FL_STREAM_JUDGED; s++) {
		struct fl_rank_row *to = &g->rows[s][g->count];

		memcpy(to->x, x, sizeof(x));
		to->observed_ms = row->figures.streams[s].latency_ms;
	}
	if (g->minutes)
		g->minutes[g->count] = *row;
	g->count++;
	return true;
}

static struct gathered gatherer(struct fl_explainer *e, bool minutes)
{
	struct gathered g = { .owner = e, .max = minutes ? CALL_MINUTES : FL_RANK_FIT_MINUTES };

	for (int s = 0; s < FL_STREAM_JUDGED; s++)
		g.rows[s] = e->rows[s];
	g.minutes = minutes ? e->minutes : NULL;
	/* Rows may have come since. */
	e->wan.path = 0;
	return g;
}

static int make_model(struct fl_explainer *e, struct site_model *m)
{
	struct gathered g = gatherer(e, false);
	int err = fl_store_each_site_minute(e->store, m->site, m->day * DAY_S - HISTORY_S,
					    (m->day + 1) * DAY_S, gather, &g);

	if (err || g.err)
		return err ? err : g.err;
	for (int s = 0; s < FL_STREAM_JUDGED; s++) {
		err = fl_rank_fit(g.rows[s], g.count, NULL, &m->models[s]);
		if (err && err != -ENODATA)
			return err;
		m->known[s] = !err;
	}
	return 0;
}

static int find_model(struct fl_explainer *e, uint32_t site, int64_t day, int64_t now_s,
		      const struct site_model **ret_model)
{
	struct site_model *m = NULL;
	int err;

	for (unsigned int i = 0; i < MODELS && !m; i++)
		if (e->sites[i].site == site && e->sites[i].day == day)
			m = &e->sites[i];
	if (m && now_s - m->made_s < MODEL_AGE_S && now_s >= m->made_s) {
		*ret_model = m;
		return 0;
	}
	if (!m) {
		m = &e->sites[e->next];
		e->next = (e->next + 1) % MODELS;
	}
	*m = (struct site_model){ .site = site, .day = day, .made_s = now_s };
	err = make_model(e, m);
	if (err)
		m->site = 0;
	*ret_model = m;
	return err;
}

int fl_explain_call(struct fl_explainer *explainer, const struct fl_call *call,
		    enum fl_stream stream, int64_t now_s, fl_explained_fn fn, void *ctx)
{
	struct fl_explainer *e = explainer;
	struct fl_rank_model refined[FL_STREAM_JUDGED];
	const struct site_model *site;
	struct gathered g;
	int err = find_model(e, call->site, call->join_s / DAY_S, now_s, &site);

	if (err)
		return err;
	g = gatherer(e, true);
	err = fl_store_each_minute(e->store, call, gather, &g);
	if (err || g.err)
		return err ? err : g.err;
	for (int s = 0; s < FL_STREAM_JUDGED; s++)
		if (site->known[s])
			fl_rank_refine(&site->models[s], g.rows[s], g.count, &refined[s]);
	for (size_t n = 0; n < g.count; n++) {
		struct fl_explained out = { .row = &g.minutes[n], .stream = stream };
		struct fl_minute_score score;

		fl_score_minute(&e->mos, &out.row->figures, &score);
		if (!score.bad)
			continue;
		if (stream >= FL_STREAM_JUDGED)
			out.stream = fl_score_worst_stream(&score);
		out.features = g.rows[out.stream][n];
		fl_rank_minute(site->known[out.stream] ? &refined[out.stream] : NULL, &out.features,
			       &out.ranking);
		if (!fn(ctx, &out))
			break;
	}
	return 0;
}

struct causes {
	size_t count;
	struct {
		int64_t minute;
		enum fl_category cause;
	} list[CALL_MINUTES];
};

static bool take_cause(void *ctx, const struct fl_explained *explained)
{
	struct causes *c = ctx;

	if (explained->ranking.verdict == FL_RANK_INSUFFICIENT)
		return true;
	c->list[c->count].minute = explained->row->figures.minute;
	c->list[c->count++].cause = explained->ranking.dominant;
	return c->count < CALL_MINUTES;
}

int fl_explain_keep(struct fl_explainer *explainer, const struct fl_call *call, int64_t now_s)
{
	struct causes *causes = calloc(1, sizeof(*causes));
	int err;

	if (!causes)
		return -ENOMEM;
	err = fl_explain_call(explainer, call, FL_STREAM_MAX, now_s, take_cause, causes);
	for (size_t i = 0; !err && i < causes->count; i++)
		err = fl_store_set_cause(explainer->store, call->id, causes->list[i].minute,
					 causes->list[i].cause);
	free(causes);
	return err;
}
