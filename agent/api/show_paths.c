// SPDX-License-Identifier: Apache-2.0
/* Paths to peers: are they used and why not, what BFD says, how good they are. */
#include "agent/api/api_internal.h"

#include "agent/codec/bfd_pkt.h"

static void add_ms(struct fl_json *parent, const char *key, bool known, uint64_t us)
{
	if (known)
		fl_json_add_double(parent, key, (double)us / 1000);
	else
		fl_json_add_string(parent, key, NULL);
}

void fl_api_add_quality(struct fl_json *parent, const struct fl_quality *quality, uint16_t mos_x100)
{
	add_ms(parent, "latency-ms", quality->has & FL_QUALITY_LATENCY, quality->latency_us);
	add_ms(parent, "jitter-ms", quality->has & FL_QUALITY_JITTER, quality->jitter_us);
	if (quality->has & FL_QUALITY_LOSS)
		fl_json_add_double(parent, "loss-percent", quality->loss_ppm / 10000.0);
	else
		fl_json_add_string(parent, "loss-percent", NULL);
	if (mos_x100)
		fl_json_add_double(parent, "mos", mos_x100 / 100.0);
	else
		fl_json_add_string(parent, "mos", NULL);
}

/* Since when, in whole seconds. */
static void add_age(struct fl_json *parent, const char *key, struct fl_mono since)
{
	fl_json_add_u64(parent, key, fl_mono_ms_between(since, fl_mono_now()) / 1000);
}

static void add_bfd(struct fl_json *parent, const struct fl_path_quality *q)
{
	struct fl_json *o = fl_json_add_object(parent, "bfd"), *downs;

	fl_json_add_string(o, "state",
			   q->live == FL_LIVE_UNWATCHED ? "disabled" : fl_bfd_state_name(q->state));
	if (q->live == FL_LIVE_UNWATCHED)
		return;
	fl_json_add_string(o, "remote-state", fl_bfd_state_name(q->remote_state));
	fl_json_add_string(o, "diagnostic", fl_bfd_diag_text(q->diag));
	fl_json_add_string(o, "remote-diagnostic", fl_bfd_diag_text(q->remote_diag));
	add_age(o, "since-seconds", q->since);
	fl_json_add_bool(o, "restarting", q->live == FL_LIVE_RESTARTING);
	add_ms(o, "detection-ms", true, q->detection_us);
	add_ms(o, "transmit-interval-ms", true, q->tx_interval_us);
	fl_json_add_u64(o, "hold-down-seconds", q->hold_down_ms / 1000);
	fl_json_add_u64(o, "ups", q->ups);
	downs = fl_json_add_object(o, "downs");
	for (int cause = FL_BFD_CAUSE_NONE + 1; cause < FL_BFD_CAUSE_MAX; cause++)
		fl_json_add_u64(downs, fl_bfd_cause_name((enum fl_bfd_cause)cause),
				q->downs[cause]);
	fl_json_add_u64(o, "sent", q->tx_packets);
	fl_json_add_u64(o, "received", q->rx_packets);
	fl_json_add_u64(o, "authentication-failures", q->auth_failed);
	fl_json_add_u64(o, "replays", q->replayed);
	fl_json_add_u64(o, "peer-restarts", q->peer_boots);
	fl_json_add_bool(o, "peer-moves-by-vector", q->vector_switch);
	fl_json_add_bool(o, "peer-wants-all-proven", q->proves);
}

static void add_nat(struct fl_json *parent, const struct fl_path_quality *q)
{
	struct fl_json *o = fl_json_add_object(parent, "nat");

	fl_json_add_bool(o, "peer", q->peer_nated);
	fl_json_add_bool(o, "self", q->self_nated);
	fl_json_add_u64(o, "changes", q->nat_moves);
	if (q->outer.family) {
		fl_api_add_addr(o, "peer-seen-at", q->outer.family, q->outer.b);
		fl_json_add_u64(o, "peer-seen-at-port", q->outer_port);
	}
	if (q->seen.family) {
		fl_api_add_addr(o, "seen-at", q->seen.family, q->seen.b);
		fl_json_add_u64(o, "seen-at-port", q->seen_port);
	}
}

static void add_link_test(struct fl_json *parent, const struct fl_path_quality *q)
{
	struct fl_json *o = fl_json_add_object(parent, "last-link-test");

	fl_api_add_quality(o, &q->last, q->last_mos_x100);
	if (q->burst_at.ns)
		add_age(o, "age-seconds", q->burst_at);
	fl_json_add_u64(o, "sent", q->echo_sent);
	fl_json_add_u64(o, "received", q->echo_received);
}

static void add_path(struct fl_api *api, struct fl_json *list, const struct fl_path_rt *path)
{
	const struct fl_path *entry = &fl_dp_tables(api->dp)->paths[path->id];
	const struct fl_path_quality *q = &path->quality;
	struct fl_json *o = fl_json_add_object(list, NULL);

	fl_json_add_u64(o, "path", path->id);
	fl_json_add_string(o, "name", entry->label);
	fl_json_add_string(o, "peer", fl_fabric_peer(api->fabric, path->peer)->name);
	fl_json_add_string(o, "interface", fl_fabric_netif(api->fabric, path->iface)->name);
	fl_api_add_addr(o, "local", path->local.family, path->local.b);
	fl_api_add_addr(o, "remote", path->remote.family, path->remote.b);
	fl_json_add_string(o, "status", path->why ? "down" : "up");
	if (path->why)
		fl_json_add_string(o, "reason", path->why);
	fl_api_add_quality(o, &q->mean, q->mean_mos_x100);
	fl_json_add_string(o, "source", q->mean.has ? "bfd" : NULL);
	fl_api_add_addr(o, "next-hop", path->hop_addr.family, path->hop_addr.b);
	fl_api_add_mac(o, "next-hop-mac", entry->dmac);
	fl_json_add_u64(o, "mtu", entry->mtu);
	fl_json_add_u64(o, "cost", path->cfg->cost);
	fl_json_add_u64(o, "security-id", entry->security_id);
	fl_json_add_string(o, "hmac-packets", entry->tx_flags & FL_TX_SEAL ? "all" : "metadata");
	add_age(o, "since-seconds", path->since);
	add_bfd(o, q);
	if (q->live != FL_LIVE_UNWATCHED) {
		add_nat(o, q);
		add_link_test(o, q);
	}
}

void fl_api_show_paths(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	struct fl_json *list = fl_json_add_array(fl_json_add_object(reply, "data"), "paths");

	(void)request;
	for (uint16_t id = 1; id < FL_MAX_PATHS; id++) {
		const struct fl_path_rt *path = fl_fabric_path(api->fabric, id);

		if (path && path->cfg)
			add_path(api, list, path);
	}
}
