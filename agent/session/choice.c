// SPDX-License-Identifier: Apache-2.0
/* Memory of choosing: see choice.h. */
#include "agent/session/choice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/hash.h"

#define MAX_ROUTES     4096
#define RATE_WINDOW_MS 1000

struct standing_key {
	uint16_t policy;
	uint16_t path;
	uint32_t proto;
};

/* A path as a policy sees it. */
struct standing {
	struct standing_key key;
	struct fl_sla_hysteresis h;
	int64_t credit; /* of round robin */
	UT_hash_handle hh;
};

struct route {
	char *name;
	uint32_t sessions;
	uint32_t opened; /* since window began */
	struct fl_mono window;
	bool above; /* of its session water marks */
};

struct fl_choice {
	struct standing *standings;
	struct route routes[MAX_ROUTES]; /* [0] is nobody's */
	uint16_t n_routes;
	fl_choice_fpm fpm;
	void *fpm_ctx;
};

int fl_choice_new(struct fl_choice **ret_choice)
{
	struct fl_choice *choice = calloc(1, sizeof(*choice));

	if (!choice)
		return -ENOMEM;
	choice->n_routes = 1;
	*ret_choice = choice;
	return 0;
}

void fl_choice_free(struct fl_choice *choice)
{
	struct standing *s, *tmp;

	if (!choice)
		return;
	HASH_ITER(hh, choice->standings, s, tmp) {
		HASH_DEL(choice->standings, s);
		free(s);
	}
	for (uint16_t i = 1; i < choice->n_routes; i++)
		free(choice->routes[i].name);
	free(choice);
}

void fl_choice_set_fpm(struct fl_choice *choice, fl_choice_fpm fpm, void *ctx)
{
	choice->fpm = fpm;
	choice->fpm_ctx = ctx;
}

/* --- paths ------------------------------------------------------------------------------------ */

static struct standing_key key_of(const struct fl_choice_for *what, uint32_t path)
{
	return (struct standing_key){ what->policy, (uint16_t)path, what->proto };
}

static struct standing *find(const struct fl_choice *choice, const struct standing_key *key)
{
	struct standing *s;

	HASH_FIND(hh, choice->standings, key, sizeof(*key), s);
	return s;
}

/* NULL without memory: then the path stands as it is measured. */
static struct standing *find_or_make(struct fl_choice *choice, const struct standing_key *key)
{
	struct standing *s = find(choice, key);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->key = *key;
	HASH_ADD(hh, choice->standings, key, sizeof(s->key), s);
	return s;
}

struct fl_sla_policy fl_choice_policy(const struct fl_cfg_service_policy *cfg)
{
	static const struct fl_sla_policy defaults = FL_SLA_POLICY_DEFAULT;

	if (!cfg)
		return defaults;
	return (struct fl_sla_policy){
		.strategy =
			cfg->lb_strategy == FL_CFG_PROPORTIONAL ? FL_SLA_PROPORTIONAL : FL_SLA_HUNT,
		.criterion = cfg->best_path_criteria == FL_CFG_BY_LATENCY ? FL_SLA_BY_LATENCY
			     : cfg->best_path_criteria == FL_CFG_BY_MOS   ? FL_SLA_BY_MOS
									  : FL_SLA_BY_VECTOR,
		.quality_filter = cfg->path_quality_filter,
		.best_effort = cfg->best_effort,
		.max_loss_ppm = cfg->max_loss_ppm,
		.max_latency_us = cfg->max_latency_ms * 1000,
		.max_jitter_us = cfg->max_jitter_ms * 1000,
		.min_mos_x100 = (uint16_t)cfg->min_mos_x100,
	};
}

void fl_choice_device(const struct fl_fabric *fabric, uint16_t iface, struct fl_sla_load *load)
{
	const struct fl_netif *netif = fl_fabric_netif(fabric, iface);

	if (!netif || !netif->cfg || !netif->device->load_balancing)
		return;
	load->device_mbps = netif->device->load_balancing->capacity_mbps;
	load->device_percent = netif->load.percent;
	load->above_utilisation = netif->load.above;
}

void fl_choice_path(const struct fl_choice *choice, const struct fl_fabric *fabric,
		    const struct fl_choice_for *what, uint16_t path, uint32_t cost,
		    struct fl_sla_path *ret_path)
{
	const struct fl_path_rt *rt = fl_fabric_path(fabric, path);
	const struct fl_path_quality *quality = fl_fabric_path_quality(fabric, path);
	const struct standing_key key = key_of(what, path);
	const struct standing *s = what->cfg ? find(choice, &key) : NULL;

	*ret_path = (struct fl_sla_path){
		.id = path,
		.peer = rt->peer,
		.kind = FL_SLA_PEER_PATH,
		.from_route = true,
		.up = !rt->why,
		.vector_cost = fl_fabric_path_cost(rt, what->cfg),
		.cost = cost + rt->cfg->cost,
		.credit = s ? s->credit : 0,
	};
	if (s && s->h.judged.ns)
		ret_path->standing = s->h.violated ? FL_SLA_VIOLATES : FL_SLA_MEETS;
	fl_choice_device(fabric, rt->iface, &ret_path->load);
	if (quality)
		ret_path->bfd = quality->mean;
	if (choice->fpm)
		ret_path->fpm = choice->fpm(choice->fpm_ctx, path, what->proto);
}

void fl_choice_taken(struct fl_choice *choice, const struct fl_choice_for *what,
		     const struct fl_sla_decision *decision)
{
	if (decision->in.policy.strategy != FL_SLA_PROPORTIONAL)
		return;
	for (size_t i = 0; i < decision->in.n_paths; i++) {
		const struct fl_sla_path *path = &decision->in.path[i];
		const struct standing_key key = key_of(what, path->id);
		struct standing *s;

		if (path->kind != FL_SLA_PEER_PATH || path->credit == decision->verdict[i].credit)
			continue;
		s = find_or_make(choice, &key);
		if (s)
			s->credit = decision->verdict[i].credit;
	}
}

/* P-40's 5 s are half of the link tests' interval by default; half of a shorter one otherwise. */
static uint32_t evaluate_ms(const struct fl_cfg_bfd *bfd)
{
	uint32_t half = bfd->link_test_interval_s * 500;

	return bfd->enabled && half < FL_SLA_EVALUATE_MS ? half : FL_SLA_EVALUATE_MS;
}

bool fl_choice_judge(struct fl_choice *choice, const struct fl_fabric *fabric,
		     const struct fl_choice_for *what, uint16_t path, struct fl_mono now)
{
	const struct fl_sla_policy policy = fl_choice_policy(what->cfg);
	const struct standing_key key = key_of(what, path);
	const struct fl_cfg_bfd *bfd = fl_fabric_path(fabric, path)->cfg->bfd;
	struct standing *s = find_or_make(choice, &key);
	struct fl_sla_path as_it_is;
	struct fl_quality quality;
	uint8_t fpm;

	if (!s)
		return false;
	fl_choice_path(choice, fabric, what, path, 0, &as_it_is);
	quality = fl_sla_quality(&as_it_is, &fpm);
	return fl_sla_judge(&s->h, fl_sla_breaks(&policy, &quality) != 0, evaluate_ms(bfd),
			    bfd->hold_down_s * 1000, now);
}

void fl_choice_forget_path(struct fl_choice *choice, uint16_t path)
{
	struct standing *s, *tmp;

	HASH_ITER(hh, choice->standings, s, tmp) {
		if (s->key.path != path)
			continue;
		HASH_DEL(choice->standings, s);
		free(s);
	}
}

/* --- service routes --------------------------------------------------------------------------- */

uint16_t fl_choice_route(struct fl_choice *choice, const char *name)
{
	char *copy;

	for (uint16_t i = 1; i < choice->n_routes; i++)
		if (!strcmp(choice->routes[i].name, name))
			return i;
	if (choice->n_routes == MAX_ROUTES)
		return 0;
	copy = strdup(name);
	if (!copy)
		return 0;
	choice->routes[choice->n_routes].name = copy;
	return choice->n_routes++;
}

const char *fl_choice_route_name(const struct fl_choice *choice, uint16_t route)
{
	return route && route < choice->n_routes ? choice->routes[route].name : "";
}

static uint32_t opened_lately(const struct route *r, struct fl_mono now)
{
	return r->window.ns && fl_mono_ms_between(r->window, now) < RATE_WINDOW_MS ? r->opened : 0;
}

void fl_choice_load(const struct fl_choice *choice, uint16_t route,
		    const struct fl_cfg_route_policy *policy, struct fl_mono now,
		    struct fl_sla_load *load)
{
	const struct route *r = &choice->routes[route];

	if (!policy || !route)
		return;
	load->max_sessions = policy->max_sessions;
	load->sessions = r->sessions;
	load->session_rate = policy->session_rate;
	load->rate = opened_lately(r, now);
	load->above_sessions = policy->session_high_water_mark && r->above;
}

static void weigh(struct route *r, const struct fl_cfg_route_policy *policy)
{
	uint64_t max = policy ? policy->max_sessions : 0;

	if (!max)
		return;
	r->above = fl_sla_above(r->above, r->sessions,
				(uint32_t)(max * policy->session_high_water_mark / 100),
				(uint32_t)(max * policy->session_low_water_mark / 100));
}

void fl_choice_route_taken(struct fl_choice *choice, uint16_t route,
			   const struct fl_cfg_route_policy *policy, struct fl_mono now)
{
	struct route *r = &choice->routes[route];

	if (!route)
		return;
	if (!opened_lately(r, now)) {
		r->opened = 0;
		r->window = now;
	}
	r->opened++;
	r->sessions++;
	weigh(r, policy);
}

void fl_choice_route_left(struct fl_choice *choice, uint16_t route,
			  const struct fl_cfg_route_policy *policy)
{
	struct route *r = &choice->routes[route];

	if (!route)
		return;
	r->sessions--;
	weigh(r, policy);
}

void fl_choice_route_found(struct fl_choice *choice, uint16_t route)
{
	if (route)
		choice->routes[route].sessions++;
}
