// SPDX-License-Identifier: Apache-2.0
/* What BFD packets tell about a peer: see bfd_peer.h. */
#include "agent/path/bfd_peer.h"

#include <errno.h>

static bool same_endpoint(const struct fl_meta_endpoint *a, const struct fl_meta_endpoint *b)
{
	return fl_addr_equal(&a->addr, &b->addr) && a->port == b->port;
}

static bool same_boot(const struct fl_meta_boot_id *a, const struct fl_meta_boot_id *b)
{
	return a->start_s == b->start_s && a->random == b->random;
}

static int check_seq(const struct fl_bfd_peer *peer, const struct fl_bfd_pkt *pkt,
		     const struct fl_meta *meta, uint64_t silence_us, struct fl_mono now)
{
	bool silent =
		fl_mono_reached(now, (struct fl_mono){ peer->at.ns + silence_us * FL_NS_PER_US });
	uint32_t ahead = pkt->auth.seq - peer->seq;

	if (!peer->known)
		return 0;
	if (!same_boot(&meta->boot_id, &peer->boot))
		return silent || meta->boot_id.start_s > peer->boot.start_s ? 0 : -ESTALE;
	/* Without authentication there are no numbers. */
	if (!pkt->has_auth)
		return 0;
	if (!ahead || ahead > INT32_MAX)
		return -EALREADY;
	/* They went on while a policy without authentication was in use. */
	if (!peer->numbered)
		return 0;
	return silent || ahead <= FL_BFD_SEQ_WINDOW ? 0 : -ERANGE;
}

/* P-38: an address counts once two packets in a row came from it. */
static int learn_source(struct fl_bfd_peer *peer, const struct fl_meta_endpoint *source)
{
	if (!peer->outer.addr.family) {
		peer->outer = *source;
		return 0;
	}
	if (same_endpoint(source, &peer->outer)) {
		peer->moving = 0;
		return 0;
	}
	if (!peer->moving || !same_endpoint(source, &peer->candidate))
		peer->moving = 0;
	peer->candidate = *source;
	if (++peer->moving < FL_BFD_MOVE_PACKETS)
		return 0;
	peer->outer = *source;
	peer->moving = 0;
	peer->moves++;
	return FL_BFD_EV_MOVED;
}

static int learn_nat(struct fl_bfd_peer *peer, const struct fl_meta *meta,
		     const struct fl_meta_endpoint *source, const struct fl_meta_endpoint *own)
{
	bool peer_nated = !same_endpoint(&meta->own_endpoint, source);
	bool self_nated = peer->self_nated;
	bool changed;

	if (fl_meta_has(meta, FL_META_SEEN_ENDPOINT))
		self_nated = !same_endpoint(&meta->seen_endpoint, own);
	changed = peer_nated != peer->peer_nated || self_nated != peer->self_nated;
	peer->peer_nated = peer_nated;
	peer->self_nated = self_nated;
	return changed ? FL_BFD_EV_NAT : 0;
}

int fl_bfd_peer_rx(struct fl_bfd_peer *peer, const struct fl_bfd_pkt *pkt,
		   const struct fl_meta *meta, const struct fl_meta_endpoint *source,
		   const struct fl_meta_endpoint *own, uint64_t silence_us, struct fl_mono now)
{
	int events = 0, err = check_seq(peer, pkt, meta, silence_us, now);

	if (err < 0) {
		peer->replayed++;
		return err;
	}
	if (peer->known && !same_boot(&meta->boot_id, &peer->boot)) {
		peer->boots++;
		peer->seq = 0;
		events = FL_BFD_EV_NEW_BOOT;
	}
	peer->known = true;
	peer->boot = meta->boot_id;
	peer->numbered = pkt->has_auth;
	if (pkt->has_auth)
		peer->seq = pkt->auth.seq;
	peer->at = now;
	return events | learn_source(peer, source) | learn_nat(peer, meta, source, own);
}
