// SPDX-License-Identifier: Apache-2.0
/*
 * Packets that the router makes itself in a session: metadata, and nothing or little of a payload,
 * on exactly the session's outer tuple (svr-protocol.md 3.4).
 */
#include <string.h>

#include "agent/base/buf.h"
#include "agent/codec/packet_build.h"
#include "agent/session/engine_internal.h"

/* A TCP segment that carries only metadata: to those under way a repeated acknowledgement (P-17).
 */
static void put_tcp(const struct fl_session *s, enum fl_direction dir, uint8_t *l4)
{
	const struct fl_side *to = fl_side_to(s, dir);
	struct fl_tcp *tcp = (void *)l4;

	memset(tcp, 0, sizeof(*tcp));
	fl_put_u16(l4, to->local_port);
	fl_put_u16(l4 + 2, to->remote_port);
	fl_engine_say_numbers(s, dir, tcp);
	tcp->doff = (sizeof(*tcp) / 4) << 4;
	tcp->flags = FL_TH_ACK;
}

void fl_engine_generate(struct fl_engine *e, const struct fl_generated *what)
{
	const struct fl_session *s = fl_engine_session(e, what->id);
	const struct fl_side *to = fl_side_to(s, what->dir);
	uint16_t path_id = what->path ? what->path : e->t->vectors[to->vector].path;
	const struct fl_path_rt *rt = fl_fabric_path(e->fabric, path_id);
	const struct fl_path *path = &e->t->paths[path_id];
	struct fl_ip_spec ip = { .ttl = FL_TTL_DEFAULT, .df = true, .tos = what->tos };
	struct fl_seal seal = { .unix_s = e->wall_s,
				.meta = what->meta,
				.payload = what->payload,
				.payload_len = what->payload_len };
	struct fl_packet built;
	size_t head, l4_len;
	uint8_t *out;
	int len;

	if (!what->path && fl_engine_dup_to(e, what->id, what->dir)) {
		fl_engine_dup_generate(e, what);
		return;
	}
	if (to->kind != FL_SIDE_PEER || !rt || !rt->cfg || path->state != FL_PATH_UP)
		return;
	ip.tuple = (struct fl_tuple){ .family = path->family,
				      .proto = what->as_udp ? FL_IPPROTO_UDP
							    : fl_session_wire_proto(s) };
	memcpy(ip.tuple.src, path->local, 16);
	memcpy(ip.tuple.dst, path->remote, 16);
	head = fl_ip_header_len(path->family);
	l4_len = ip.tuple.proto == FL_IPPROTO_TCP ? sizeof(struct fl_tcp) : sizeof(struct fl_udp);
	seal.ring = rt->tx_ring;
	seal.pad = rt->cfg->post_encryption_padding;
	out = e->io.room(e->io.ctx);
	len = fl_seal(&seal, out + head + l4_len, FL_TX_MAX_PACKET - head - l4_len);
	if (len < 0) {
		fl_engine_drop(e, (enum fl_drop_reason) - len);
		return;
	}
	if (ip.tuple.proto == FL_IPPROTO_TCP)
		put_tcp(s, what->dir, out + head);
	else
		fl_packet_put_udp(out + head, to->local_port, to->remote_port, (size_t)len);
	fl_packet_put_ip(out, &ip, l4_len + (size_t)len);
	if (fl_packet_parse(out, head + l4_len + (size_t)len, &built) < 0)
		return;
	fl_packet_csum_fill(&built);
	fl_tables_count(e->t, FL_STAT_HMAC_ADDED);
	fl_engine_send_path(e, path_id, head + l4_len + (size_t)len);
}
