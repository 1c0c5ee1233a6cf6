// SPDX-License-Identifier: Apache-2.0
/* Interfaces and peers. */
#include "agent/api/api_internal.h"

/* Paths to a peer. Return: how many of them are up. */
static uint64_t add_peer_paths(struct fl_api *api, struct fl_json *list, uint16_t peer)
{
	const struct fl_tables *t = fl_dp_tables(api->dp);
	uint64_t up = 0;

	for (uint16_t id = 1; id < FL_MAX_PATHS; id++) {
		const struct fl_path_rt *path = fl_fabric_path(api->fabric, id);
		struct fl_json *o;

		if (!path || !path->cfg || path->peer != peer)
			continue;
		o = fl_json_add_object(list, NULL);
		fl_json_add_string(o, "path", t->paths[id].label);
		fl_json_add_string(o, "interface", fl_fabric_netif(api->fabric, path->iface)->name);
		fl_api_add_addr(o, "destination", path->remote.family, path->remote.b);
		fl_json_add_string(o, "status", path->why ? "down" : "up");
		fl_json_add_string(o, "reason", path->why);
		fl_json_add_u64(o, "mtu", t->paths[id].mtu);
		fl_json_add_u64(o, "uptime-seconds",
				path->why ? 0
					  : fl_mono_ms_between(path->since, fl_mono_now()) / 1000);
		fl_api_add_quality(o, &path->quality.mean, path->quality.mean_mos_x100);
		up += !path->why;
	}
	return up;
}

void fl_api_show_peers(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	struct fl_json *list = fl_json_add_array(fl_json_add_object(reply, "data"), "peers");

	(void)request;
	for (uint16_t id = 1; id < FL_MAX_PEERS; id++) {
		const struct fl_peer *peer = fl_fabric_peer(api->fabric, id);
		struct fl_json *o, *paths;
		uint32_t live[2];
		uint64_t up;

		if (!peer || !peer->configured)
			continue;
		o = fl_json_add_object(list, NULL);
		fl_json_add_string(o, "peer", peer->name);
		paths = fl_json_add_array(o, "paths");
		up = add_peer_paths(api, paths, id);
		fl_json_add_string(o, "status", up ? "up" : "down");
		fl_json_add_u64(o, "paths-up", up);
		/* Waypoint ports are the peer's, whichever path a session takes. */
		fl_engine_waypoints(api->engine, id, live);
		fl_json_add_u64(o, "waypoints-in-use", (uint64_t)live[0] + live[1]);
		fl_json_add_u64(o, "waypoints-udp", live[0]);
		fl_json_add_u64(o, "waypoints-tcp", live[1]);
		fl_json_add_u64(o, "waypoints-without-parity",
				fl_engine_without_parity(api->engine, id));
		fl_json_add_u64(o, "max-way-points", peer->max_way_points);
	}
}

static const char *const mode_texts[] = {
	[FL_MODE_NONE] = "none",
	[FL_MODE_XDP] = "xdp",
	[FL_MODE_XDP_GENERIC] = "xdp-generic",
	[FL_MODE_TC] = "tc",
};

void fl_api_show_interfaces(struct fl_api *api, const struct fl_json *request,
			    struct fl_json *reply)
{
	struct fl_json *list = fl_json_add_array(fl_json_add_object(reply, "data"), "interfaces");

	(void)request;
	for (uint16_t id = 1; id < FL_MAX_IFACES; id++) {
		const struct fl_netif *netif = fl_fabric_netif(api->fabric, id);
		struct fl_json *o, *addrs;

		if (!netif || !netif->cfg)
			continue;
		o = fl_json_add_object(list, NULL);
		fl_json_add_string(o, "name", netif->name);
		fl_json_add_string(o, "device", netif->device->ifname);
		fl_json_add_u64(o, "vlan", netif->cfg->vlan);
		fl_json_add_u64(o, "inner-vlan", netif->cfg->inner_vlan);
		fl_json_add_string(o, "status",
				   !netif->link.ifindex ? "missing"
				   : !netif->attached   ? "failed"
				   : netif->link.up     ? "up"
							: "down");
		fl_json_add_string(o, "mode", mode_texts[netif->mode]);
		fl_json_add_string(o, "reason", netif->why);
		fl_api_add_mac(o, "mac", netif->link.mac);
		fl_json_add_u64(o, "mtu", netif->link.mtu);
		fl_json_add_u64(o, "ifindex", netif->link.ifindex);
		if (netif->cfg->tenant_name)
			fl_json_add_string(o, "tenant", netif->cfg->tenant_name);
		fl_json_add_bool(o, "source-nat", netif->cfg->source_nat);
		addrs = fl_json_add_array(o, "waypoints");
		for (size_t i = 0; i < netif->cfg->n_address; i++)
			fl_api_add_addr(addrs, NULL, netif->cfg->address[i].family,
					netif->cfg->address[i].b);
	}
}
