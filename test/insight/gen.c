// SPDX-License-Identifier: Apache-2.0
/* Synthetic calls: see gen.h. The model under test knows none of the figures used here. */
#include "test/insight/gen.h"

#include <string.h>

void gen_init(struct gen *g, uint64_t seed)
{
	g->state = seed * 0x9e3779b97f4a7c15ULL + 1;
}

/* splitmix64 */
static uint64_t next(struct gen *g)
{
	uint64_t z = g->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

double gen_between(struct gen *g, double low, double high)
{
	return low + (high - low) * (double)(next(g) >> 11) / (double)(1ULL << 53);
}

static bool chance(struct gen *g, double p)
{
	return gen_between(g, 0, 1) < p;
}

/* Figures come from Zoom as whole milliseconds and tenths of a per cent. */
static double whole(double v)
{
	return round(fmax(v, 0));
}

static double tenths(double v)
{
	return round(fmax(v, 0) * 10) / 10;
}

static void healthy_wan(struct gen *g, struct gen_call *call, int64_t minute)
{
	double base = gen_between(g, 12, 45), load = gen_between(g, 0.1, 0.5);
	double clients = whole(gen_between(g, 10, 80));

	for (unsigned int n = 0; n < call->minute_count; n++) {
		struct fl_path_minute *w = &call->wan[n];

		*w = fl_path_minute_none(1, minute + n);
		w->rtt_ms = whole(base + gen_between(g, -4, 4));
		w->jitter_ms = whole(gen_between(g, 1, 4));
		w->loss_pct = 0;
		w->tx_capacity_mbps = 50;
		w->rx_capacity_mbps = 100;
		w->tx_mbps = 50 * fmin(load + gen_between(g, -0.05, 0.05), 1);
		w->rx_mbps = 100 * fmin(load + gen_between(g, -0.05, 0.05), 1);
		w->clients = clients + whole(gen_between(g, 0, 4));
		w->zoom_bytes = whole(gen_between(g, 5e6, 2e7));
	}
}

/* What hurts in a minute, beyond the WAN's own figures. */
struct harm {
	double latency_ms;
	double jitter_ms;
	double loss_pct;
	double frames; /* share of the frames that are left */
};

static void congest(struct gen *g, struct fl_path_minute *w)
{
	w->rtt_ms = whole(w->rtt_ms + gen_between(g, 170, 320));
	w->jitter_ms = whole(gen_between(g, 18, 40));
	w->loss_pct = tenths(gen_between(g, 0.8, 4));
	w->tx_mbps = 50 * gen_between(g, 0.9, 1);
	w->rx_mbps = 100 * gen_between(g, 0.92, 1);
}

/* One or two minutes of loss, some of them without any answer; then the slower path. */
static void fail_over(struct gen *g, struct fl_path_minute *w, unsigned int since)
{
	if (since < 2) {
		w->loss_pct = tenths(gen_between(g, 12, 35));
		w->jitter_ms = whole(gen_between(g, 20, 60));
		w->rtt_ms = chance(g, 0.3) ? NAN : whole(gen_between(g, 150, 350));
		return;
	}
	w->path = 2;
	w->rtt_ms = whole(gen_between(g, 190, 280));
	w->jitter_ms = whole(gen_between(g, 10, 25));
	w->loss_pct = tenths(gen_between(g, 0.2, 1));
}

static void start_join(struct gen *g, struct gen_join *join)
{
	bool wifi = chance(g, 0.5);

	memset(join, 0, sizeof(*join));
	join->client.network = wifi ? FL_NETWORK_WIFI : FL_NETWORK_WIRED;
	join->client.conn = FL_CONN_UDP;
}

/* The features of a healthy minute; what is bad is put over them. */
static void healthy_minute(struct gen *g, struct gen_join *join, unsigned int n, int64_t minute)
{
	struct fl_call_minute *m = &join->minutes[n];

	*m = fl_call_minute_none(minute);
	m->cpu_system_pct = whole(gen_between(g, 20, 65));
	m->cpu_zoom_pct = whole(m->cpu_system_pct / 5);
	if (join->client.network == FL_NETWORK_WIFI)
		m->rssi_dbm = -whole(gen_between(g, 48, 66));
}

/* Fill in what Zoom measured: the WAN, the harm, and the client's own noise. */
static void measure(struct gen *g, struct fl_call_minute *m, const struct fl_path_minute *wan,
		    const struct harm *harm)
{
	/* A minute in which no probe came back is not one without delay. */
	double rtt = isnan(wan->rtt_ms) ? 250 : wan->rtt_ms;
	double base = 6 + rtt + 0.4 * wan->jitter_ms + 2 * wan->loss_pct + harm->latency_ms;

	for (enum fl_stream s = 0; s < FL_STREAM_JUDGED; s++) {
		struct fl_stream_minute *to = &m->streams[s];
		bool video = s >= FL_STREAM_VIDEO_IN;

		to->latency_ms = whole(base + gen_between(g, -6, 6) + (video ? 2 : 0));
		to->jitter_ms = whole(wan->jitter_ms + harm->jitter_ms + gen_between(g, 0, 2));
		to->loss_pct = tenths(wan->loss_pct + harm->loss_pct + gen_between(g, -0.2, 0.1));
		to->max_loss_pct = tenths(to->loss_pct * 2);
		to->bitrate_kbps =
			whole(video ? gen_between(g, 900, 1500) : gen_between(g, 55, 65));
		if (!video)
			continue;
		to->frame_rate = whole(gen_between(g, 24, 29) * harm->frames);
		to->width = 1280;
		to->height = 720;
	}
}

static void apply_decoy(struct gen *g, struct gen_call *call)
{
	struct gen_join *join = &call->joins[call->victim];

	if (call->decoy == GEN_DECOY_SPLIT_TUNNEL)
		join->client.vpn = true;
	if (call->decoy == GEN_DECOY_TCP)
		join->client.conn = FL_CONN_TCP;
	if (call->decoy == GEN_DECOY_RSSI)
		join->client.network = FL_NETWORK_WIFI;
	for (unsigned int n = 0; n < call->minute_count; n++) {
		if (call->decoy == GEN_DECOY_CPU)
			join->minutes[n].cpu_system_pct = whole(gen_between(g, 90, 100));
		if (call->decoy == GEN_DECOY_RSSI)
			join->minutes[n].rssi_dbm = -whole(gen_between(g, 74, 82));
		if (call->decoy == GEN_DECOY_FULL_LINK) {
			call->wan[n].rx_mbps = 100 * gen_between(g, 0.85, 0.97);
			call->wan[n].tx_mbps = 50 * gen_between(g, 0.8, 0.95);
		}
	}
}

/* How strongly a client's own trouble works: people and machines differ. */
struct strength {
	double per_unit;
	double tunnel_ms;
	double far_ms;
};

static struct harm hurt_client(struct gen *g, const struct gen_call *call, struct gen_join *join,
			       unsigned int n, const struct strength *strength)
{
	struct harm harm = { .frames = 1 };
	struct fl_call_minute *m = &join->minutes[n];

	switch (call->cause) {
	case GEN_WEAK_WIFI:
		m->rssi_dbm = -whole(gen_between(g, 79, 89));
		harm.latency_ms = (-67 - m->rssi_dbm) * strength->per_unit;
		harm.jitter_ms = gen_between(g, 10, 30);
		harm.loss_pct = gen_between(g, 0.5, 4);
		break;
	case GEN_CPU:
		m->cpu_system_pct = whole(gen_between(g, 93, 100));
		harm.latency_ms = (m->cpu_system_pct - 80) * strength->per_unit;
		harm.jitter_ms = gen_between(g, 5, 15);
		harm.frames = gen_between(g, 0.2, 0.5);
		break;
	case GEN_FULL_TUNNEL:
		harm.latency_ms = strength->tunnel_ms + gen_between(g, -10, 10);
		harm.jitter_ms = gen_between(g, 8, 20);
		harm.loss_pct = gen_between(g, 0.3, 1);
		break;
	case GEN_NOTHING:
		harm.latency_ms = strength->far_ms + gen_between(g, -20, 20);
		harm.jitter_ms = gen_between(g, 5, 20);
		break;
	case GEN_CONGESTION:
	case GEN_LINK_FAILURE:
	case GEN_CAUSES:
		break;
	}
	return harm;
}

static bool is_wan(enum gen_cause cause)
{
	return cause == GEN_CONGESTION || cause == GEN_LINK_FAILURE;
}

/* A decoy must not be what really hurts. */
static enum gen_decoy choose_decoy(struct gen *g, enum gen_cause cause)
{
	enum gen_decoy decoy = (enum gen_decoy)gen_between(g, 0, GEN_DECOYS);

	if ((cause == GEN_CPU && decoy == GEN_DECOY_CPU) ||
	    (cause == GEN_WEAK_WIFI && decoy == GEN_DECOY_RSSI) ||
	    (cause == GEN_FULL_TUNNEL &&
	     (decoy == GEN_DECOY_SPLIT_TUNNEL || decoy == GEN_DECOY_TCP)) ||
	    (is_wan(cause) && decoy == GEN_DECOY_FULL_LINK))
		return GEN_DECOY_NONE;
	return decoy;
}

static void fill_join(struct gen *g, struct gen_call *call, unsigned int who, unsigned int from,
		      unsigned int to)
{
	struct gen_join *join = &call->joins[who];
	struct strength strength = { gen_between(g, 10, 18), gen_between(g, 170, 280),
				     gen_between(g, 170, 300) };
	bool quiet = call->cause == GEN_NOTHING && call->joins[0].minutes[0].minute % 3 == 0;

	for (unsigned int n = 0; n < call->minute_count; n++) {
		bool here = call->cause == GEN_FULL_TUNNEL || (n >= from && n < to);
		struct harm harm = { .frames = 1 };

		join->hurt[n] = here && !quiet && (is_wan(call->cause) || who == call->victim);
		if (join->hurt[n] && !is_wan(call->cause))
			harm = hurt_client(g, call, join, n, &strength);
		measure(g, &join->minutes[n], &call->wan[n], &harm);
	}
}

void gen_call(struct gen *g, int64_t minute, enum gen_cause cause, struct gen_call *ret_call)
{
	struct gen_call *call = ret_call;
	unsigned int from, to;

	memset(call, 0, sizeof(*call));
	call->cause = cause;
	call->decoy = choose_decoy(g, cause);
	call->minute_count = (unsigned int)gen_between(g, 20, GEN_MAX_MINUTES);
	call->join_count = (unsigned int)gen_between(g, 2, GEN_MAX_JOINS + 1);
	call->victim = (unsigned int)gen_between(g, 0, call->join_count);
	from = (unsigned int)gen_between(g, 4, call->minute_count / 2);
	to = from + (unsigned int)gen_between(g, 5, call->minute_count / 2);
	healthy_wan(g, call, minute);
	for (unsigned int n = from; n < to; n++) {
		if (cause == GEN_CONGESTION)
			congest(g, &call->wan[n]);
		if (cause == GEN_LINK_FAILURE)
			fail_over(g, &call->wan[n], n - from);
	}
	for (unsigned int i = 0; i < call->join_count; i++) {
		start_join(g, &call->joins[i]);
		if (i == call->victim && cause == GEN_WEAK_WIFI)
			call->joins[i].client.network = FL_NETWORK_WIFI;
		if (i == call->victim && cause == GEN_FULL_TUNNEL)
			call->joins[i].client =
				(struct fl_rank_client){ true, FL_CONN_PROXY, FL_NETWORK_WIRED };
		for (unsigned int n = 0; n < call->minute_count; n++)
			healthy_minute(g, &call->joins[i], n, minute + n);
	}
	apply_decoy(g, call);
	for (unsigned int i = 0; i < call->join_count; i++)
		fill_join(g, call, i, from, to);
}

bool gen_is_right(enum gen_cause cause, const struct fl_ranking *r)
{
	switch (cause) {
	case GEN_CONGESTION:
	case GEN_LINK_FAILURE:
		return r->dominant == FL_CATEGORY_WAN;
	case GEN_WEAK_WIFI:
		return r->dominant == FL_CATEGORY_WIRELESS && r->top == FL_FEATURE_WIFI_RSSI;
	case GEN_CPU:
		return r->dominant == FL_CATEGORY_CLIENT && r->top == FL_FEATURE_CLIENT_CPU;
	case GEN_FULL_TUNNEL:
		return r->dominant == FL_CATEGORY_CLIENT && r->top != FL_FEATURE_CLIENT_CPU;
	case GEN_NOTHING:
	case GEN_CAUSES:
		break;
	}
	return r->dominant == FL_CATEGORY_NONE;
}

bool gen_is_fooled(enum gen_decoy decoy, const struct fl_ranking *r)
{
	if (r->verdict != FL_RANK_EXPLAINED)
		return false;
	switch (decoy) {
	case GEN_DECOY_CPU:
		return r->top == FL_FEATURE_CLIENT_CPU;
	case GEN_DECOY_RSSI:
		return r->dominant == FL_CATEGORY_WIRELESS;
	case GEN_DECOY_SPLIT_TUNNEL:
		return r->top == FL_FEATURE_CLIENT_VPN;
	case GEN_DECOY_FULL_LINK:
		return r->dominant == FL_CATEGORY_WAN;
	case GEN_DECOY_TCP:
		return r->top == FL_FEATURE_CLIENT_CONN_TYPE;
	case GEN_DECOY_NONE:
	case GEN_DECOYS:
		break;
	}
	return false;
}

const char *gen_cause_name(enum gen_cause cause)
{
	static const char *const names[] = { "congestion", "link failure", "weak Wi-Fi",
					     "processor",  "full tunnel",  "nothing" };

	return names[cause];
}
