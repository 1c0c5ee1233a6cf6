// SPDX-License-Identifier: Apache-2.0
/* The parts of insightd and what they do by the clock: see service.h. */
#include "agent/insightd/service.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/log.h"
#include "agent/base/monotime.h"
#include "agent/codec/json.h"

#define TIDY_US       (600 * 1000000ULL)
#define TIDY_MORE_US  50000
#define RANK_US       (60 * 1000000ULL)
#define RANK_STEP_US  1000
#define RANK_AFTER_US (2 * 1000000ULL) /* of a meeting: others may follow */
#define FLOOR_S       3600
#define LATE_AFTER_US (5 * 1000000ULL) /* of what is late: more of it follows */

static int64_t wall_s(void)
{
	return (int64_t)(fl_wall_now_ns() / FL_NS_PER_S);
}

static void arm(sd_event_source *source, uint64_t us)
{
	sd_event_source_set_time_relative(source, us);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void damaged(void *ctx)
{
	struct fl_service *s = ctx;

	sd_event_source_set_enabled(s->reopen, SD_EVENT_ONESHOT);
}

/* What the clock began failed; it comes again. */
static void failed(struct fl_service *s, int err, const char *what)
{
	static struct fl_log_rate rate;

	if (err == -EUCLEAN)
		damaged(s);
	else
		fl_log_ratelimited(&rate, FL_LOG_WARNING, "%s: %s, trying again later", what,
				   strerror(-err));
}

void fl_service_store_failed(struct fl_service *service, int err)
{
	if (err == -EUCLEAN)
		damaged(service);
}

/* --- retention ----------------------------------------------------------------------------------
 */

static int on_tidy(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct fl_service *s = userdata;
	int more = fl_store_tidy(s->store, wall_s());

	(void)usec;
	if (more < 0)
		failed(s, more, "the store cannot be tidied up");
	arm(source, more > 0 ? TIDY_MORE_US : TIDY_US);
	return 0;
}

/* --- ranking ------------------------------------------------------------------------------------
 */

/*
 * Calls with bad minutes that have no cause yet are ranked one at a time, when there is nothing
 * else to do, in the order of their numbers. Those with too little data stay without: the router's
 * figures may come late, so those of the last hour or two are tried again; @rank_floor are the
 * numbers that were reached an hour and two hours ago. At the start all are tried.
 */
static void pass_begins(struct fl_service *s)
{
	int64_t now_s = wall_s();

	if (now_s - s->rank_floor_s >= FLOOR_S) {
		s->rank_floor[0] = s->rank_floor[1];
		s->rank_floor[1] = s->rank_at;
		s->rank_floor_s = now_s;
	}
	s->rank_at = s->rank_floor[0];
	s->rank_began_s = now_s;
	s->rank_again = false;
}

static int rank_call(struct fl_service *s, uint64_t id)
{
	struct fl_call call;
	int err = fl_store_call(s->store, id, &call);

	if (!err)
		err = fl_ingest_again(s->ingest, &call);
	if (!err)
		err = fl_store_call(s->store, id, &call);
	if (!err)
		err = fl_explain_keep(s->explainer, &call, wall_s());
	/* Removed meanwhile: no matter. */
	return err == -ENOENT ? 0 : err;
}

/* Return: 1 if there was a call, 0 at the end of the pass, -errno. */
static int rank_one(struct fl_service *s)
{
	uint64_t id;
	int err = fl_store_next_unranked(s->store, s->rank_at, &id);

	if (!err)
		err = rank_call(s, id);
	if (err)
		return err == -ENOENT ? 0 : err;
	s->rank_at = id;
	return 1;
}

/* The same for calls of a time that routers have told of late, whatever was said of them before. */
static int rank_late(struct fl_service *s)
{
	uint64_t id;
	int err;

	if (!s->late.to_s)
		return 0;
	/* Models were made without it. */
	if (!s->late_at)
		fl_explainer_forget(s->explainer);
	err = fl_store_next_call(s->store, s->late_at, s->late.from_s, s->late.to_s, &id);
	if (err == -ENOENT)
		s->late = (struct fl_receiver_span){ 0 };
	if (!err)
		err = rank_call(s, id);
	if (err)
		return err == -ENOENT ? 0 : err;
	s->late_at = id;
	return 1;
}

static int on_rank(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct fl_service *s = userdata;
	int more = rank_one(s);

	(void)usec;
	if (!more)
		more = rank_late(s);
	if (more < 0)
		failed(s, more, "bad minutes cannot be ranked");
	if (more > 0) {
		arm(source, RANK_STEP_US);
	} else if (!more && s->rank_again &&
		   wall_s() - s->rank_began_s >= (int64_t)(RANK_US / 1000000)) {
		pass_begins(s);
		arm(source, RANK_STEP_US);
	} else {
		arm(source, RANK_US);
	}
	return 0;
}

static void stored(void *ctx)
{
	struct fl_service *s = ctx;

	s->rank_again = true;
	arm(s->rank, RANK_AFTER_US);
}

void fl_service_router_came(struct fl_service *service, const struct fl_receiver_span *late)
{
	struct fl_service *s = service;

	s->rank_again = true;
	if (!late->to_s)
		return;
	if (!s->late.to_s)
		arm(s->rank, LATE_AFTER_US);
	if (!s->late.to_s || late->from_s < s->late.from_s)
		s->late.from_s = late->from_s;
	if (late->to_s > s->late.to_s)
		s->late.to_s = late->to_s;
	s->late_at = 0;
}

/* --- parts --------------------------------------------------------------------------------------
 */

static int open_store(struct fl_service *s)
{
	const struct fl_conf *c = s->conf;
	char path[512];
	const struct fl_store_cfg cfg = { .path = path,
					  .mos = &s->mos,
					  .minute_days = c->store.minute_days,
					  .meeting_days = c->store.meeting_days,
					  .quota_bytes = (uint64_t)c->store.quota_mib << 20,
					  .now_s = (uint64_t)wall_s() };
	int err;

	s->mos = fl_score_default;
	s->mos.model = (enum fl_score_model)c->score_model;
	snprintf(path, sizeof(path), "%s/insight.db", s->state_dir);
	err = fl_store_open(&cfg, &s->health, &s->store);
	if (err == -EPROTO)
		fl_error("%s is of a newer version of this program", path);
	else if (err)
		fl_log_err(err, "cannot open the store %s", path);
	if (s->health.quarantined)
		fl_error("the store was damaged (%s): it is put aside as %s, and Zoom is asked for "
			 "everything again",
			 s->health.problem, s->health.put_aside_as);
	return err;
}

static void accounts(void *ctx, const char *org, struct fl_json *to)
{
	struct fl_service *s = ctx;

	if (s->zoom) {
		fl_zoom_status_json(s->zoom, *org ? org : s->conf->org, to);
		return;
	}
	fl_json_add_bool(to, "linked", false);
	fl_json_add_array(to, "accounts");
}

static int open_insight(struct fl_service *s)
{
	const struct fl_conf *c = s->conf;
	int err = fl_explainer_new(s->store, &s->mos, &s->explainer);

	if (!err)
		err = fl_ingest_new(s->store, c->sites, c->site_count, &s->ingest);
	if (err) {
		fl_log_err(err, "cannot prepare sites and models");
		return err;
	}
	s->sink = (struct fl_sink){ .store = s->store,
				    .ingest = s->ingest,
				    .discard_guests = c->zoom.discard_guests,
				    .stored = stored,
				    .damaged = damaged,
				    .ctx = s };
	fl_sink_init(&s->sink);
	s->view = (struct fl_view){ .store = s->store,
				    .explainer = s->explainer,
				    .mos = &s->mos,
				    .sites = c->view_sites,
				    .site_count = c->site_count,
				    .accounts = accounts,
				    .ctx = s };
	return 0;
}

static int open_zoom(struct fl_service *s)
{
	const struct fl_conf *c = s->conf;
	char dir[512], keys[512], key[560];
	struct fl_zoom_cfg cfg = { .dir = dir,
				   .key_path = key,
				   .http = { .ca_file = *c->zoom.ca_file ? c->zoom.ca_file : NULL,
					     .allow_private = c->zoom.allow_private },
				   .settings = fl_zoom_settings_default(),
				   .hook_secret =
					   *c->zoom.webhook_secret ? c->zoom.webhook_secret : NULL,
				   .hold_ms = c->zoom.start_delay_s * 1000 };
	int err = 0;

	snprintf(dir, sizeof(dir), "%s/credentials", s->state_dir);
	snprintf(keys, sizeof(keys), "%s/keys", s->state_dir);
	snprintf(key, sizeof(key), "%s/zoom.key", keys);
	cfg.settings.live = c->zoom.live;
	cfg.settings.business = c->zoom.business;
	cfg.settings.discard_guests = c->zoom.discard_guests;
	cfg.settings.keep_topic = c->zoom.keep_topic;
	cfg.settings.keep_comments = c->zoom.keep_comments;
	cfg.settings.keep_phone_numbers = c->zoom.keep_phone_numbers;
	cfg.settings.max_daily = c->zoom.max_daily;
	cfg.settings.first_days = c->zoom.first_days;
	cfg.settings.rate_scale = c->zoom.rate_pct / 100.0;
	if (mkdir(keys, 0700) < 0 && errno != EEXIST)
		err = -errno;
	if (!err)
		err = fl_zoom_new(s->event, &cfg, &s->sink.zoom, &s->zoom);
	if (err)
		fl_log_err(err, "cannot use the credentials in %s, or the key %s", dir, key);
	return err;
}

static void router_came(void *ctx, const struct fl_receiver_span *late)
{
	fl_service_router_came(ctx, late);
}

static int open_routers(struct fl_service *s)
{
	const struct fl_routers_cfg cfg = { .pattern = s->conf->routers,
					    .store = s->store,
					    .came = router_came,
					    .damaged = damaged,
					    .ctx = s };
	int err = fl_routers_new(s->event, &cfg, &s->routers);

	if (err)
		fl_log_err(err, "cannot look for routers");
	return err;
}

static int on_reopen(sd_event_source *source, void *userdata)
{
	struct fl_service *s = userdata;
	int err;

	(void)source;
	fl_error("the store is damaged, opening it anew");
	fl_service_stop(s);
	err = fl_service_start(s);
	return err ? sd_event_exit(s->event, err) : 0;
}

static int add_timers(struct fl_service *s)
{
	int err = sd_event_add_time_relative(s->event, &s->tidy, CLOCK_MONOTONIC, 1000000, 0,
					     on_tidy, s);

	if (err >= 0)
		err = sd_event_add_time_relative(s->event, &s->rank, CLOCK_MONOTONIC, RANK_AFTER_US,
						 0, on_rank, s);
	if (err >= 0)
		err = sd_event_source_set_priority(s->rank, SD_EVENT_PRIORITY_IDLE);
	if (err >= 0)
		err = sd_event_add_defer(s->event, &s->reopen, on_reopen, s);
	if (err >= 0)
		err = sd_event_source_set_enabled(s->reopen, SD_EVENT_OFF);
	return err < 0 ? err : 0;
}

int fl_service_start(struct fl_service *service)
{
	struct fl_service *s = service;
	int err = add_timers(s);

	s->generation++;
	s->rank_at = s->rank_floor[0] = s->rank_floor[1] = 0;
	s->rank_floor_s = s->rank_began_s = wall_s();
	s->late = (struct fl_receiver_span){ 0 };
	if (!err)
		err = open_store(s);
	if (!err)
		err = open_insight(s);
	if (!err && s->conf->enabled)
		err = open_zoom(s);
	if (!err && s->conf->enabled)
		err = open_routers(s);
	if (err)
		fl_service_stop(s);
	return err;
}

void fl_service_stop(struct fl_service *service)
{
	struct fl_service *s = service;

	fl_routers_free(s->routers);
	fl_zoom_free(s->zoom);
	fl_ingest_free(s->ingest);
	fl_explainer_free(s->explainer);
	fl_store_close(s->store);
	sd_event_source_disable_unref(s->tidy);
	sd_event_source_disable_unref(s->rank);
	sd_event_source_disable_unref(s->reopen);
	s->routers = NULL;
	s->zoom = NULL;
	s->ingest = NULL;
	s->explainer = NULL;
	s->store = NULL;
	s->tidy = s->rank = s->reopen = NULL;
	s->view = (struct fl_view){ 0 };
}

/* --- for those who serve ------------------------------------------------------------------------
 */

int fl_service_hook(struct fl_service *service, const struct fl_zoom_hook_request *request,
		    char *reply, size_t size)
{
	struct fl_zoom_hook hook;
	int status, err = 0;

	*reply = '\0';
	if (!service->zoom || !*service->conf->zoom.webhook_secret)
		return 404;
	status = fl_zoom_hook(service->zoom, request, &hook, reply, size);
	if (status != 200)
		return status;
	err = fl_sink_hook(&service->sink, &hook);
	if (err)
		fl_zoom_hook_again(service->zoom, &hook);
	fl_zoom_hook_done(&hook);
	if (err)
		failed(service, err, "what a webhook said cannot be stored");
	return err ? 503 : status;
}

struct fl_zoom_app fl_service_app(const struct fl_service *service)
{
	const struct fl_conf *c = service->conf;
	struct fl_zoom_app app = { 0 };

	memcpy(app.client_id, c->zoom.client_id, sizeof(app.client_id));
	memcpy(app.client_secret, c->zoom.client_secret, sizeof(app.client_secret));
	memcpy(app.redirect_uri, c->zoom.redirect_uri, sizeof(app.redirect_uri));
	memcpy(app.oauth_base, c->zoom.oauth_base, sizeof(app.oauth_base));
	memcpy(app.api_base, c->zoom.api_base, sizeof(app.api_base));
	return app;
}

struct fl_zoom_link fl_service_link(const struct fl_service *service, const char *org,
				    const char *consent_by)
{
	const struct fl_conf *c = service->conf;
	struct fl_zoom_link link = { .discard_guests = c->zoom.discard_guests,
				     .keep_topic = c->zoom.keep_topic,
				     .keep_comments = c->zoom.keep_comments,
				     .keep_phone_numbers = c->zoom.keep_phone_numbers };

	snprintf(link.org, sizeof(link.org), "%s", *org ? org : c->org);
	snprintf(link.consent_by, sizeof(link.consent_by), "%s", consent_by);
	return link;
}
