// SPDX-License-Identifier: Apache-2.0
/* The BFD state machine: see bfd_fsm.h. Section numbers are those of RFC 5880. */
#include "agent/path/bfd_fsm.h"

#include <errno.h>

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static struct fl_mono later(struct fl_mono t, uint64_t us)
{
	return (struct fl_mono){ t.ns + us * FL_NS_PER_US };
}

static bool in_range(uint32_t value, uint32_t min, uint32_t max)
{
	return value >= min && value <= max;
}

int fl_bfd_cfg_check(const struct fl_bfd_cfg *cfg)
{
	if (!in_range(cfg->desired_tx_us, FL_BFD_TX_MIN_US, FL_BFD_TX_MAX_US) ||
	    !in_range(cfg->required_rx_us, FL_BFD_TX_MIN_US, FL_BFD_TX_MAX_US) ||
	    cfg->required_echo_us > FL_BFD_TX_MAX_US ||
	    !in_range(cfg->detect_mult, FL_BFD_MULT_MIN, FL_BFD_MULT_MAX) ||
	    !in_range(cfg->hold_down_ms, FL_BFD_HOLD_MIN_MS, FL_BFD_HOLD_MAX_MS) ||
	    !in_range(cfg->max_hold_down_ms, FL_BFD_HOLD_MIN_MS, FL_BFD_HOLD_LIMIT_MS))
		return -ERANGE;
	return 0;
}

/* --- intervals -------------------------------------------------------------------------------- */

/*
 * Announce what the configuration and the state ask for (6.8.3). While up, the peer must have heard
 * of a longer transmit interval, or of a shorter receive interval, before it is used.
 */
static void update_intervals(struct fl_bfd *bfd, uint32_t old_rx_us)
{
	bool up = bfd->state == FL_BFD_UP;
	uint32_t desired =
		up ? bfd->cfg.desired_tx_us : max_u32(bfd->cfg.desired_tx_us, FL_BFD_SLOW_TX_US);
	bool changed = desired != bfd->desired_tx_us || bfd->cfg.required_rx_us != old_rx_us;

	bfd->desired_tx_us = desired;
	if (!up || desired < bfd->used_tx_us)
		bfd->used_tx_us = desired;
	if (!up || bfd->cfg.required_rx_us > bfd->used_rx_us)
		bfd->used_rx_us = bfd->cfg.required_rx_us;
	if (!up) {
		bfd->poll = bfd->poll_again = false;
	} else if (changed) {
		bfd->poll_again = bfd->poll;
		bfd->poll = true;
	}
}

/* The peer has confirmed what we announced when the poll sequence began (6.5). */
static void end_poll(struct fl_bfd *bfd)
{
	if (!bfd->poll)
		return;
	bfd->poll = bfd->poll_again;
	bfd->poll_again = false;
	if (bfd->poll)
		return;
	bfd->used_tx_us = bfd->desired_tx_us;
	bfd->used_rx_us = bfd->cfg.required_rx_us;
}

uint32_t fl_bfd_tx_interval_us(const struct fl_bfd *bfd)
{
	if (!bfd->remote_min_rx_us)
		return 0;
	return max_u32(bfd->used_tx_us, bfd->remote_min_rx_us);
}

uint64_t fl_bfd_detection_us(const struct fl_bfd *bfd)
{
	if (!bfd->remote_mult)
		return (uint64_t)bfd->cfg.detect_mult * bfd->used_rx_us;
	return (uint64_t)bfd->remote_mult * max_u32(bfd->used_rx_us, bfd->remote_desired_tx_us);
}

uint32_t fl_bfd_jittered_us(uint32_t interval_us, uint8_t detect_mult, uint32_t random)
{
	uint64_t span_pct = detect_mult == 1 ? 15 : 25;
	uint64_t low = ((uint64_t)interval_us * 3 + 3) / 4;

	return (uint32_t)(low + (uint64_t)interval_us * span_pct / 100 * random / UINT32_MAX);
}

/* --- states ----------------------------------------------------------------------------------- */

static void set_state(struct fl_bfd *bfd, enum fl_bfd_state state, struct fl_mono now)
{
	bfd->state = state;
	bfd->since = now;
	bfd->tx_now = true; /* 6.8.7: the content differs from that sent before */
	update_intervals(bfd, bfd->cfg.required_rx_us);
}

static int go_up(struct fl_bfd *bfd, struct fl_mono now)
{
	bfd->ups++;
	bfd->diag = FL_BFD_DIAG_NONE;
	bfd->usable = false;
	bfd->usable_at = fl_mono_add_ms(now, bfd->hold_ms);
	set_state(bfd, FL_BFD_UP, now);
	return FL_BFD_EV_UP;
}

/* It went down before its hold-down was over (5.1: dynamic damping). */
static void flapped(struct fl_bfd *bfd)
{
	uint32_t max_ms = max_u32(bfd->cfg.max_hold_down_ms, bfd->cfg.hold_down_ms);

	if (!bfd->cfg.damping) {
		bfd->hold_ms = bfd->cfg.hold_down_ms;
	} else if (bfd->hold_ms < max_ms) {
		bfd->hold_ms = bfd->hold_ms > max_ms / 2 ? max_ms : 2 * bfd->hold_ms;
	} else if (++bfd->flaps_at_max >= FL_BFD_FLAPS_AT_MAX) {
		bfd->hold_ms = bfd->cfg.hold_down_ms;
		bfd->flaps_at_max = 0;
	}
}

static int go_down(struct fl_bfd *bfd, enum fl_bfd_state state, enum fl_bfd_cause cause,
		   enum fl_bfd_diag diag, struct fl_mono now)
{
	bool was_up = bfd->state == FL_BFD_UP;

	if (was_up) {
		bfd->cause = cause;
		bfd->downs[cause]++;
		if (!bfd->usable)
			flapped(bfd);
	}
	bfd->usable = false;
	bfd->diag = diag;
	set_state(bfd, state, now);
	return was_up ? FL_BFD_EV_DOWN : 0;
}

void fl_bfd_init(struct fl_bfd *bfd, const struct fl_bfd_cfg *cfg, uint32_t discr,
		 struct fl_mono now)
{
	*bfd = (struct fl_bfd){ .cfg = *cfg,
				.remote_state = FL_BFD_DOWN,
				.local_discr = discr,
				.remote_min_rx_us = 1, /* 6.8.1 */
				.hold_ms = cfg->hold_down_ms,
				.last_rx = now,
				.last_tx = now };
	set_state(bfd, FL_BFD_DOWN, now);
}

void fl_bfd_configure(struct fl_bfd *bfd, const struct fl_bfd_cfg *cfg)
{
	uint32_t old_rx_us = bfd->cfg.required_rx_us;

	if (cfg->hold_down_ms != bfd->cfg.hold_down_ms ||
	    cfg->max_hold_down_ms != bfd->cfg.max_hold_down_ms ||
	    cfg->damping != bfd->cfg.damping) {
		bfd->hold_ms = cfg->hold_down_ms;
		bfd->flaps_at_max = 0;
	}
	bfd->cfg = *cfg;
	update_intervals(bfd, old_rx_us);
}

/* --- events ----------------------------------------------------------------------------------- */

/* What the peer's packet says about the peer (6.8.6). */
static int learn(struct fl_bfd *bfd, const struct fl_bfd_pkt *pkt)
{
	bool restarted = bfd->remote_discr && bfd->remote_discr != pkt->my_discr;

	bfd->remote_discr = pkt->my_discr;
	bfd->remote_state = pkt->state;
	bfd->remote_diag = pkt->diag;
	bfd->remote_mult = pkt->detect_mult;
	bfd->remote_desired_tx_us = pkt->desired_tx_us;
	bfd->remote_min_rx_us = pkt->required_rx_us;
	bfd->remote_min_echo_us = pkt->required_echo_us;
	return restarted ? FL_BFD_EV_RESTART : 0;
}

/* 6.8.6, the part about states. */
static int react(struct fl_bfd *bfd, enum fl_bfd_state received, struct fl_mono now)
{
	switch (received) {
	case FL_BFD_ADMIN_DOWN:
		if (bfd->state == FL_BFD_DOWN)
			return 0;
		return go_down(bfd, FL_BFD_DOWN, FL_BFD_CAUSE_REMOTE_ADMIN_DOWN,
			       FL_BFD_DIAG_NEIGHBOR_DOWN, now);
	case FL_BFD_DOWN:
		if (bfd->state == FL_BFD_DOWN)
			set_state(bfd, FL_BFD_INIT, now);
		if (bfd->state != FL_BFD_UP)
			return 0;
		return FL_BFD_EV_RESTART | go_down(bfd, FL_BFD_DOWN, FL_BFD_CAUSE_REMOTE_DOWN,
						   FL_BFD_DIAG_NEIGHBOR_DOWN, now);
	case FL_BFD_INIT:
		return bfd->state == FL_BFD_UP ? 0 : go_up(bfd, now);
	case FL_BFD_UP:
		return bfd->state == FL_BFD_INIT ? go_up(bfd, now) : 0;
	}
	return 0;
}

int fl_bfd_rx(struct fl_bfd *bfd, const struct fl_bfd_pkt *pkt, struct fl_mono at)
{
	int events, err = 0;

	if (pkt->your_discr && pkt->your_discr != bfd->local_discr)
		err = -ENOENT;
	else if (pkt->demand)
		err = -EOPNOTSUPP;
	else if (bfd->oper_down)
		err = -ENETDOWN;
	if (err < 0) {
		bfd->rx_ignored++;
		return err;
	}
	bfd->rx_packets++;
	events = learn(bfd, pkt);
	if (pkt->final)
		end_poll(bfd);
	if (pkt->poll)
		bfd->final_due = true;
	if (at.ns > bfd->last_rx.ns)
		bfd->last_rx = at;
	if (bfd->state == FL_BFD_ADMIN_DOWN) {
		bfd->final_due = false;
		return -ESHUTDOWN;
	}
	return events | react(bfd, pkt->state, at);
}

void fl_bfd_heard(struct fl_bfd *bfd, struct fl_mono at)
{
	if (bfd->state == FL_BFD_UP && at.ns > bfd->last_rx.ns)
		bfd->last_rx = at;
}

static struct fl_mono detection_end(const struct fl_bfd *bfd)
{
	return later(bfd->last_rx, fl_bfd_detection_us(bfd));
}

int fl_bfd_tick(struct fl_bfd *bfd, struct fl_mono now)
{
	int events = 0;

	if (bfd->remote_discr && fl_mono_reached(now, detection_end(bfd))) {
		bfd->remote_discr = 0; /* 6.8.1 */
		bfd->remote_state = FL_BFD_DOWN;
		if (bfd->state == FL_BFD_INIT || bfd->state == FL_BFD_UP)
			events = go_down(bfd, FL_BFD_DOWN, FL_BFD_CAUSE_TIMER_EXPIRY,
					 FL_BFD_DIAG_TIMER_EXPIRED, now);
	}
	if (bfd->state == FL_BFD_UP && !bfd->usable && fl_mono_reached(now, bfd->usable_at)) {
		bfd->usable = true;
		bfd->hold_ms = bfd->cfg.hold_down_ms;
		bfd->flaps_at_max = 0;
		events |= FL_BFD_EV_USABLE;
	}
	return events;
}

int fl_bfd_echo_failed(struct fl_bfd *bfd, struct fl_mono now)
{
	if (bfd->state != FL_BFD_UP)
		return 0;
	return go_down(bfd, FL_BFD_DOWN, FL_BFD_CAUSE_ECHO_FAILED, FL_BFD_DIAG_ECHO_FAILED, now);
}

int fl_bfd_set_admin(struct fl_bfd *bfd, bool down, struct fl_mono now)
{
	if (down == bfd->admin_down)
		return 0;
	bfd->admin_down = down;
	if (down)
		return go_down(bfd, FL_BFD_ADMIN_DOWN, FL_BFD_CAUSE_LOCAL_ADMIN_DOWN,
			       FL_BFD_DIAG_ADMIN_DOWN, now);
	set_state(bfd, FL_BFD_DOWN, now);
	return 0;
}

int fl_bfd_set_oper(struct fl_bfd *bfd, bool down, struct fl_mono now)
{
	if (down == bfd->oper_down)
		return 0;
	bfd->oper_down = down;
	bfd->tx_now = true;
	if (!down || bfd->state == FL_BFD_ADMIN_DOWN)
		return 0;
	return go_down(bfd, FL_BFD_DOWN, FL_BFD_CAUSE_LOCAL_OPER_DOWN, FL_BFD_DIAG_PATH_DOWN, now);
}

/* --- sending ---------------------------------------------------------------------------------- */

static struct fl_mono next_tx(const struct fl_bfd *bfd)
{
	uint32_t interval = fl_bfd_tx_interval_us(bfd);

	if (!interval)
		return (struct fl_mono){ UINT64_MAX };
	return later(bfd->last_tx,
		     fl_bfd_jittered_us(interval, bfd->cfg.detect_mult, bfd->tx_random));
}

bool fl_bfd_tx_due(const struct fl_bfd *bfd, struct fl_mono now)
{
	if (bfd->oper_down)
		return false;
	/* 6.8.7: nothing but answers to a peer that wants no periodic packets. */
	if (bfd->final_due)
		return true;
	return bfd->remote_min_rx_us && (bfd->tx_now || fl_mono_reached(now, next_tx(bfd)));
}

void fl_bfd_tx(struct fl_bfd *bfd, struct fl_mono now, uint32_t random, struct fl_bfd_pkt *ret_pkt)
{
	*ret_pkt = (struct fl_bfd_pkt){
		.state = bfd->state,
		.diag = bfd->diag,
		.detect_mult = bfd->cfg.detect_mult,
		.poll = bfd->poll && !bfd->final_due,
		.final = bfd->final_due,
		.my_discr = bfd->local_discr,
		.your_discr = bfd->remote_discr,
		.desired_tx_us = bfd->desired_tx_us,
		.required_rx_us = bfd->cfg.required_rx_us,
		.required_echo_us = bfd->cfg.required_echo_us,
	};
	bfd->tx_packets++;
	/* An answer is beside the schedule, or two sides that poll would keep each other from it.
	 */
	if (bfd->final_due && !bfd->tx_now) {
		bfd->final_due = false;
		return;
	}
	bfd->final_due = false;
	bfd->tx_now = false;
	bfd->last_tx = now;
	bfd->tx_random = random;
}

struct fl_mono fl_bfd_wake(const struct fl_bfd *bfd)
{
	struct fl_mono wake = { UINT64_MAX }, t;

	if (!bfd->oper_down) {
		wake = next_tx(bfd);
		if (bfd->final_due || (bfd->tx_now && bfd->remote_min_rx_us))
			wake = bfd->last_tx;
	}
	if (bfd->remote_discr) {
		t = detection_end(bfd);
		if (t.ns < wake.ns)
			wake = t;
	}
	if (bfd->state == FL_BFD_UP && !bfd->usable && bfd->usable_at.ns < wake.ns)
		wake = bfd->usable_at;
	return wake;
}

const char *fl_bfd_cause_name(enum fl_bfd_cause cause)
{
	static const char *const names[] = {
		[FL_BFD_CAUSE_NONE] = "none",
		[FL_BFD_CAUSE_TIMER_EXPIRY] = "timer-expiry",
		[FL_BFD_CAUSE_ECHO_FAILED] = "echo-failed",
		[FL_BFD_CAUSE_REMOTE_DOWN] = "remote-down",
		[FL_BFD_CAUSE_REMOTE_ADMIN_DOWN] = "remote-admin-down",
		[FL_BFD_CAUSE_LOCAL_OPER_DOWN] = "local-oper-down",
		[FL_BFD_CAUSE_LOCAL_ADMIN_DOWN] = "local-admin-down",
	};

	return (unsigned int)cause < FL_BFD_CAUSE_MAX ? names[cause] : "unknown";
}
