/* SPDX-License-Identifier: Apache-2.0 */
/*
 * insightd without its sockets: the store with its upkeep, the Zoom side, the ranking of what came,
 * and the views. What serves or feeds these (control socket, web page, routers' export) is started
 * beside it, by fl_service_start() and main.c. The loop's thread only.
 */
#ifndef FL_AGENT_INSIGHTD_SERVICE_H
#define FL_AGENT_INSIGHTD_SERVICE_H

#include <systemd/sd-event.h>

#include "agent/insight/explain.h"
#include "agent/insight/ingest.h"
#include "agent/insight/store.h"
#include "agent/insight/view.h"
#include "agent/insightd/conf.h"
#include "agent/insightd/routers.h"
#include "agent/insightd/sink.h"
#include "agent/zoom/zoom.h"

struct fl_service {
	/* Set by the caller before fl_service_start(), borrowed. */
	sd_event *event;
	const struct fl_conf *conf;
	const char *state_dir; /* exists, nobody else's */

	unsigned int generation; /* counts starts: what an earlier one began will not end */
	struct fl_score_cfg mos;
	struct fl_store *store;
	struct fl_store_health health;
	struct fl_explainer *explainer;
	struct fl_ingest *ingest;
	struct fl_sink sink;
	struct fl_zoom *zoom;       /* NULL: not enabled */
	struct fl_routers *routers; /* same */
	struct fl_view view;

	sd_event_source *tidy;
	sd_event_source *rank;
	sd_event_source *reopen; /* after the store was found damaged */
	/* Ranking goes through calls by their numbers; see service.c. */
	uint64_t rank_at;
	uint64_t rank_floor[2];
	int64_t rank_floor_s, rank_began_s;
	bool rank_again;
	/* Routers told of this time when its calls may have been ranked already; to_s 0: of none.
	 */
	struct fl_receiver_span late;
	uint64_t late_at; /* number of the last of these calls that was ranked again */
};

/**
 * fl_service_start() - open everything and begin to work
 *
 * What went wrong was logged. Return: 0 or -errno, with nothing left open.
 */
int fl_service_start(struct fl_service *service);
/* Takes one that is not started; may be started again. */
void fl_service_stop(struct fl_service *service);

/* A router told something, of this time late: its calls may have been ranked without it. */
void fl_service_router_came(struct fl_service *service, const struct fl_receiver_span *late);

/* Somebody could not read the store: if its file is damaged, it is opened anew, soon. */
void fl_service_store_failed(struct fl_service *service, int err);

/**
 * fl_service_hook() - a request to the webhook's URL, from whoever serves it
 * @reply: gets the body of the answer
 *
 * Return: the HTTP status to answer with.
 */
int fl_service_hook(struct fl_service *service, const struct fl_zoom_hook_request *request,
		    char *reply, size_t size);

/* The app of the configuration, for linking; wiped by the caller. */
struct fl_zoom_app fl_service_app(const struct fl_service *service);

/* What of an organisation may be kept, as the configuration has it now: later it may become less,
 * not more. @org "": the configuration's. */
struct fl_zoom_link fl_service_link(const struct fl_service *service, const char *org,
				    const char *consent_by);

#endif
