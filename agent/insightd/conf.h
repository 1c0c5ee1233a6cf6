/* SPDX-License-Identifier: Apache-2.0 */
/*
 * insightd's own configuration: /etc/fairlead/insight.json. One table of keys loads, checks, prints
 * and describes it (schemas/insight.schema.json). Loaded as a whole or not at all; what is absent
 * has its default.
 */
#ifndef FL_AGENT_INSIGHTD_CONF_H
#define FL_AGENT_INSIGHTD_CONF_H

#include "agent/codec/json.h"
#include "agent/insight/correlate.h"
#include "agent/insight/score.h"
#include "agent/insight/view.h"
#include "agent/zoom/oauth.h"

#define FL_CONF_SITES_MAX    4096
#define FL_CONF_LANS_MAX     64
#define FL_CONF_PUBLICS_MAX  16
#define FL_CONF_POOLS_MAX    16
#define FL_CONF_BODY_MAX     (4 << 20) /* bytes of the file */
#define FL_CONF_PATH_LEN     256
#define FL_CONF_PROBLEMS_MAX 32

struct fl_conf_site {
	struct fl_prefix lans[FL_CONF_LANS_MAX];
	struct fl_addr publics[FL_CONF_PUBLICS_MAX];
	struct fl_prefix pools[FL_CONF_POOLS_MAX];
};

struct fl_conf {
	bool enabled; /* off until somebody opted in */
	char org[FL_ZOOM_ORG_LEN];
	char routers[FL_CONF_PATH_LEN]; /* pattern of their export sockets */
	struct {
		uint32_t minute_days;
		uint32_t meeting_days;
		uint32_t quota_mib;
	} store;
	uint32_t score_model; /* enum fl_score_model */
	struct {
		char listen[FL_CONF_PATH_LEN];
		char certificate[FL_CONF_PATH_LEN];
		char key[FL_CONF_PATH_LEN];
		char token[256];
		char host_names[512]; /* separated by spaces */
	} web;
	struct {
		char client_id[128];
		char client_secret[256];
		char redirect_uri[FL_ZOOM_URL_LEN];
		char oauth_base[FL_ZOOM_URL_LEN];
		char api_base[FL_ZOOM_URL_LEN];
		char ca_file[FL_CONF_PATH_LEN];
		char webhook_secret[256];
		bool allow_private;
		bool live;
		bool business;
		bool discard_guests;
		bool keep_topic;
		bool keep_comments;
		bool keep_phone_numbers;
		uint32_t max_daily;
		uint32_t first_days;
		uint32_t rate_pct;
		uint32_t start_delay_s;
	} zoom;
	/* All of these have as many elements. */
	size_t site_count;
	struct fl_site *sites; /* of prefixes and addresses in @site_parts */
	struct fl_view_site *view_sites;
	struct fl_conf_site *site_parts;
};

/* What is wrong, in the order of the file; each for a person to read. */
struct fl_conf_problems {
	char text[FL_CONF_PROBLEMS_MAX][256];
	size_t count; /* may be more than there is text for */
};

/**
 * fl_conf_load() - read and check a text
 *
 * Return: 0 with *ret_conf for the caller to free; -EINVAL with @problems filled; -ENOMEM.
 */
int fl_conf_load(const char *text, size_t len, struct fl_conf **ret_conf,
		 struct fl_conf_problems *problems);
/* The same of a file; its absence and the like are -errno, and a problem too. */
int fl_conf_load_file(const char *path, struct fl_conf **ret_conf,
		      struct fl_conf_problems *problems);
/* Takes NULL; secrets are wiped. */
void fl_conf_free(struct fl_conf *conf);

/* Every key with its value, secrets left out; can be loaded again but for those. */
void fl_conf_print(const struct fl_conf *conf, struct fl_json *to);

/* JSON schema, 2020-12. */
void fl_conf_schema(struct fl_json *to);

#endif
