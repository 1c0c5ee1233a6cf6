// SPDX-License-Identifier: Apache-2.0
/* The fixtures' world: see world.h. */
#include "test/bpf/world.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fairlead.skel.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/monotime.h"
#include "agent/base/rand.h"
#include "agent/dp/dp_internal.h"
#include "common/csum.h"

static uint8_t parse_addr(const char *text, uint8_t bytes[16])
{
	memset(bytes, 0, 16);
	if (inet_pton(AF_INET, text, bytes) == 1)
		return 4;
	if (inet_pton(AF_INET6, text, bytes) == 1)
		return 6;
	abort();
}

static void set_iface(struct world *w, struct fl_iface iface, const char *mac, const char *name)
{
	uint32_t slot = fl_iface_slot(iface.ifindex, iface.vlan, iface.ivlan);

	pg_mac(mac, iface.mac);
	iface.mtu = 1500;
	iface.mode = FL_MODE_XDP;
	snprintf(iface.name, sizeof(iface.name), "%s", name);
	while (w->t->ifaces[slot].ifindex)
		slot = (slot + 1) % FL_IFACE_SLOTS;
	w->t->ifaces[slot] = iface;
	if (w->t->ops->tx_port(w->t->ops_ctx, iface.id, iface.ifindex))
		abort();
}

static void set_path(struct world *w, uint32_t id, struct fl_path path, const char *local,
		     const char *remote)
{
	path.family = parse_addr(local, path.local);
	parse_addr(remote, path.remote);
	pg_mac(MAC_GATEWAY, path.dmac);
	pg_mac(path.iface == W_WAN2 ? MAC_WAN2 : MAC_WAN, path.smac);
	path.mtu = 1500;
	path.state = FL_PATH_UP;
	path.plain = path.vlan ? 0 : path.family;
	path.port_lo = 16384;
	path.port_hi = 65533;
	path.remote_lo = path.port_lo;
	path.remote_hi = path.port_hi;
	if (path.family == 6) {
		struct fl_path6_key key;

		memcpy(key.local, path.local, 16);
		memcpy(key.remote, path.remote, 16);
		path.addr_sum = fl_csum_add(fl_csum_addr6(path.local), fl_csum_addr6(path.remote));
		w->t->ops->path6_set(w->t->ops_ctx, &key, id);
	} else {
		uint32_t l, r;
		struct fl_path_bucket *bucket;

		memcpy(&l, path.local, 4);
		memcpy(&r, path.remote, 4);
		bucket = &w->t->path_lookup[fl_path_bucket(l, r)];
		for (int i = 0; i < FL_PATH_BUCKET_WAYS; i++) {
			if (bucket->way[i].path)
				continue;
			memcpy(bucket->way[i].local, path.local, 4);
			memcpy(bucket->way[i].remote, path.remote, 4);
			bucket->way[i].path = (uint16_t)id;
			break;
		}
		path.addr_sum = fl_csum_add(fl_csum_addr4(path.local), fl_csum_addr4(path.remote));
	}
	w->t->paths[id] = path;
	w->t->vectors[id] = (struct fl_vector){ .path = (uint16_t)id,
						.peer = path.peer,
						.home_path = (uint16_t)id };
}

static void set_nexthop(struct world *w, uint32_t id, struct fl_nexthop hop, const char *dmac,
			const char *smac)
{
	pg_mac(dmac, hop.dmac);
	pg_mac(smac, hop.smac);
	hop.mtu = 1500;
	hop.family = 4;
	if (id != W_NH_DOWN)
		hop.state = FL_PATH_UP;
	hop.plain = hop.state == FL_PATH_UP && !hop.vlan && !hop.tx_flags;
	w->t->nexthops[id] = hop;
}

static void local_addr(struct world *w, const char *text)
{
	struct fl_local_addr addr = { 0 };

	addr.family = parse_addr(text, addr.addr);
	w->t->ops->local_addr(w->t->ops_ctx, &addr, true);
}

static void fill(struct world *w)
{
	const uint8_t lan = FL_IFACE_SESSIONS, wan = FL_IFACE_WAN;
	const struct fl_settings settings = *w->t->settings;

	set_iface(w, (struct fl_iface){ .ifindex = w->lan_ifindex, .id = W_LAN, .flags = lan },
		  MAC_LAN, "lan");
	set_iface(w,
		  (struct fl_iface){
			  .ifindex = w->lan_ifindex, .id = W_LAN_VLAN, .vlan = 100, .flags = lan },
		  MAC_LAN, "lan-100");
	set_iface(w,
		  (struct fl_iface){ .ifindex = w->lan_ifindex,
				     .id = W_LAN_QINQ,
				     .vlan = 200,
				     .ivlan = 300,
				     .flags = lan },
		  MAC_LAN, "lan-qinq");
	set_iface(w, (struct fl_iface){ .ifindex = w->wan_ifindex, .id = W_WAN, .flags = wan },
		  MAC_WAN, "wan");
	set_iface(w, (struct fl_iface){ .ifindex = w->wan2_ifindex, .id = W_WAN2, .flags = wan },
		  MAC_WAN2, "wan2");
	set_iface(w,
		  (struct fl_iface){
			  .ifindex = w->tun_ifindex, .id = W_TUN, .flags = lan | FL_IFACE_L3 },
		  MAC_LAN, "tun");

	set_path(w, W_PATH4,
		 (struct fl_path){ .peer = 1, .iface = W_WAN, .ifindex = w->wan_ifindex }, WP_LOCAL,
		 WP_REMOTE);
	set_path(w, W_PATH4B,
		 (struct fl_path){ .peer = 1, .iface = W_WAN2, .ifindex = w->wan2_ifindex },
		 WP_LOCAL2, WP_REMOTE);
	set_path(w, W_PATH6,
		 (struct fl_path){ .peer = 1, .iface = W_WAN, .ifindex = w->wan_ifindex },
		 WP_LOCAL6, WP_REMOTE6);
	set_path(w, W_PATH4_VLAN,
		 (struct fl_path){
			 .peer = 2, .iface = W_WAN, .ifindex = w->wan_ifindex, .vlan = 42 },
		 WP_LOCAL, WP_REMOTE3);

	set_nexthop(w, W_NH_CLIENT,
		    (struct fl_nexthop){ .iface = W_LAN, .ifindex = w->lan_ifindex }, MAC_CLIENT,
		    MAC_LAN);
	set_nexthop(w, W_NH_SERVER,
		    (struct fl_nexthop){ .iface = W_LAN, .ifindex = w->lan_ifindex }, MAC_SERVER,
		    MAC_LAN);
	set_nexthop(
		w, W_NH_VLAN,
		(struct fl_nexthop){ .iface = W_LAN_VLAN, .ifindex = w->lan_ifindex, .vlan = 100 },
		MAC_SERVER, MAC_LAN);
	set_nexthop(w, W_NH_GATEWAY,
		    (struct fl_nexthop){ .iface = W_WAN, .ifindex = w->wan_ifindex }, MAC_GATEWAY,
		    MAC_WAN);
	set_nexthop(w, W_NH_TUN,
		    (struct fl_nexthop){ .iface = W_TUN,
					 .ifindex = w->tun_ifindex,
					 .tx_flags = FL_TX_L3 | FL_TX_SKB },
		    MAC_SERVER, MAC_LAN);
	set_nexthop(w, W_NH_DOWN, (struct fl_nexthop){ .iface = W_LAN, .ifindex = w->lan_ifindex },
		    MAC_SERVER, MAC_LAN);
	local_addr(w, WP_LOCAL);
	local_addr(w, WP_LOCAL2);
	local_addr(w, WP_LOCAL6);
	local_addr(w, "10.1.0.1");
	local_addr(w, "2001:db8:1::1");

	*w->t->settings = settings;
	w->t->settings->host_sessions = 1;
}

static int devices(struct world *w)
{
	static const char *const commands[] = {
		"ip link add lan type veth peer name lan-peer",
		"ip link add wan type veth peer name wan-peer",
		"ip link add wan2 type veth peer name wan2-peer",
		"ip tuntap add tun0 mode tun",
		"for d in lan lan-peer wan wan-peer wan2 wan2-peer tun0; do ip link set $d up; done",
	};

	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (system(commands[i]))
			return -1;
	w->lan_ifindex = if_nametoindex("lan");
	w->wan_ifindex = if_nametoindex("wan");
	w->wan2_ifindex = if_nametoindex("wan2");
	w->tun_ifindex = if_nametoindex("tun0");
	return w->lan_ifindex && w->wan_ifindex && w->wan2_ifindex && w->tun_ifindex ? 0 : -1;
}

static int tables(struct world *w)
{
	return fl_flows_new(w->t, &w->flows) || fl_store_new(w->t, &w->store) ? -1 : 0;
}

int world_open(struct world *w)
{
	struct fl_dp_cfg cfg = { .max_sessions = 1024 };
	char why[FL_DP_WHY];

	memset(w, 0, sizeof(*w));
	if (devices(w) < 0) {
		printf("# cannot make devices: root needed\n");
		return -1;
	}
	fl_rand_init();
	snprintf(w->pin_dir, sizeof(w->pin_dir), "/sys/fs/bpf/fairlead-fixtures-%d", getpid());
	cfg.pin_dir = w->pin_dir;
	if (fl_dp_open(&cfg, &w->dp, why) < 0) {
		printf("# %s\n", why);
		return -1;
	}
	w->t = fl_dp_tables(w->dp);
	fill(w);
	return tables(w);
}

void world_close(struct world *w)
{
	fl_store_free(w->store);
	fl_flows_free(w->flows);
	fl_dp_close(w->dp);
	if (w->pin_dir[0])
		fl_dp_remove(w->pin_dir);
}

static bool swallow(void *ctx, const struct fl_punt *punt)
{
	(void)ctx;
	(void)punt;
	return true;
}

static void empty_map(int fd, size_t key_bytes)
{
	uint8_t key[64];

	(void)key_bytes;
	while (!bpf_map_get_next_key(fd, NULL, key))
		bpf_map_delete_elem(fd, key);
}

void world_reset(struct world *w)
{
	struct fl_tables *t = w->t;

	fl_store_free(w->store);
	fl_flows_free(w->flows);
	memset(t->flows, 0, (size_t)t->slots * sizeof(*t->flows));
	memset(t->tags, 0, (size_t)t->buckets * FL_BUCKET_SLOTS);
	memset(t->sessions, 0, ((size_t)t->max_sessions + 1) * sizeof(*t->sessions));
	empty_map(bpf_map__fd(w->dp->skel->maps.fl_flow_index), sizeof(struct fl_wide_key));
	empty_map(bpf_map__fd(w->dp->skel->maps.fl_drops), 4);
	empty_map(bpf_map__fd(w->dp->skel->maps.fl_stats), 4);
	empty_map(bpf_map__fd(w->dp->skel->maps.fl_denials), 40);
	empty_map(bpf_map__fd(w->dp->skel->maps.fl_dups), sizeof(struct fl_dup_key));
	empty_map(bpf_map__fd(w->dp->skel->maps.fl_source_bkts), 20);
	fl_dp_punt_read(w->dp, false, swallow, NULL, NULL);
	fl_dp_punt_read(w->dp, true, swallow, NULL, NULL);
	if (tables(w) < 0)
		abort();
}

uint32_t world_session(struct world *w, const struct world_session *spec)
{
	struct fl_session *s;
	uint8_t uuid[16];
	uint32_t id, other;

	fl_rand_uuid(uuid);
	if (fl_store_open(w->store, uuid, &id) < 0)
		abort();
	s = &w->t->sessions[id];
	s->family = parse_addr(spec->src, s->src);
	parse_addr(spec->dst, s->dst);
	parse_addr(spec->nat_src ? spec->nat_src : spec->src, s->nat_src);
	parse_addr(spec->nat_dst ? spec->nat_dst : spec->dst, s->nat_dst);
	s->sport = spec->sport;
	s->dport = spec->dport;
	s->nat_sport = spec->nat_sport ? spec->nat_sport : spec->sport;
	s->nat_dport = spec->proto == 1 || spec->proto == 58 ? s->nat_sport : spec->dport;
	s->proto = spec->proto;
	s->in = spec->in;
	s->out = spec->out;
	s->tcp_enforcement = spec->enforcement;
	s->dup = spec->dup;
	if (fl_session_install(w->flows, w->t, id, spec->state, &other) < 0)
		abort();
	if (spec->tcp)
		for (int dir = 0; dir < 2; dir++)
			w->t->flows[s->slot[dir]].tcp = spec->tcp;
	return id;
}

void world_peer_bucket(struct world *w, uint32_t peer, uint32_t purpose, uint64_t millitokens)
{
	const struct fl_token_bucket bucket = { .last_ns = fl_mono_now().ns,
						.millitokens = millitokens };
	struct fl_local_addr who = { .family = purpose };
	int err;

	memcpy(who.addr, &peer, sizeof(peer));
	if (purpose)
		err = bpf_map_update_elem(bpf_map__fd(w->dp->skel->maps.fl_source_bkts), &who,
					  &bucket, BPF_ANY);
	else
		err = bpf_map_update_elem(bpf_map__fd(w->dp->skel->maps.fl_peer_bkts), &peer,
					  &bucket, BPF_ANY);
	if (err)
		abort();
}
