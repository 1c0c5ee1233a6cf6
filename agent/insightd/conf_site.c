// SPDX-License-Identifier: Apache-2.0
/* Sites of the configuration: which networks are managed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/insightd/conf_table.h"

struct site_walk {
	struct fl_site *site;
	struct fl_view_site *view;
	struct fl_conf_site *parts;
	char where[48];
	struct fl_conf_problems *problems;
};

static void load_name(struct site_walk *w, const char *where, const struct fl_json *value)
{
	const char *text = fl_json_get_string(value);

	if (!text || !*text || strlen(text) >= sizeof(w->site->name))
		fl_conf_problem(w->problems, where, "must be a text of 1 to %zu bytes",
				sizeof(w->site->name) - 1);
	else
		snprintf(w->site->name, sizeof(w->site->name), "%s", text);
	memcpy(w->view->name, w->site->name, sizeof(w->view->name));
}

static void load_zone(struct site_walk *w, const char *where, const struct fl_json *value)
{
	const char *text = fl_json_get_string(value);

	if (!text || strlen(text) >= sizeof(w->view->zone.name) ||
	    (*text && !fl_zone_is_known(text)))
		fl_conf_problem(w->problems, where,
				"must be a time zone of the tz database, as \"Europe/Berlin\"");
	else
		snprintf(w->view->zone.name, sizeof(w->view->zone.name), "%s", text);
}

/* How many; each is parsed into element @i of a list by @parse. */
static unsigned int load_list(struct site_walk *w, const char *where, const struct fl_json *value,
			      size_t max,
			      int (*parse)(const char *text, struct fl_conf_site *to, size_t i),
			      const char *kind)
{
	size_t count = fl_json_count(value);
	char at[80];

	if (fl_json_type(value) != FL_JSON_ARRAY || count > max) {
		fl_conf_problem(w->problems, where, "must be a list of at most %zu %s", max, kind);
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		const char *text = fl_json_get_string(fl_json_at(value, i));

		if (text && !parse(text, w->parts, i))
			continue;
		snprintf(at, sizeof(at), "%s/%zu", where, i);
		fl_conf_problem(w->problems, at, "must be one of: %s", kind);
	}
	return (unsigned int)count;
}

static int parse_lan(const char *text, struct fl_conf_site *to, size_t i)
{
	return fl_prefix_parse(text, &to->lans[i]);
}

static int parse_public(const char *text, struct fl_conf_site *to, size_t i)
{
	return fl_addr_parse(text, &to->publics[i]);
}

static int parse_pool(const char *text, struct fl_conf_site *to, size_t i)
{
	return fl_prefix_parse(text, &to->pools[i]);
}

static bool load_member(void *ctx, const char *key, struct fl_json *value)
{
	struct site_walk *w = ctx;
	char where[96];

	snprintf(where, sizeof(where), "%s/%.40s", w->where, key);
	if (!strcmp(key, "name"))
		load_name(w, where, value);
	else if (!strcmp(key, "time-zone"))
		load_zone(w, where, value);
	else if (!strcmp(key, "lans"))
		w->site->lan_count = load_list(w, where, value, FL_CONF_LANS_MAX, parse_lan,
					       "prefixes, as \"10.20.0.0/16\"");
	else if (!strcmp(key, "public-addresses"))
		w->site->wan_count = load_list(w, where, value, FL_CONF_PUBLICS_MAX, parse_public,
					       "addresses, as \"198.51.100.17\"");
	else if (!strcmp(key, "tunnel-pools"))
		w->site->tunnel_pool_count = load_list(w, where, value, FL_CONF_POOLS_MAX,
						       parse_pool, "prefixes, as \"10.99.0.0/16\"");
	else
		fl_conf_problem(w->problems, where, "there is no such key");
	return true;
}

static void load_site(const struct fl_json *value, size_t i, struct fl_conf *conf,
		      struct fl_conf_problems *problems)
{
	struct site_walk w = { .site = &conf->sites[i],
			       .view = &conf->view_sites[i],
			       .parts = &conf->site_parts[i],
			       .problems = problems };

	snprintf(w.where, sizeof(w.where), "/sites/%zu", i);
	w.site->lans = w.parts->lans;
	w.site->wans = w.parts->publics;
	w.site->tunnel_pools = w.parts->pools;
	if (fl_json_type(value) != FL_JSON_OBJECT) {
		fl_conf_problem(problems, w.where, "must be an object");
		return;
	}
	fl_json_for_each(value, load_member, &w);
	if (!fl_json_member(value, "name"))
		fl_conf_problem(problems, w.where, "has no name");
	for (size_t k = 0; k < i; k++) {
		if (*w.site->name && !strcasecmp(conf->sites[k].name, w.site->name))
			fl_conf_problem(problems, w.where, "has the name of /sites/%zu", k);
	}
}

int fl_conf_load_sites(const struct fl_json *list, struct fl_conf *conf,
		       struct fl_conf_problems *problems)
{
	size_t count = fl_json_count(list);

	if (fl_json_type(list) != FL_JSON_ARRAY || count > FL_CONF_SITES_MAX) {
		fl_conf_problem(problems, "/sites", "must be a list of at most %d sites",
				FL_CONF_SITES_MAX);
		return 0;
	}
	conf->sites = calloc(count + 1, sizeof(*conf->sites));
	conf->view_sites = calloc(count + 1, sizeof(*conf->view_sites));
	conf->site_parts = calloc(count + 1, sizeof(*conf->site_parts));
	if (!conf->sites || !conf->view_sites || !conf->site_parts)
		return -ENOMEM;
	conf->site_count = count;
	for (size_t i = 0; i < count; i++)
		load_site(fl_json_at(list, i), i, conf, problems);
	return 0;
}

static void print_prefixes(struct fl_json *to, const char *key, const struct fl_prefix *list,
			   unsigned int count)
{
	struct fl_json *out = fl_json_add_array(to, key);
	char text[FL_PREFIX_TEXT];

	for (unsigned int i = 0; i < count; i++)
		fl_json_add_string(out, NULL, fl_prefix_format(&list[i], text));
}

void fl_conf_print_sites(const struct fl_conf *conf, struct fl_json *to)
{
	struct fl_json *list = fl_json_add_array(to, "sites");
	char text[FL_ADDR_TEXT];

	for (size_t i = 0; i < conf->site_count; i++) {
		const struct fl_site *site = &conf->sites[i];
		struct fl_json *o = fl_json_add_object(list, NULL), *addrs;

		fl_json_add_string(o, "name", site->name);
		fl_json_add_string(o, "time-zone", conf->view_sites[i].zone.name);
		print_prefixes(o, "lans", site->lans, site->lan_count);
		addrs = fl_json_add_array(o, "public-addresses");
		for (unsigned int k = 0; k < site->wan_count; k++)
			fl_json_add_string(addrs, NULL, fl_addr_format(&site->wans[k], text));
		print_prefixes(o, "tunnel-pools", site->tunnel_pools, site->tunnel_pool_count);
	}
}
