/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people look at, as JSON: the one set of answers behind the control socket, the CLI and the
 * web page. Reads the store, never writes to it.
 *
 * All functions fill the object @to and return 0 or -errno: -ENOENT for a site, client or call that
 * is not there, -EINVAL for a time that ends before it begins or is too long, else the store's.
 * Times are seconds since 1970 UTC, a time is [from_s, to_s), figures that nobody measured are
 * null. Latency and jitter are ms, loss, CPU and utilisation per cent, RSSI dBm. A MAC is twelve
 * hex digits or "", an address "" if it is not known.
 */
#ifndef FL_AGENT_INSIGHT_VIEW_H
#define FL_AGENT_INSIGHT_VIEW_H

#include "agent/insight/civil.h"
#include "agent/insight/explain.h"
#include "agent/insight/store.h"

struct fl_json;

/* What the configuration says of a site. */
struct fl_view_site {
	char name[FL_SITE_NAME_LEN];
	struct fl_zone zone;
};

/* Everything is borrowed. */
struct fl_view {
	struct fl_store *store;
	struct fl_explainer *explainer;
	const struct fl_score_cfg *mos; /* NULL: the default */
	const struct fl_view_site *sites;
	size_t site_count;
	/* The Zoom side's answer, see fl_view_accounts(). NULL: nothing is linked. */
	void (*accounts)(void *ctx, const char *org, struct fl_json *to);
	void *ctx;
};

struct fl_view_span {
	int64_t from_s, to_s;
};

/* --- sites --------------------------------------------------------------------------------------
 */

/* {"sites": [{"id": 1, "name": "hq", "time_zone": "Europe/Berlin" ("" UTC), "managed": true}]}
 * managed: the configuration names it, so participants are matched to it. */
int fl_view_sites(const struct fl_view *view, struct fl_json *to);

/* Number of a site by its name, or by its number as text. */
int fl_view_find_site(const struct fl_view *view, const char *text, uint32_t *ret_site);

/* Local time of a site; UTC if nothing is known of it. */
struct fl_zone fl_view_zone(const struct fl_view *view, uint32_t site);

/*
 * {"site": 1, "name": "hq", "start": 1720708200, "end": 1720711800, "interval": 600,
 *  "series": {"latency.audio_in": [31.2, null, ...], ... "jitter.*", "loss.*" (audio, video and
 *  screen, each _in and _out), "cpu": [...], "wan-avg-latency": [...]}}
 * Value i is of the bucket at start + i * interval; 600 s when the time is under a day, else 3600.
 */
int fl_view_series(const struct fl_view *view, uint32_t site, struct fl_view_span span,
		   struct fl_json *to);

/* As product/calls_summary.json: {"total_minutes", "bad_minutes", "bad_minutes_client",
 * "bad_minutes_site_wan", "bad_minutes_wireless", "num_users"}; besides those
 * "bad_minutes_unexplained", "bad_minutes_unranked" and
 * "feedback": {"poor": 1, "average": 0, "good": 2} (people: the histogram). */
int fl_view_summary(const struct fl_view *view, uint32_t site, struct fl_view_span span,
		    struct fl_json *to);

/* Who is behind a point of the CPU graph, highest first: {"clients": [{"client": 3, "mac",
 * "hostname", "cpu": 88.0 (mean)}]}. @span: of the bucket, at most a day. */
int fl_view_cpu(const struct fl_view *view, uint32_t site, struct fl_view_span span,
		struct fl_json *to);

/* --- clients ------------------------------------------------------------------------------------
 */

/* {"start", "end", "total": 2, "results": [{"client": 3, "mac": "0a1b2c3d4e02", "hostname",
 *  "ip", "user", "min_rating": 1 or null, "calls": 2, "last_join": 1720708222}]}, last one first.
 * @site 0: of all sites, each row with "site" and "site_name". */
int fl_view_clients(const struct fl_view *view, uint32_t site, struct fl_view_span span,
		    struct fl_json *to);

/* By host name, MAC, address, or number as text; the one seen last. @site 0: of any. */
int fl_view_find_client(const struct fl_view *view, const char *text, uint32_t site,
			uint32_t *ret_client);

/*
 * {"client": 3, "mac", "hostname", "ip", "user", "site": 1, "site_name": "hq",
 *  "start", "end", "timestamps": [1720708260, ...],
 *  "series": {"latency.audio_in": [...], ... "cpu": [...], "rssi": [...],
 *             "wan-latency": [...] (of the path that carried the minute)}}
 * One value a minute that the client was in a call, as many in each series as timestamps, at most
 * FL_VIEW_MINUTES of them: "truncated" says that there are more.
 */
#define FL_VIEW_MINUTES 10080
int fl_view_client(const struct fl_view *view, uint32_t client, struct fl_view_span span,
		   struct fl_json *to);

/* --- calls --------------------------------------------------------------------------------------
 */

/*
 * As product/calls_search.json: {"start", "end", "limit", "offset", "total",
 *  "results": [{"app", "mac", "hostname", "ip", "meeting_id", "meeting_uuid", "join_time",
 *   "leave_time" (null: still in), "duration" (s), "usage_bytes" (null: not known),
 *   "audio_quality": {"label": "fair", "display": "Fair (MOS 3-4)", "mos_range": "3-4",
 *    "mos": 3.42 (only if Zoom tells it: QSS add-on)},
 *   "video_quality", "screen_share_quality", "rating" (null: none), "has_feature_ranking"}]}
 * Each result has besides those "call" (its number), "client", "site", "site_name", "user",
 * "minutes", "bad_minutes", "vpn", "network", "connection", "match" (the rule). Newest first.
 * filter->limit 0: 100.
 */
int fl_view_calls(const struct fl_view *view, const struct fl_call_filter *filter,
		  struct fl_json *to);

/* {"call": {as a result of fl_view_calls()}, "minutes": [{"timestamp", "bad": true,
 *  "bad_streams": ["audio_in"], "cause": "wan" (null: not bad, or not ranked), "path": "wan1" or
 * null, "mos": {"audio_in": 3.1, ...}, "latency": {"audio_in": 80.0, ...}}]} */
int fl_view_call(const struct fl_view *view, uint64_t call, struct fl_json *to);

/* The last call in a time whose meeting has this id or UUID; "CALL" as text is its number. */
int fl_view_find_call(const struct fl_view *view, const char *text, struct fl_view_span span,
		      uint64_t *ret_call);

/*
 * As product/feature_ranking.json, a result for each bad minute: {"app", "mac", "meeting_id",
 *  "call", "results": [{"timestamp", "stream", "metric": "latency_ms", "observed", "expected",
 *   "contributions": {"wan_rtt": 116.4, ...}, "unexplained", "categories": {"wan", "client",
 *   "wireless"}, "dominant": "wan" or "none", "method"}]}
 * Each result has besides those "verdict": "explained", "unexplained" or "insufficient" (then
 * observed is all there is), "not_wan", "top" (feature of the dominant category),
 * "features": {"wan_rtt": 180.0 or null, ...} as measured, "capacity": {"download_mbps",
 * "upload_mbps"}.
 * @stream: to rank; FL_STREAM_MAX: the worst of each minute.
 */
int fl_view_ranking(const struct fl_view *view, uint64_t call, enum fl_stream stream, int64_t now_s,
		    struct fl_json *to);

/* --- events -------------------------------------------------------------------------------------
 */

/*
 * Events of calls between the router's own, in order of time: {"totals": {"good": 3, "neutral": 0,
 *  "bad": 2}, "events": [...]}. Those of calls as in product/client_events.json (type, display,
 *  severity, timestamp, mac, app, meeting_id, reason, audio_quality, video_quality, description)
 *  and "source": "call", "call", "client", "hostname"; those of the router {"source": "router",
 *  "type": "PATH_DOWN", "display": "Path down", "severity", "timestamp", "subject",
 *  "description"}. @client 0: all of the site, without HIGH_CPU_OBSERVED.
 */
int fl_view_events(const struct fl_view *view, uint32_t site, uint32_t client,
		   struct fl_view_span span, struct fl_json *to);

/* --- the rest -----------------------------------------------------------------------------------
 */

/* As product/account_status.json: {"linked": true, "accounts": [...]}. */
int fl_view_accounts(const struct fl_view *view, const char *org, struct fl_json *to);

/* What to look at when there is no data: {"has_data": false, "items": [{"key": "plan", "state":
 * "ok", "problem" or "unknown", "text": "..."}]}. */
int fl_view_checklist(const struct fl_view *view, const char *org, struct fl_json *to);

/* A question in words: {"question", "answer": text of several lines}. @site: whose local time is
 * meant, 0 the first one's. */
int fl_view_ask(const struct fl_view *view, const char *question, uint32_t site, int64_t now_s,
		struct fl_json *to);

/* {"file_bytes", "free_bytes", "meetings", "calls", "participant_minutes"} */
int fl_view_store(const struct fl_view *view, struct fl_json *to);

#endif
