// SPDX-License-Identifier: Apache-2.0
/* Packets to port 1280: which path they are of, whether they are true, what they say. */
#include <string.h>

#include "agent/codec/meta.h"
#include "agent/crypto/bfd_seal.h"
#include "agent/path/watch_internal.h"

/* --- of which path ---------------------------------------------------------------------------- */

static bool is_at(const struct fl_watched *p, const struct fl_watch_packet *packet,
		  const struct fl_addr *remote)
{
	if (!fl_addr_equal(&p->spec.local, &packet->local))
		return false;
	return fl_addr_equal(&p->spec.remote, remote) || fl_addr_equal(&p->peer.outer.addr, remote);
}

static struct fl_watched *find_remote(const struct fl_watch *w,
				      const struct fl_watch_packet *packet,
				      const struct fl_addr *remote)
{
	for (uint16_t id = 1; id <= w->limit; id++)
		if (w->path[id] && w->path[id]->spec.enabled && is_at(w->path[id], packet, remote))
			return w->path[id];
	return NULL;
}

/* Behind a NAT that has changed a peer is known by what it says of itself, proven or not. */
static struct fl_watched *find_said(const struct fl_watch *w, const struct fl_watch_packet *packet,
				    const struct fl_bfd_pkt *pkt)
{
	size_t front = fl_bfd_pkt_len(pkt);
	struct fl_meta_lens lens;
	struct fl_meta meta;

	if (fl_meta_peek(packet->data + front, packet->len - front, &lens) < 0 ||
	    fl_meta_block_len(&lens) > packet->len - front ||
	    fl_meta_parse_header(packet->data + front, &lens, &meta) < 0 ||
	    !fl_meta_has(&meta, FL_META_OWN_ENDPOINT))
		return NULL;
	return find_remote(w, packet, &meta.own_endpoint.addr);
}

static struct fl_watched *find_control(const struct fl_watch *w,
				       const struct fl_watch_packet *packet,
				       const struct fl_bfd_pkt *pkt)
{
	/* Our discriminators end with the path's number. */
	uint32_t id = pkt->your_discr % FL_MAX_PATHS;
	struct fl_watched *p = w->path[id];

	if (pkt->your_discr && p && p->bfd.local_discr == pkt->your_discr)
		return p;
	p = find_remote(w, packet, &packet->source);
	return p ? p : find_said(w, packet, pkt);
}

/* A path is watched where its packets are to arrive: others prove another path. */
static bool arrived_right(const struct fl_watched *p, const struct fl_watch_packet *packet)
{
	return p->spec.enabled && fl_addr_equal(&p->spec.local, &packet->local) &&
	       (!p->spec.ifindex || !packet->ifindex || p->spec.ifindex == packet->ifindex);
}

/* --- what it says ----------------------------------------------------------------------------- */

static void learn(struct fl_watch *w, struct fl_watched *p, const struct fl_meta *meta)
{
	const uint32_t before = p->peer_capability;

	if (fl_meta_has(meta, FL_META_SEEN_ENDPOINT))
		p->seen = meta->seen_endpoint;
	p->peer_capability = fl_meta_has(meta, FL_META_CAPABILITY) ? meta->capability : 0;
	if (p->peer_capability == before && p->control_at.ns)
		return;
	p->news |= FL_WATCH_CHANGED;
	w->any_news = true;
}

static void control(struct fl_watch *w, struct fl_watched *p, const struct fl_watch_packet *packet)
{
	const struct fl_meta_endpoint own = { p->spec.local, FL_BFD_PORT };
	const struct fl_meta_endpoint source = { packet->source, packet->source_port };
	struct fl_keyring *ring = fl_rings_at(p->rings, p->spec.rx_policy);
	struct fl_bfd_opened opened;
	int events, more;

	if (!ring || fl_bfd_open(ring, fl_wall_now_ns() / FL_NS_PER_S, packet->data, packet->len,
				 &opened) < 0) {
		p->auth_failed++;
		return;
	}
	/* Whoever forwards has the configured address, or one from before we began. */
	if (!p->peer.outer.addr.family && !fl_addr_equal(&source.addr, &p->spec.remote))
		p->peer.outer = (struct fl_meta_endpoint){ p->spec.remote, FL_BFD_PORT };
	events = fl_bfd_peer_rx(&p->peer, &opened.pkt, &opened.meta, &source, &own,
				2 * fl_bfd_detection_us(&p->bfd), packet->at);
	if (events < 0)
		return;
	learn(w, p, &opened.meta);
	more = fl_bfd_rx(&p->bfd, &opened.pkt, packet->at);
	if (more >= 0) {
		p->control_at = packet->at;
		fl_doubt_heard(&p->doubt, packet->at);
		p->failed_before = p->auth_failed;
	}
	fl_watched_react(w, p, events | (more > 0 ? more : 0), packet->at);
}

/*
 * An answer of the peer's data plane, which was not seen before if it is one to a link test. An old
 * one proves nothing. To a probe it speaks for the path, to a link test only against doubt of it:
 * those may go on for ever, while no path is to outlive its peer's agent for long.
 */
static void answered(struct fl_watched *p, const struct fl_meta_echo *said, struct fl_mono at)
{
	uint64_t at_us = at.ns / FL_NS_PER_US;
	uint64_t rtt_us = at_us - said->tx_time_us;

	if (said->tx_time_us > at_us || rtt_us >= fl_bfd_detection_us(&p->bfd))
		return;
	fl_doubt_rtt(&p->doubt, (uint32_t)rtt_us, at);
	fl_doubt_heard(&p->doubt, at);
	if (said->burst == FL_WATCH_PROBE)
		fl_bfd_heard(&p->bfd, at);
}

static void echo(struct fl_watch *w, struct fl_watched *p, const struct fl_watch_packet *packet)
{
	struct fl_keyring *ring = fl_rings_at(p->rings, p->spec.tx_policy);
	struct fl_meta_echo said;
	int err = -FL_DROP_KEY_UNKNOWN;

	if (ring)
		err = fl_bfd_echo_open(ring, fl_wall_now_ns() / FL_NS_PER_S, packet->data,
				       packet->len, &said);
	if (err < 0) {
		/* Unexpected: the peer's own, which the data plane was not there to reflect. */
		p->auth_failed += err != -FL_DROP_META_UNEXPECTED;
		return;
	}
	if (said.burst == FL_WATCH_PROBE || !fl_echo_rx(&p->echo, &said, packet->at))
		answered(p, &said, packet->at);
	fl_watched_react(w, p, 0, packet->at);
}

void fl_watch_rx(struct fl_watch *watch, const struct fl_watch_packet *packet)
{
	struct fl_meta_lens lens;
	struct fl_watched *p;
	struct fl_bfd_pkt pkt;
	bool is_echo = !fl_meta_peek(packet->data, packet->len, &lens);

	if (is_echo)
		p = find_remote(watch, packet, &packet->source);
	else
		p = fl_bfd_parse(packet->data, packet->len, &pkt) < 0
			    ? NULL
			    : find_control(watch, packet, &pkt);
	if (!p || !arrived_right(p, packet)) {
		watch->strangers++;
		return;
	}
	if (is_echo)
		echo(watch, p, packet);
	else
		control(watch, p, packet);
}
