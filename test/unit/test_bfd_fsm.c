// SPDX-License-Identifier: Apache-2.0
/* The BFD state machine: every (state, event) pair, detection, restarts. */
#include <errno.h>

#include "test/unit/bfd_session.h"

/* --- every (state, event) pair ---------------------------------------------------------------- */

enum event {
	RX_ADMIN_DOWN,
	RX_DOWN,
	RX_INIT,
	RX_UP,
	TIMER,
	ADMIN_DOWN,
	ADMIN_UP,
	OPER_DOWN,
	OPER_UP,
	EVENTS,
};

static int happen(struct fl_bfd *b, enum event event)
{
	switch (event) {
	case RX_ADMIN_DOWN:
	case RX_DOWN:
	case RX_INIT:
	case RX_UP:
		return hear(b, (enum fl_bfd_state)event, 10);
	case TIMER:
		return fl_bfd_tick(b, at_ms(100000));
	case ADMIN_DOWN:
	case ADMIN_UP:
		return fl_bfd_set_admin(b, event == ADMIN_DOWN, at_ms(10));
	case OPER_DOWN:
	case OPER_UP:
	case EVENTS:
		break;
	}
	return fl_bfd_set_oper(b, event == OPER_DOWN, at_ms(10));
}

#define DOWN_BY (FL_BFD_EV_DOWN)
#define N       FL_BFD_DIAG_NONE
#define NB      FL_BFD_DIAG_NEIGHBOR_DOWN
#define TI      FL_BFD_DIAG_TIMER_EXPIRED
#define AD      FL_BFD_DIAG_ADMIN_DOWN
#define PD      FL_BFD_DIAG_PATH_DOWN

static const struct {
	enum fl_bfd_state state;
	enum event event;
	int ret;
	enum fl_bfd_state next;
	enum fl_bfd_diag diag;
	enum fl_bfd_cause cause;
} pairs[] = {
	{ FL_BFD_ADMIN_DOWN, RX_ADMIN_DOWN, -ESHUTDOWN, FL_BFD_ADMIN_DOWN, AD, 0 },
	{ FL_BFD_ADMIN_DOWN, RX_DOWN, -ESHUTDOWN, FL_BFD_ADMIN_DOWN, AD, 0 },
	{ FL_BFD_ADMIN_DOWN, RX_INIT, -ESHUTDOWN, FL_BFD_ADMIN_DOWN, AD, 0 },
	{ FL_BFD_ADMIN_DOWN, RX_UP, -ESHUTDOWN, FL_BFD_ADMIN_DOWN, AD, 0 },
	{ FL_BFD_ADMIN_DOWN, TIMER, 0, FL_BFD_ADMIN_DOWN, AD, 0 },
	{ FL_BFD_ADMIN_DOWN, ADMIN_DOWN, 0, FL_BFD_ADMIN_DOWN, AD, 0 },
	{ FL_BFD_ADMIN_DOWN, ADMIN_UP, 0, FL_BFD_DOWN, AD, 0 },
	{ FL_BFD_ADMIN_DOWN, OPER_DOWN, 0, FL_BFD_ADMIN_DOWN, AD, 0 },
	{ FL_BFD_ADMIN_DOWN, OPER_UP, 0, FL_BFD_ADMIN_DOWN, AD, 0 },
	{ FL_BFD_DOWN, RX_ADMIN_DOWN, 0, FL_BFD_DOWN, N, 0 },
	{ FL_BFD_DOWN, RX_DOWN, 0, FL_BFD_INIT, N, 0 },
	{ FL_BFD_DOWN, RX_INIT, FL_BFD_EV_UP, FL_BFD_UP, N, 0 },
	{ FL_BFD_DOWN, RX_UP, 0, FL_BFD_DOWN, N, 0 },
	{ FL_BFD_DOWN, TIMER, 0, FL_BFD_DOWN, N, 0 },
	{ FL_BFD_DOWN, ADMIN_DOWN, 0, FL_BFD_ADMIN_DOWN, AD, 0 },
	{ FL_BFD_DOWN, ADMIN_UP, 0, FL_BFD_DOWN, N, 0 },
	{ FL_BFD_DOWN, OPER_DOWN, 0, FL_BFD_DOWN, PD, 0 },
	{ FL_BFD_DOWN, OPER_UP, 0, FL_BFD_DOWN, N, 0 },
	{ FL_BFD_INIT, RX_ADMIN_DOWN, 0, FL_BFD_DOWN, NB, 0 },
	{ FL_BFD_INIT, RX_DOWN, 0, FL_BFD_INIT, N, 0 },
	{ FL_BFD_INIT, RX_INIT, FL_BFD_EV_UP, FL_BFD_UP, N, 0 },
	{ FL_BFD_INIT, RX_UP, FL_BFD_EV_UP, FL_BFD_UP, N, 0 },
	{ FL_BFD_INIT, TIMER, 0, FL_BFD_DOWN, TI, 0 },
	{ FL_BFD_INIT, ADMIN_DOWN, 0, FL_BFD_ADMIN_DOWN, AD, 0 },
	{ FL_BFD_INIT, ADMIN_UP, 0, FL_BFD_INIT, N, 0 },
	{ FL_BFD_INIT, OPER_DOWN, 0, FL_BFD_DOWN, PD, 0 },
	{ FL_BFD_INIT, OPER_UP, 0, FL_BFD_INIT, N, 0 },
	{ FL_BFD_UP, RX_ADMIN_DOWN, DOWN_BY, FL_BFD_DOWN, NB, FL_BFD_CAUSE_REMOTE_ADMIN_DOWN },
	{ FL_BFD_UP, RX_DOWN, DOWN_BY | FL_BFD_EV_RESTART, FL_BFD_DOWN, NB,
	  FL_BFD_CAUSE_REMOTE_DOWN },
	{ FL_BFD_UP, RX_INIT, 0, FL_BFD_UP, N, 0 },
	{ FL_BFD_UP, RX_UP, 0, FL_BFD_UP, N, 0 },
	{ FL_BFD_UP, TIMER, DOWN_BY, FL_BFD_DOWN, TI, FL_BFD_CAUSE_TIMER_EXPIRY },
	{ FL_BFD_UP, ADMIN_DOWN, DOWN_BY, FL_BFD_ADMIN_DOWN, AD, FL_BFD_CAUSE_LOCAL_ADMIN_DOWN },
	{ FL_BFD_UP, ADMIN_UP, 0, FL_BFD_UP, N, 0 },
	{ FL_BFD_UP, OPER_DOWN, DOWN_BY, FL_BFD_DOWN, PD, FL_BFD_CAUSE_LOCAL_OPER_DOWN },
	{ FL_BFD_UP, OPER_UP, 0, FL_BFD_UP, N, 0 },
};

Test(bfd_fsm, every_pair)
{
	cr_assert_eq(sizeof(pairs) / sizeof(pairs[0]), FL_BFD_STATE_MAX * EVENTS);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct fl_bfd b = in_state(pairs[i].state);
		uint32_t downs = 0;

		/* The table is complete and in order. */
		cr_assert_eq(pairs[i].state, i / EVENTS);
		cr_assert_eq(pairs[i].event, i % EVENTS);
		cr_assert_eq(happen(&b, pairs[i].event), pairs[i].ret, "row %zu", i);
		cr_assert_eq(b.state, pairs[i].next, "row %zu: %d", i, b.state);
		cr_assert_eq(b.diag, pairs[i].diag, "row %zu: diag %d", i, b.diag);
		cr_assert_eq(b.cause, pairs[i].cause, "row %zu", i);
		for (int c = 0; c < FL_BFD_CAUSE_MAX; c++)
			downs += b.downs[c];
		cr_assert_eq(downs, pairs[i].cause != 0);
		cr_assert_eq(b.downs[pairs[i].cause], pairs[i].cause != 0);
		cr_assert_eq(b.ups, (pairs[i].state == FL_BFD_UP) + (pairs[i].ret == FL_BFD_EV_UP));
		cr_assert(!b.usable);
		/* A new state is told at once, and from then on slowly unless it is Up. */
		if (pairs[i].state != pairs[i].next) {
			cr_assert(fl_bfd_tx_due(&b, at_ms(10)) == !b.oper_down);
			cr_assert_eq(b.desired_tx_us, b.state == FL_BFD_UP ? 50000 : 1000000);
		}
	}
}

/* What is refused changes nothing but the counter. */
Test(bfd_fsm, ignored)
{
	struct fl_bfd b = in_state(FL_BFD_UP);
	struct fl_bfd_pkt pkt = said(FL_BFD_DOWN);

	pkt.your_discr = LOCAL + 1;
	cr_assert_eq(fl_bfd_rx(&b, &pkt, at_ms(10)), -ENOENT);
	pkt = said(FL_BFD_DOWN);
	pkt.demand = true;
	cr_assert_eq(fl_bfd_rx(&b, &pkt, at_ms(10)), -EOPNOTSUPP);
	cr_assert(b.state == FL_BFD_UP && b.rx_ignored == 2 && b.last_rx.ns == at_ms(0).ns);
	fl_bfd_set_oper(&b, true, at_ms(10));
	cr_assert_eq(hear(&b, FL_BFD_DOWN, 20), -ENETDOWN);
	cr_assert_eq(b.state, FL_BFD_DOWN);
	cr_assert(!fl_bfd_tx_due(&b, at_ms(100000)));
	fl_bfd_set_oper(&b, false, at_ms(30));
	cr_assert(fl_bfd_tx_due(&b, at_ms(30)));
	hear(&b, FL_BFD_DOWN, 40);
	cr_assert_eq(b.state, FL_BFD_INIT);
}

/* RFC 5880 6.2: both sides from Down to Up, each hearing only what the other said. */
Test(bfd_fsm, three_way_handshake)
{
	struct fl_bfd a, b;
	struct fl_bfd_pkt pkt;

	fl_bfd_init(&a, &fast, LOCAL, at_ms(0));
	fl_bfd_init(&b, &fast, REMOTE, at_ms(0));
	for (uint64_t ms = 0; ms < 100; ms++) {
		if (fl_bfd_tx_due(&a, at_ms(ms))) {
			fl_bfd_tx(&a, at_ms(ms), 0, &pkt);
			fl_bfd_rx(&b, &pkt, at_ms(ms));
		}
		if (fl_bfd_tx_due(&b, at_ms(ms))) {
			fl_bfd_tx(&b, at_ms(ms), 0, &pkt);
			fl_bfd_rx(&a, &pkt, at_ms(ms));
		}
	}
	cr_assert(a.state == FL_BFD_UP && b.state == FL_BFD_UP);
	cr_assert(a.remote_discr == REMOTE && b.remote_discr == LOCAL);
	cr_assert(!a.poll && !b.poll && a.used_tx_us == 50000 && b.used_tx_us == 50000);
	cr_assert_lt(a.tx_packets + b.tx_packets, 16);
}

/* --- detection -------------------------------------------------------------------------------- */

Test(bfd_fsm, detection_time)
{
	static const struct {
		uint32_t own_rx_us;
		uint32_t peer_tx_us;
		uint8_t peer_mult;
		uint64_t want_us;
	} rows[] = {
		{ 50000, 50000, 3, 150000 },      /* as fast as it goes */
		{ 500000, 50000, 3, 1500000 },    /* we cannot receive so fast */
		{ 50000, 1000000, 3, 3000000 },   /* it does not send so fast */
		{ 1000000, 50000, 20, 20000000 }, /* it is the sender's multiplier */
		{ 600000000, 600000000, 255, 153000000000 },
		{ 50000, 0, 3, 150000 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fl_bfd_cfg cfg = fast;
		struct fl_bfd_pkt pkt = said(FL_BFD_INIT);
		struct fl_bfd b;
		uint64_t end;

		cfg.required_rx_us = rows[i].own_rx_us;
		pkt.desired_tx_us = rows[i].peer_tx_us;
		pkt.detect_mult = rows[i].peer_mult;
		fl_bfd_init(&b, &cfg, LOCAL, at_ms(0));
		cr_assert_eq(fl_bfd_detection_us(&b), 3ULL * rows[i].own_rx_us);
		cr_assert_eq(fl_bfd_rx(&b, &pkt, at_ms(0)), FL_BFD_EV_UP);
		cr_assert_eq(fl_bfd_detection_us(&b), rows[i].want_us, "row %zu", i);
		end = at_ms(0).ns + rows[i].want_us * 1000;
		cr_assert_eq(fl_bfd_tick(&b, (struct fl_mono){ end - 1 }) & FL_BFD_EV_DOWN, 0);
		cr_assert_eq(fl_bfd_tick(&b, (struct fl_mono){ end }), FL_BFD_EV_DOWN, "row %zu",
			     i);
		cr_assert(b.state == FL_BFD_DOWN && !b.remote_discr);
	}
}

/* Every packet, and what the data plane heard, starts it anew; old news does not. */
Test(bfd_fsm, detection_restarts)
{
	struct fl_bfd b = in_state(FL_BFD_UP);

	hear(&b, FL_BFD_UP, 100);
	cr_assert_eq(fl_bfd_tick(&b, at_ms(249)), 0);
	fl_bfd_heard(&b, at_ms(200));
	fl_bfd_heard(&b, at_ms(120));
	hear(&b, FL_BFD_UP, 110);
	cr_assert_eq(fl_bfd_tick(&b, at_ms(349)), 0);
	cr_assert_eq(fl_bfd_tick(&b, at_ms(350)), FL_BFD_EV_DOWN);
	fl_bfd_heard(&b, at_ms(360));
	cr_assert_eq(b.state, FL_BFD_DOWN);
}

/* An owner that was busy for two seconds, but reads what arrived before it looks at the clock. */
Test(bfd_fsm, busy_owner)
{
	struct fl_bfd b = in_state(FL_BFD_UP);

	for (uint64_t ms = 40; ms <= 2000; ms += 40)
		cr_assert_eq(hear(&b, FL_BFD_UP, ms), 0);
	cr_assert_eq(fl_bfd_tick(&b, at_ms(2040)), 0);
	cr_assert_eq(b.state, FL_BFD_UP);
}

/* A peer that went silent while we were down is unknown again (RFC 5880 6.8.1). */
Test(bfd_fsm, forgets_discriminator)
{
	struct fl_bfd b = in_state(FL_BFD_DOWN);

	hear(&b, FL_BFD_ADMIN_DOWN, 0);
	cr_assert_eq(b.remote_discr, REMOTE);
	cr_assert_eq(fl_bfd_tick(&b, at_ms(149)), 0);
	cr_assert_eq(b.remote_discr, REMOTE);
	cr_assert_eq(fl_bfd_tick(&b, at_ms(150)), 0);
	cr_assert_eq(b.remote_discr, 0);
}

Test(bfd_fsm, peer_restart)
{
	struct fl_bfd b = in_state(FL_BFD_UP);
	struct fl_bfd_pkt pkt = said(FL_BFD_UP);

	pkt.my_discr = 0x33;
	cr_assert_eq(fl_bfd_rx(&b, &pkt, at_ms(10)), FL_BFD_EV_RESTART);
	cr_assert_eq(fl_bfd_rx(&b, &pkt, at_ms(20)), 0);
	/* As a peer that has just started says it: it does not know us. */
	pkt = said(FL_BFD_DOWN);
	pkt.your_discr = 0;
	pkt.my_discr = 0x44;
	cr_assert_eq(fl_bfd_rx(&b, &pkt, at_ms(30)), FL_BFD_EV_RESTART | FL_BFD_EV_DOWN);
	cr_assert_eq(b.state, FL_BFD_DOWN);
}
