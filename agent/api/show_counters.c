// SPDX-License-Identifier: Apache-2.0
/* Drops and other counters: the data plane's and the agent's, added up. */
#include <sys/resource.h>

#include "agent/api/api_internal.h"

struct text {
	const char *name;
	const char *text;
};

static const struct text drop_texts[] = { { 0 },
#define X(name, id, text) { id, text },
					  FL_DROP_REASONS(X)
#undef X
};

static const struct text stat_texts[] = { { 0 },
#define X(name, id, text) { id, text },
					  FL_STATS(X)
#undef X
};

static void add_counter(struct fl_json *list, const char *name_key, const struct text *text,
			const char *count_key, uint64_t count)
{
	struct fl_json *o = fl_json_add_object(list, NULL);

	fl_json_add_string(o, name_key, text->name);
	fl_json_add_u64(o, count_key, count);
	fl_json_add_string(o, "meaning", text->text);
}

const char *fl_api_drop_text(enum fl_drop_reason reason, const char **ret_meaning)
{
	*ret_meaning = drop_texts[reason].text;
	return drop_texts[reason].name;
}

void fl_api_show_drops(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	struct fl_json *list = fl_json_add_array(fl_json_add_object(reply, "data"), "drops");
	const struct fl_tables *t = fl_dp_tables(api->dp);
	bool all = fl_json_get_bool(fl_json_member(request, "all"));
	struct fl_dp_counters counters;

	fl_dp_counters(api->dp, &counters);
	for (int i = 1; i < FL_DROP_MAX; i++) {
		uint64_t count = counters.drops[i] + t->drops[i];

		if (count || all)
			add_counter(list, "reason", &drop_texts[i], "packets", count);
	}
}

static void add_memory(struct fl_api *api, struct fl_json *data)
{
	static const char *const maps[] = { "flows",    "tags",        "flow_index", "sessions",
					    "nexthops", "source_bkts", "denials", "dups" };
	struct fl_json *o = fl_json_add_object(data, "memory-bytes");
	struct fl_engine_memory m;
	struct rusage usage;

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		fl_json_add_u64(o, maps[i], fl_dp_map_memory(api->dp, maps[i]));
	fl_engine_memory(api->engine, &m);
	fl_json_add_u64(o, "agent-flow-writer", m.flows);
	fl_json_add_u64(o, "agent-session-index", m.store);
	fl_json_add_u64(o, "agent-waypoints", m.waypoints);
	fl_json_add_u64(o, "agent-deadlines", m.deadlines);
	fl_json_add_u64(o, "agent-other", m.other);
	if (!getrusage(RUSAGE_SELF, &usage))
		fl_json_add_u64(o, "agent-peak-resident", (uint64_t)usage.ru_maxrss * 1024);
}

/* How BFD's thread fares. */
static void add_bfd(struct fl_api *api, struct fl_json *data)
{
	struct fl_json *o = fl_json_add_object(data, "bfd");
	struct fl_bfd_io_stats stats;

	fl_bfd_io_stats(api->bfd, &stats);
	fl_json_add_bool(o, "real-time", stats.realtime);
	fl_json_add_u64(o, "late", stats.late);
	fl_json_add_u64(o, "not-sent", stats.refused);
	fl_json_add_u64(o, "strangers", stats.strangers);
}

static void add_export(struct fl_api *api, struct fl_json *data)
{
	struct fl_json *o = fl_json_add_object(data, "export");
	struct fl_export_stats stats;

	fl_export_stats(api->export, &stats);
	fl_json_add_bool(o, "enabled", stats.enabled);
	if (!stats.enabled)
		return;
	fl_json_add_bool(o, "reader-connected", stats.reader);
	fl_json_add_u64(o, "records-written", stats.queue.written);
	fl_json_add_u64(o, "records-acknowledged", stats.queue.acked);
	fl_json_add_u64(o, "records-dropped", stats.queue.dropped);
	fl_json_add_u64(o, "records-skipped", stats.skipped);
	fl_json_add_u64(o, "queue-bytes", stats.queue.bytes);
}

void fl_api_show_stats(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	struct fl_json *data = fl_json_add_object(reply, "data");
	struct fl_json *list = fl_json_add_array(data, "stats");
	const struct fl_tables *t = fl_dp_tables(api->dp);
	bool all = fl_json_get_bool(fl_json_member(request, "all"));
	struct fl_dp_counters counters;

	fl_dp_counters(api->dp, &counters);
	for (int i = 1; i < FL_STAT_MAX; i++) {
		uint64_t count = counters.stats[i] + t->stats[i];

		if (count || all)
			add_counter(list, "name", &stat_texts[i], "count", count);
	}
	fl_json_add_u64(data, "sessions", fl_store_count(fl_engine_store(api->engine)));
	fl_json_add_u64(data, "flows", fl_flows_count(fl_engine_flows(api->engine)));
	fl_json_add_u64(data, "flows-indexed", fl_flows_indexed(fl_engine_flows(api->engine)));
	fl_json_add_u64(data, "capacity", t->max_sessions);
	fl_json_add_u64(data, "uptime-seconds",
			fl_mono_ms_between(api->started, fl_mono_now()) / 1000);
	add_bfd(api, data);
	add_memory(api, data);
	add_export(api, data);
}
