// SPDX-License-Identifier: Apache-2.0
/* Performance monitoring: what user packets say about each path, class and protocol. */
#include "agent/api/api_internal.h"

static const char *const class_texts[FL_FPM_CLASSES] = { [FL_FPM_HIGH] = "high",
							 [FL_FPM_MEDIUM] = "medium",
							 [FL_FPM_LOW] = "low",
							 [FL_FPM_BEST_EFFORT] = "best-effort" };
static const char *const proto_texts[FL_FPM_PROTOS] = {
	[FL_FPM_UDP] = "udp", [FL_FPM_TCP] = "tcp"
};

/* A measure only while it is valid. */
static void add_measure(struct fl_json *o, const struct fl_fpm_metrics *m, uint8_t what,
			const char *key, double value)
{
	if (m->quality.has & what)
		fl_json_add_double(o, key, value);
}

static void add_scope(struct fl_api *api, struct fl_json *list, uint16_t path, uint32_t scope)
{
	const struct fl_path_rt *rt = fl_fabric_path(api->fabric, path);
	enum fl_fpm_class class = (enum fl_fpm_class)(scope / FL_FPM_PROTOS);
	enum fl_fpm_proto proto = (enum fl_fpm_proto)(scope % FL_FPM_PROTOS);
	struct fl_mono now = fl_mono_now();
	struct fl_fpm_metrics m;
	struct fl_json *o;

	if (!fl_fpm_watch_get(api->fpm, path, class, proto, now, &m))
		return;
	o = fl_json_add_object(list, NULL);
	fl_json_add_u64(o, "path", path);
	fl_json_add_string(o, "peer", fl_fabric_peer(api->fabric, rt->peer)->name);
	fl_json_add_string(o, "interface", fl_fabric_netif(api->fabric, rt->iface)->name);
	fl_json_add_string(o, "class", class_texts[class]);
	fl_json_add_string(o, "protocol", proto_texts[proto]);
	fl_json_add_string(o, "status", m.valid ? "valid" : m.quality.has ? "partial" : "stale");
	fl_json_add_bool(o, "monitor-only", m.monitor_only);
	add_measure(o, &m, FL_QUALITY_LATENCY, "latency-ms", m.quality.latency_us / 1e3);
	add_measure(o, &m, FL_QUALITY_JITTER, "jitter-ms", m.quality.jitter_us / 1e3);
	add_measure(o, &m, FL_QUALITY_LOSS, "loss-percent", m.quality.loss_ppm / 1e4);
	if (m.mos_x100)
		fl_json_add_double(o, "mos", m.mos_x100 / 1e2);
	fl_json_add_u64(o, "samples", m.samples);
	fl_json_add_u64(o, "marked", m.sent);
	fl_json_add_u64(o, "counted", m.received);
	fl_json_add_u64(o, "age-seconds", fl_mono_ms_between(m.last.at, now) / 1000);
}

void fl_api_show_fpm(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	struct fl_json *list = fl_json_add_array(fl_json_add_object(reply, "data"), "scopes");

	(void)request;
	for (uint16_t id = 1; id <= fl_fabric_path_limit(api->fabric); id++)
		for (uint32_t scope = 0; scope < FL_PATH_SCOPES; scope++)
			add_scope(api, list, id, scope);
}
