// SPDX-License-Identifier: Apache-2.0
/* Paths under watch: life, timers, sending, what is to be said about them. See watch.h. */
#include "agent/path/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/rand.h"
#include "agent/codec/packet_build.h"
#include "agent/crypto/bfd_seal.h"
#include "agent/path/watch_internal.h"

#define NEVER UINT64_MAX
/* RFC 5881 5: no router has been passed, if there is none between. */
#define BFD_TTL   255
#define FAREWELLS 3

/* --- what its state means to the path --------------------------------------------------------- */

static const char *why_down(const struct fl_bfd *bfd)
{
	if (bfd->oper_down)
		return "its link has just come back";
	switch (bfd->cause) {
	case FL_BFD_CAUSE_TIMER_EXPIRY:
		return "its peer has fallen silent (BFD)";
	case FL_BFD_CAUSE_ECHO_FAILED:
		return "its peer's data plane does not answer (BFD)";
	case FL_BFD_CAUSE_REMOTE_DOWN:
		return "its peer does not hear us (BFD)";
	case FL_BFD_CAUSE_REMOTE_ADMIN_DOWN:
		return "its peer has taken it out of use (BFD)";
	case FL_BFD_CAUSE_LOCAL_OPER_DOWN:
		return "its link was down; its peer has not answered since (BFD)";
	case FL_BFD_CAUSE_LOCAL_ADMIN_DOWN:
	case FL_BFD_CAUSE_NONE:
	case FL_BFD_CAUSE_MAX:
		break;
	}
	return "its peer has not answered yet (BFD)";
}

static enum fl_live live_of(const struct fl_watched *p, struct fl_mono now)
{
	if (!p->spec.enabled)
		return FL_LIVE_UNWATCHED;
	if (p->bfd.state == FL_BFD_UP)
		return p->bfd.usable || p->kept ? FL_LIVE_YES : FL_LIVE_NO;
	return fl_mono_reached(now, p->restart_end) ? FL_LIVE_NO : FL_LIVE_RESTARTING;
}

static void update_live(struct fl_watch *w, struct fl_watched *p, struct fl_mono now)
{
	enum fl_live live = live_of(p, now);
	const char *why = NULL;

	if (live == FL_LIVE_NO)
		why = p->bfd.state == FL_BFD_UP ? "came up a moment ago: hold-down"
						: why_down(&p->bfd);
	if (live == p->live && why == p->why_not)
		return;
	p->live = live;
	p->why_not = why;
	p->news |= FL_WATCH_CHANGED;
	w->any_news = true;
}

/* The peer says that it knows nothing of what was before (5.3); or it is another process of its. */
static void came_anew(struct fl_watch *w, struct fl_watched *p, int events, struct fl_mono now)
{
	bool new_boot = events & FL_BFD_EV_NEW_BOOT;
	bool lost = new_boot ? !(p->peer_capability & FL_CAPABLE_KEPT)
			     : !(p->peer_capability & FL_CAPABLE_VECTORS);

	/* An agent is no path: what forwards may never have stopped. */
	if (new_boot && p->live != FL_LIVE_NO && p->live != FL_LIVE_UNWATCHED)
		p->restart_end = fl_mono_add_ms(now, FL_WATCH_RESTART_MS);
	/* That was why it had fallen silent: nothing to be wary of. */
	else if (new_boot && p->peer_capability & FL_CAPABLE_KEPT &&
		 p->bfd.cause == FL_BFD_CAUSE_TIMER_EXPIRY)
		p->no_hold = true;
	if (lost) {
		p->news |= FL_WATCH_PEER_LOST;
		w->any_news = true;
	}
}

void fl_watched_react(struct fl_watch *watch, struct fl_watched *p, int events, struct fl_mono now)
{
	if (events & (FL_BFD_EV_NEW_BOOT | FL_BFD_EV_RESTART))
		came_anew(watch, p, events, now);
	if (events & FL_BFD_EV_DOWN) {
		p->kept = false;
		fl_echo_restart(&p->echo, now);
		if (fl_mono_reached(now, p->restart_end))
			fl_rolling_reset(&p->rolling);
	}
	if (events & FL_BFD_EV_UP) {
		p->kept = p->no_hold || !fl_mono_reached(now, p->restart_end);
		p->no_hold = false;
		p->restart_end = (struct fl_mono){ 0 };
		fl_echo_restart(&p->echo, now);
	}
	if (events & (FL_BFD_EV_DOWN | FL_BFD_EV_UP))
		fl_doubt_reset(&p->doubt, now);
	if (events & FL_BFD_EV_MOVED)
		p->news |= FL_WATCH_MOVED;
	if (events)
		p->news |= FL_WATCH_CHANGED;
	watch->any_news |= p->news != 0;
	update_live(watch, p, now);
	watch->wake[p->spec.id] = now; /* what comes next is worked out by the next run */
}

/* --- sending ---------------------------------------------------------------------------------- */

/* @len bytes of UDP payload are in place behind @head bytes for the headers. */
static void transmit(struct fl_watch *w, struct fl_watched *p, uint8_t *packet, size_t head,
		     size_t len)
{
	const struct fl_meta_endpoint *outer = &p->peer.outer;
	const struct fl_addr *remote = outer->addr.family ? &outer->addr : &p->spec.remote;
	struct fl_ip_spec ip = {
		.tuple = { .family = p->spec.local.family,
			   .sport = FL_BFD_PORT,
			   .dport = outer->addr.family ? outer->port : FL_BFD_PORT },
		.tos = (uint8_t)(p->spec.dscp << 2),
		.ttl = BFD_TTL,
		.df = true,
	};
	int size;

	memcpy(ip.tuple.src, p->spec.local.b, 16);
	memcpy(ip.tuple.dst, remote->b, 16);
	size = fl_packet_build_udp(&ip, packet + head, len, packet, FL_WATCH_PACKET_MAX);
	if (size > 0)
		w->self.queue(w->self.ctx, &p->spec.to, (size_t)size);
}

static void send_control(struct fl_watch *w, struct fl_watched *p, struct fl_mono now)
{
	size_t head = fl_ip_header_len(p->spec.local.family) + sizeof(struct fl_udp);
	struct fl_keyring *ring = fl_rings_at(p->rings, p->spec.tx_policy);
	uint8_t *packet = w->self.room(w->self.ctx);
	char pathway[FL_ADDR_TEXT];
	struct fl_bfd_pkt pkt;
	struct fl_meta meta = {
		.has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_OWN_ENDPOINT) |
		       FL_META_BIT(FL_META_BOOT_ID) | FL_META_BIT(FL_META_CAPABILITY) |
		       FL_META_BIT(FL_META_SOURCE_ROUTER) | FL_META_BIT(FL_META_PATHWAY),
		.own_endpoint = { p->spec.local, FL_BFD_PORT },
		.boot_id = w->self.boot,
		.capability = w->self.capability | (p->spec.proves ? FL_CAPABLE_PROVES : 0),
		.source_router = { w->router, (uint16_t)strlen(w->router) },
	};
	const struct fl_bfd_seal seal = {
		.ring = ring, .unix_s = fl_wall_now_ns() / FL_NS_PER_S, .pkt = &pkt, .meta = &meta
	};
	int len;

	fl_addr_format(&p->spec.local, pathway);
	meta.pathway = (struct fl_meta_name){ pathway, (uint16_t)strlen(pathway) };
	if (p->peer.outer.addr.family) {
		meta.has |= FL_META_BIT(FL_META_SEEN_ENDPOINT);
		meta.seen_endpoint = p->peer.outer;
	}
	fl_bfd_tx(&p->bfd, now, (uint32_t)fl_rand_u64(), &pkt);
	pkt.auth.seq = ++p->tx_seq;
	len = ring ? fl_bfd_seal(&seal, packet + head, FL_WATCH_PACKET_MAX - head) : 0;
	if (len > 0)
		transmit(w, p, packet, head, (size_t)len);
}

static void send_echo(struct fl_watch *w, struct fl_watched *p, const struct fl_meta_echo *echo)
{
	size_t head = fl_ip_header_len(p->spec.local.family) + sizeof(struct fl_udp);
	struct fl_keyring *ring = fl_rings_at(p->rings, p->spec.tx_policy);
	uint8_t *packet = w->self.room(w->self.ctx);
	int len;

	if (!ring)
		return;
	len = fl_bfd_echo_seal(ring, fl_wall_now_ns() / FL_NS_PER_S, echo, packet + head,
			       FL_WATCH_PACKET_MAX - head);
	if (len > 0)
		transmit(w, p, packet, head, (size_t)len);
}

/* --- timers ----------------------------------------------------------------------------------- */

static bool tests_link(const struct fl_watched *p)
{
	return p->bfd.state == FL_BFD_UP && p->bfd.remote_min_echo_us;
}

static void take_results(struct fl_watch *w, struct fl_watched *p, struct fl_mono now)
{
	struct fl_echo_result result;

	while (fl_echo_result(&p->echo, now, &result)) {
		const struct fl_quality mean =
			fl_rolling_mean(&p->rolling, FL_DOUBT_RECENT_MS, now);

		fl_doubt_measured(&p->doubt, &result.quality, mean.loss_ppm, now);
		p->last = result.quality;
		p->burst_at = now;
		fl_rolling_add(&p->rolling, &result.quality, now);
		p->news |= FL_WATCH_CHANGED;
		w->any_news = true;
	}
}

/* Is what the peer's data plane says worth more than the silence of its agent? */
static bool may_probe(const struct fl_watched *p, uint64_t at_ns)
{
	/* One that says what it cannot prove is not silent. */
	return tests_link(p) && p->auth_failed == p->failed_before &&
	       at_ns <= p->control_at.ns + FL_WATCH_AGENT_MS * FL_NS_PER_MS;
}

/*
 * When to ask the peer's data plane, because its agent has been silent for half the detection time:
 * three times in what is left of it.
 */
static struct fl_mono next_probe(const struct fl_watched *p)
{
	uint64_t detection_ns = fl_bfd_detection_us(&p->bfd) * FL_NS_PER_US;
	uint64_t first = p->control_at.ns + detection_ns / 2;
	uint64_t next = p->probed_at.ns + detection_ns / 6;

	if (next < first)
		next = first;
	return (struct fl_mono){ may_probe(p, next) ? next : NEVER };
}

static void send_probe(struct fl_watch *w, struct fl_watched *p, struct fl_mono now)
{
	const struct fl_meta_echo echo = { .burst = FL_WATCH_PROBE,
					   .count = 1,
					   .tx_time_us = now.ns / FL_NS_PER_US };

	send_echo(w, p, &echo);
}

/* The peer's agent is silent: see next_probe(). */
static void probe(struct fl_watch *w, struct fl_watched *p, struct fl_mono now)
{
	if (!fl_mono_reached(now, next_probe(p)))
		return;
	p->probed_at = now;
	send_probe(w, p, now);
}

/*
 * A NAT that has changed is followed by control packets alone (P-38): until then the peer's data
 * plane knows nobody at the new address.
 */
static bool may_doubt(const struct fl_watched *p)
{
	return p->spec.echo_detection && !p->peer.self_nated && !p->peer.peer_nated &&
	       may_probe(p, p->doubt.heard.ns);
}

static struct fl_doubt_path doubt_path(const struct fl_watched *p)
{
	return (struct fl_doubt_path){
		.may_ask = may_doubt(p),
		.mult = p->bfd.remote_mult,
		.detection_us = fl_bfd_detection_us(&p->bfd),
	};
}

/* Its peer is late: is there a path? */
static void doubt(struct fl_watch *w, struct fl_watched *p, struct fl_mono now)
{
	const struct fl_doubt_path path = doubt_path(p);
	struct fl_mono leaves;

	if (!fl_mono_reached(now, fl_doubt_wake(&p->doubt, &path)))
		return;
	switch (fl_doubt_run(&p->doubt, &path, w->self.strain(w->self.ctx), now)) {
	case FL_DOUBT_PROBE:
		leaves = fl_mono_now();
		fl_doubt_sent(&p->doubt, leaves);
		send_probe(w, p, leaves);
		break;
	case FL_DOUBT_DEAD:
		fl_watched_react(w, p, fl_bfd_echo_failed(&p->bfd, now), now);
		break;
	case FL_DOUBT_WAIT:
		break;
	}
}

static struct fl_mono earlier(struct fl_mono a, struct fl_mono b)
{
	return a.ns < b.ns ? a : b;
}

static struct fl_mono wake_of(const struct fl_watched *p)
{
	struct fl_mono wake = { NEVER };
	struct fl_doubt_path path;

	if (!p->spec.enabled)
		return wake;
	wake = fl_bfd_wake(&p->bfd);
	if (tests_link(p)) {
		path = doubt_path(p);
		wake = earlier(earlier(wake, fl_echo_wake(&p->echo)), next_probe(p));
		wake = earlier(wake, fl_doubt_wake(&p->doubt, &path));
	}
	if (p->live == FL_LIVE_RESTARTING)
		wake = earlier(wake, p->restart_end);
	return wake;
}

static void run_path(struct fl_watch *w, struct fl_watched *p, struct fl_mono now)
{
	struct fl_meta_echo echo;

	fl_watched_react(w, p, fl_bfd_tick(&p->bfd, now), now);
	doubt(w, p, now);
	/* An answer to a poll, and the packet that is due. */
	for (int i = 0; i < 2 && fl_bfd_tx_due(&p->bfd, now); i++)
		send_control(w, p, now);
	if (tests_link(p)) {
		probe(w, p, now);
		take_results(w, p, now);
		/* The time in it is that of leaving. */
		while (fl_echo_tx(&p->echo, fl_mono_now(), &echo))
			send_echo(w, p, &echo);
	}
	w->wake[p->spec.id] = wake_of(p);
	w->urgent[p->spec.id] = fl_doubt_is_asking(&p->doubt) || fl_echo_is_sending(&p->echo);
}

void fl_watch_run(struct fl_watch *watch, struct fl_mono now)
{
	for (uint16_t id = 1; id <= watch->limit; id++)
		if (fl_mono_reached(now, watch->wake[id]))
			run_path(watch, watch->path[id], now);
}

struct fl_mono fl_watch_wake(const struct fl_watch *watch)
{
	struct fl_mono wake = { NEVER };

	for (uint16_t id = 1; id <= watch->limit; id++)
		wake = earlier(wake, watch->wake[id]);
	return wake;
}

uint32_t fl_watch_pace_us(const struct fl_watch *watch)
{
	uint32_t pace = UINT32_MAX;

	for (uint16_t id = 1; id <= watch->limit; id++) {
		const struct fl_bfd_cfg *cfg = watch->path[id] ? &watch->path[id]->spec.bfd : NULL;

		if (!cfg || !watch->path[id]->spec.enabled)
			continue;
		if (cfg->desired_tx_us < pace)
			pace = cfg->desired_tx_us;
		if (cfg->required_rx_us < pace)
			pace = cfg->required_rx_us;
	}
	return pace;
}

struct fl_mono fl_watch_urgent(const struct fl_watch *watch)
{
	struct fl_mono urgent = { NEVER };

	for (uint16_t id = 1; id <= watch->limit; id++)
		if (watch->urgent[id])
			urgent = earlier(urgent, watch->wake[id]);
	return urgent;
}

/* --- life ------------------------------------------------------------------------------------- */

int fl_watch_new(const struct fl_watch_self *self, struct fl_watch **ret_watch)
{
	struct fl_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	watch->self = *self;
	for (uint16_t id = 0; id < FL_MAX_PATHS; id++)
		watch->wake[id].ns = NEVER;
	*ret_watch = watch;
	return 0;
}

static void forget(struct fl_watch *watch, uint16_t id)
{
	if (!watch->path[id])
		return;
	/* Should it come back, its peer still knows its numbers. */
	if (watch->path[id]->tx_seq > watch->seq_floor)
		watch->seq_floor = watch->path[id]->tx_seq;
	fl_rings_put(watch->path[id]->rings);
	free(watch->path[id]);
	watch->path[id] = NULL;
	watch->wake[id].ns = NEVER;
	watch->urgent[id] = false;
	while (watch->limit && !watch->path[watch->limit])
		watch->limit--;
}

void fl_watch_free(struct fl_watch *watch)
{
	if (!watch)
		return;
	for (uint16_t id = 1; id <= watch->limit; id++)
		forget(watch, id);
	fl_rings_put(watch->rings);
	free(watch);
}

void fl_watch_configure(struct fl_watch *watch, const char *router, struct fl_rings *rings)
{
	snprintf(watch->router, sizeof(watch->router), "%s", router);
	fl_rings_put(watch->rings);
	watch->rings = rings;
}

static struct fl_watched *add(struct fl_watch *w, const struct fl_watch_spec *spec,
			      struct fl_mono now)
{
	struct fl_watched *p = calloc(1, sizeof(*p));
	uint32_t discr;

	if (!p)
		return NULL;
	/* Never 0, since no path has number 0: see find_control(). */
	discr = (uint32_t)fl_rand_u64() / FL_MAX_PATHS * FL_MAX_PATHS + spec->id;
	fl_bfd_init(&p->bfd, &spec->bfd, discr, now);
	fl_echo_init(&p->echo, &spec->echo, (uint32_t)fl_rand_u64(), now);
	fl_doubt_reset(&p->doubt, now);
	if (spec->was_up)
		p->restart_end = fl_mono_add_ms(now, FL_WATCH_RESTART_MS);
	p->tx_seq = w->seq_floor;
	/* Down until its link is looked at; that is no flap. */
	p->bfd.oper_down = true;
	w->path[spec->id] = p;
	if (spec->id > w->limit)
		w->limit = spec->id;
	return p;
}

/*
 * Out of use by configuration. The peer is told, lest it goes on sending until its detection time
 * is over: in copies (chosen: 3), since nothing follows by which it could learn of it.
 */
static int take_out(struct fl_watch *w, struct fl_watched *p, struct fl_mono now)
{
	int events = fl_bfd_set_admin(&p->bfd, true, now);

	for (int i = 0; i < FAREWELLS && events & FL_BFD_EV_DOWN; i++)
		send_control(w, p, now);
	return events;
}

static void set_enabled(struct fl_watch *w, struct fl_watched *p, bool enabled, struct fl_mono now)
{
	int events;

	if (p->bfd.admin_down == !enabled)
		return;
	events = enabled ? fl_bfd_set_admin(&p->bfd, false, now) : take_out(w, p, now);
	fl_watched_react(w, p, events, now);
}

int fl_watch_set(struct fl_watch *watch, const struct fl_watch_spec *spec, struct fl_mono now)
{
	struct fl_watched *p = watch->path[spec->id];
	int events;

	if (!p)
		p = add(watch, spec, now);
	if (!p)
		return -ENOMEM;
	fl_rings_put(p->rings);
	p->rings = watch->rings ? fl_rings_get(watch->rings) : NULL;
	p->spec = *spec;
	fl_bfd_configure(&p->bfd, &spec->bfd);
	fl_echo_configure(&p->echo, &spec->echo, now);
	set_enabled(watch, p, spec->enabled, now);
	if (!spec->link_up && !p->bfd.oper_down)
		p->restart_end = (struct fl_mono){ 0 };
	events = fl_bfd_set_oper(&p->bfd, !spec->link_up, now);
	fl_watched_react(watch, p, events, now);
	return 0;
}

void fl_watch_remove(struct fl_watch *watch, uint16_t id, struct fl_mono now)
{
	struct fl_watched *p = watch->path[id];

	if (p && p->spec.enabled)
		take_out(watch, p, now);
	forget(watch, id);
}

/* --- questions -------------------------------------------------------------------------------- */

unsigned int fl_watch_news(struct fl_watch *watch, uint16_t *ret_id)
{
	if (!watch->any_news)
		return 0;
	for (uint16_t id = 1; id <= watch->limit; id++) {
		unsigned int news = watch->path[id] ? watch->path[id]->news : 0;

		if (!news)
			continue;
		watch->path[id]->news = 0;
		*ret_id = id;
		return news;
	}
	watch->any_news = false;
	return 0;
}

bool fl_watch_has_news(const struct fl_watch *watch)
{
	return watch->any_news;
}

static void fill_bfd(const struct fl_watched *p, struct fl_path_quality *q)
{
	const struct fl_bfd *bfd = &p->bfd;
	uint64_t detection = fl_bfd_detection_us(bfd);

	q->state = bfd->state;
	q->remote_state = bfd->remote_state;
	q->diag = bfd->diag;
	q->remote_diag = bfd->remote_diag;
	q->cause = bfd->cause;
	q->since = bfd->since;
	q->usable_at = bfd->usable_at;
	q->hold_down_ms = bfd->hold_ms;
	q->ups = bfd->ups;
	memcpy(q->downs, bfd->downs, sizeof(q->downs));
	q->detection_us = detection > UINT32_MAX ? UINT32_MAX : (uint32_t)detection;
	q->tx_interval_us = fl_bfd_tx_interval_us(bfd);
	q->tx_packets = bfd->tx_packets;
	q->rx_packets = bfd->rx_packets;
}

void fl_watch_quality(const struct fl_watch *watch, uint16_t id, struct fl_mono now,
		      struct fl_path_quality *ret_quality)
{
	const struct fl_watched *p = id < FL_MAX_PATHS ? watch->path[id] : NULL;
	struct fl_path_quality *q = ret_quality;

	*q = (struct fl_path_quality){ 0 };
	if (!p)
		return;
	q->live = p->live;
	q->why_not = p->why_not;
	if (!p->spec.enabled)
		return;
	fill_bfd(p, q);
	q->peer_nated = p->peer.peer_nated;
	q->self_nated = p->peer.self_nated;
	q->heard = p->control_at.ns != 0;
	q->proves = p->peer_capability & FL_CAPABLE_PROVES;
	q->vector_switch = p->peer_capability & FL_CAPABLE_VECTORS;
	q->nat_moves = p->peer.moves;
	q->peer_boots = p->peer.boots;
	q->outer = p->peer.outer.addr;
	q->outer_port = p->peer.outer.port;
	q->seen = p->seen.addr;
	q->seen_port = p->seen.port;
	q->auth_failed = p->auth_failed;
	q->replayed = p->peer.replayed;
	q->last = p->last;
	q->mean = fl_rolling_mean(&p->rolling, p->spec.rolling_ms, now);
	q->burst_at = p->burst_at;
	q->last_mos_x100 = fl_mos_of(&q->last);
	q->mean_mos_x100 = fl_mos_of(&q->mean);
	q->echo_sent = p->echo.sent;
	q->echo_received = p->echo.received;
}

uint64_t fl_watch_strangers(const struct fl_watch *watch)
{
	return watch->strangers;
}
