// SPDX-License-Identifier: Apache-2.0
/* The BFD state machine: when packets are sent, poll sequences, jitter, hold-down and damping. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "test/unit/bfd_session.h"

/* --- transmission ----------------------------------------------------------------------------- */

Test(bfd_timers, transmit_interval)
{
	static const struct {
		uint32_t own_tx_us;
		uint32_t peer_rx_us;
		uint32_t want_us;
	} rows[] = { { 50000, 50000, 50000 },
		     { 50000, 1000000, 1000000 },
		     { 1000000, 50000, 1000000 },
		     { 600000000, 1, 600000000 },
		     { 50000, 0, 0 } /* it wants none */ };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fl_bfd_cfg cfg = fast;
		struct fl_bfd_pkt pkt = said(FL_BFD_INIT);
		struct fl_bfd b;

		cfg.desired_tx_us = rows[i].own_tx_us;
		pkt.required_rx_us = rows[i].peer_rx_us;
		fl_bfd_init(&b, &cfg, LOCAL, at_ms(0));
		fl_bfd_rx(&b, &pkt, at_ms(0));
		cr_assert_eq(fl_bfd_tx_interval_us(&b), rows[i].want_us, "row %zu", i);
		if (rows[i].want_us)
			continue;
		cr_assert(!fl_bfd_tx_due(&b, at_ms(1000000)));
		pkt.poll = true;
		fl_bfd_rx(&b, &pkt, at_ms(0));
		cr_assert(fl_bfd_tx_due(&b, at_ms(0))); /* an answer all the same */
	}
}

Test(bfd_timers, jitter_range)
{
	static const struct {
		uint32_t interval_us;
		uint8_t mult;
		uint32_t low_us;
		uint32_t high_us;
	} rows[] = {
		{ 50000, 3, 37500, 50000 }, { 1000000, 3, 750000, 1000000 },
		{ 50000, 1, 37500, 45000 }, { 1000000, 1, 750000, 900000 },
		{ 50000, 2, 37500, 50000 }, { 600000000, 20, 450000000, 600000000 },
		{ 50001, 3, 37501, 50001 }, { UINT32_MAX, 3, 3221225472, UINT32_MAX },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t sum = 0, random = 1;
		uint32_t low = UINT32_MAX, high = 0;

		cr_assert_eq(fl_bfd_jittered_us(rows[i].interval_us, rows[i].mult, 0),
			     rows[i].low_us, "row %zu", i);
		for (int n = 0; n < 100000; n++) {
			uint32_t us;

			random = random * 6364136223846793005 + 1442695040888963407;
			us = fl_bfd_jittered_us(rows[i].interval_us, rows[i].mult,
						(uint32_t)(random >> 32));
			cr_assert(us >= rows[i].low_us && us <= rows[i].high_us, "row %zu", i);
			low = us < low ? us : low;
			high = us > high ? us : high;
			sum += us;
		}
		/* All of the range is used, evenly. */
		cr_assert_lt(low - rows[i].low_us, rows[i].interval_us / 1000);
		cr_assert_lt(rows[i].high_us - high, rows[i].interval_us / 1000);
		cr_assert_float_eq((double)sum / 1e5,
				   ((double)rows[i].low_us + rows[i].high_us) / 2,
				   rows[i].interval_us / 1000.0);
	}
}

/* Packets leave on a schedule of 75 to 100 % of the interval, late ones do not bunch up. */
Test(bfd_timers, schedule)
{
	struct fl_bfd b = in_state(FL_BFD_UP);
	struct fl_bfd_pkt pkt;

	b.poll = false;
	b.used_tx_us = 50000;
	fl_bfd_tx(&b, at_ms(0), 0, &pkt); /* the change of state; next after 75 % */
	cr_assert(!fl_bfd_tx_due(&b, at_ms(37)));
	cr_assert(fl_bfd_tx_due(&b, at_ms(38)));
	cr_assert_eq(fl_bfd_wake(&b).ns, at_ms(37).ns + MS / 2);
	fl_bfd_tx(&b, at_ms(38), UINT32_MAX, &pkt);
	cr_assert(!fl_bfd_tx_due(&b, at_ms(87)));
	cr_assert(fl_bfd_tx_due(&b, at_ms(88)));
	fl_bfd_tx(&b, at_ms(500), UINT32_MAX, &pkt);
	cr_assert(!fl_bfd_tx_due(&b, at_ms(549)));
	/* The peer wants fewer, then more again: the present wait changes too. */
	pkt = said(FL_BFD_UP);
	pkt.required_rx_us = 200000;
	fl_bfd_rx(&b, &pkt, at_ms(510));
	cr_assert(!fl_bfd_tx_due(&b, at_ms(699)));
	pkt.required_rx_us = 100000;
	fl_bfd_rx(&b, &pkt, at_ms(520));
	cr_assert(!fl_bfd_tx_due(&b, at_ms(599)));
	cr_assert(fl_bfd_tx_due(&b, at_ms(600)));
}

Test(bfd_timers, packet_content)
{
	struct fl_bfd b = in_state(FL_BFD_UP);
	struct fl_bfd_pkt pkt;

	fl_bfd_tx(&b, at_ms(0), 0, &pkt);
	cr_assert(pkt.state == FL_BFD_UP && pkt.diag == 0 && pkt.detect_mult == 3);
	cr_assert(pkt.my_discr == LOCAL && pkt.your_discr == REMOTE);
	cr_assert(pkt.desired_tx_us == 50000 && pkt.required_rx_us == 50000 &&
		  pkt.required_echo_us == 50000);
	cr_assert(!pkt.demand && !pkt.independent && !pkt.has_auth);
	fl_bfd_tick(&b, at_ms(150));
	fl_bfd_tx(&b, at_ms(150), 0, &pkt);
	cr_assert(pkt.state == FL_BFD_DOWN && pkt.diag == FL_BFD_DIAG_TIMER_EXPIRED);
	cr_assert(pkt.your_discr == 0 && pkt.desired_tx_us == 1000000);
}

/* --- poll sequences --------------------------------------------------------------------------- */

static void confirm(struct fl_bfd *b, uint64_t ms)
{
	struct fl_bfd_pkt pkt = said(FL_BFD_UP);

	pkt.final = true;
	cr_assert_eq(fl_bfd_rx(b, &pkt, at_ms(ms)), 0);
}

/* Coming up makes it faster: at once, and with a poll until the peer has confirmed. */
Test(bfd_timers, poll_on_up)
{
	struct fl_bfd b = in_state(FL_BFD_UP);
	struct fl_bfd_pkt pkt;

	cr_assert_eq(fl_bfd_tx_interval_us(&b), 50000);
	for (int i = 0; i < 3; i++) {
		fl_bfd_tx(&b, at_ms(0), 0, &pkt);
		cr_assert(pkt.poll && !pkt.final);
	}
	confirm(&b, 10);
	fl_bfd_tx(&b, at_ms(50), 0, &pkt);
	cr_assert(!pkt.poll);
}

Test(bfd_timers, poll_is_answered_beside_the_schedule)
{
	struct fl_bfd b = in_state(FL_BFD_UP);
	struct fl_bfd_pkt pkt = said(FL_BFD_UP);

	fl_bfd_tx(&b, at_ms(0), UINT32_MAX, &pkt);
	pkt = said(FL_BFD_UP);
	pkt.poll = true;
	fl_bfd_rx(&b, &pkt, at_ms(20));
	cr_assert(fl_bfd_tx_due(&b, at_ms(20)));
	fl_bfd_tx(&b, at_ms(20), 0, &pkt);
	cr_assert(pkt.final && !pkt.poll);
	cr_assert(!fl_bfd_tx_due(&b, at_ms(49)));
	cr_assert(fl_bfd_tx_due(&b, at_ms(50)));
	fl_bfd_tx(&b, at_ms(50), 0, &pkt);
	cr_assert(!pkt.final && pkt.poll); /* our own goes on */
}

/* RFC 5880 6.8.3: what could make the peer miss us waits until it knows. */
Test(bfd_timers, changes_while_up)
{
	struct fl_bfd_cfg cfg = fast;
	struct fl_bfd b = in_state(FL_BFD_UP);
	struct fl_bfd_pkt pkt;

	confirm(&b, 1);
	fl_bfd_configure(&b, &cfg); /* nothing new: nothing happens */
	cr_assert(!b.poll);
	/* Slower sending waits, slower receiving does not. */
	cfg.desired_tx_us = 300000;
	cfg.required_rx_us = 200000;
	fl_bfd_configure(&b, &cfg);
	fl_bfd_tx(&b, at_ms(10), 0, &pkt);
	cr_assert(pkt.poll && pkt.desired_tx_us == 300000 && pkt.required_rx_us == 200000);
	cr_assert_eq(fl_bfd_tx_interval_us(&b), 50000);
	cr_assert_eq(fl_bfd_detection_us(&b), 600000);
	confirm(&b, 20);
	cr_assert_eq(fl_bfd_tx_interval_us(&b), 300000);
	/* Faster receiving waits, faster sending does not. */
	fl_bfd_configure(&b, &fast);
	cr_assert_eq(fl_bfd_tx_interval_us(&b), 50000);
	cr_assert_eq(fl_bfd_detection_us(&b), 600000);
	confirm(&b, 30);
	cr_assert_eq(fl_bfd_detection_us(&b), 150000);
	cr_assert(!b.poll && b.state == FL_BFD_UP);
}

/* Changed again before the answer: that answers the first, a second sequence follows. */
Test(bfd_timers, change_during_poll)
{
	struct fl_bfd_cfg cfg = fast;
	struct fl_bfd b = in_state(FL_BFD_UP);

	confirm(&b, 1);
	cfg.desired_tx_us = 300000;
	fl_bfd_configure(&b, &cfg);
	cfg.desired_tx_us = 400000;
	fl_bfd_configure(&b, &cfg);
	confirm(&b, 2);
	cr_assert(b.poll);
	cr_assert_eq(fl_bfd_tx_interval_us(&b), 50000);
	confirm(&b, 3);
	cr_assert(!b.poll);
	cr_assert_eq(fl_bfd_tx_interval_us(&b), 400000);
}

/* --- hold-down and damping -------------------------------------------------------------------- */

Test(bfd_timers, hold_down)
{
	struct fl_bfd b = in_state(FL_BFD_UP);

	for (uint64_t ms = 40; ms < 5000; ms += 40)
		hear(&b, FL_BFD_UP, ms);
	cr_assert_eq(fl_bfd_tick(&b, at_ms(4999)), 0);
	cr_assert(!b.usable);
	cr_assert_eq(fl_bfd_tick(&b, at_ms(5000)), FL_BFD_EV_USABLE);
	cr_assert(b.usable);
	cr_assert_eq(fl_bfd_tick(&b, at_ms(5001)), 0);
	/* Down at once (P-34). */
	cr_assert_eq(hear(&b, FL_BFD_DOWN, 5002), FL_BFD_EV_DOWN | FL_BFD_EV_RESTART);
	cr_assert(!b.usable);
}

/* Up and down again @usable or not; the hold-down that the next time gets. */
static uint32_t flap(struct fl_bfd *b, uint64_t *ms, bool usable)
{
	hear(b, FL_BFD_DOWN, *ms);
	cr_assert(hear(b, FL_BFD_UP, *ms) & FL_BFD_EV_UP);
	if (usable) {
		*ms += b->hold_ms;
		hear(b, FL_BFD_UP, *ms);
		cr_assert_eq(fl_bfd_tick(b, at_ms(*ms)), FL_BFD_EV_USABLE);
	}
	*ms += 10;
	cr_assert(hear(b, FL_BFD_ADMIN_DOWN, *ms) & FL_BFD_EV_DOWN);
	return b->hold_ms;
}

Test(bfd_timers, damping)
{
	static const struct {
		bool usable;
		uint32_t hold_ms;
	} rows[] = {
		{ false, 10000 }, { false, 20000 }, { false, 40000 }, { true, 5000 },
		{ false, 10000 }, { false, 20000 }, { false, 40000 }, { false, 50000 },
		{ false, 50000 }, { false, 50000 }, { false, 5000 }, /* three at the maximum */
		{ false, 10000 }, { true, 5000 },   { true, 5000 },
	};
	struct fl_bfd_cfg cfg = fast;
	struct fl_bfd b;
	uint64_t ms = 0;

	cfg.damping = true;
	cfg.max_hold_down_ms = 50000;
	fl_bfd_init(&b, &cfg, LOCAL, at_ms(0));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t hold_ms = flap(&b, &ms, rows[i].usable);

		cr_assert_eq(hold_ms, rows[i].hold_ms, "row %zu: %u", i, hold_ms);
	}
	/* Without it, always the same. */
	fl_bfd_init(&b, &fast, LOCAL, at_ms(0));
	for (int i = 0; i < 5; i++)
		cr_assert_eq(flap(&b, &ms, false), 5000);
}

static struct fl_bfd_cfg changed(size_t offset, size_t size, uint32_t value)
{
	struct fl_bfd_cfg cfg = FL_BFD_CFG_DEFAULT;
	uint8_t byte = (uint8_t)value;

	memcpy((char *)&cfg + offset, size == 1 ? (void *)&byte : (void *)&value, size);
	return cfg;
}

#define FIELD(name) #name, offsetof(struct fl_bfd_cfg, name), sizeof(fast.name)

Test(bfd_timers, ranges)
{
	static const struct {
		const char *name;
		size_t offset, size;
		uint32_t min, max;
	} rows[] = {
		{ FIELD(desired_tx_us), 50000, 600000000 },
		{ FIELD(required_rx_us), 50000, 600000000 },
		{ FIELD(required_echo_us), 0, 600000000 },
		{ FIELD(detect_mult), 3, 20 },
		{ FIELD(hold_down_ms), 1000, 300000 },
		{ FIELD(max_hold_down_ms), 1000, 86400000 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint32_t values[] = { rows[i].min, rows[i].max, rows[i].min - 1,
					    rows[i].max + 1 };

		for (size_t v = 0; v < 4; v++) {
			struct fl_bfd_cfg cfg = changed(rows[i].offset, rows[i].size, values[v]);

			cr_assert_eq(fl_bfd_cfg_check(&cfg), v < 2 ? 0 : -ERANGE, "%s %u",
				     rows[i].name, values[v]);
		}
	}
	cr_assert_eq(fl_bfd_cfg_check(&fast), 0);
}

Test(bfd_timers, wake)
{
	struct fl_bfd b = in_state(FL_BFD_UP);
	struct fl_bfd_pkt pkt;

	cr_assert_leq(fl_bfd_wake(&b).ns, at_ms(0).ns); /* something to send */
	fl_bfd_tx(&b, at_ms(0), UINT32_MAX, &pkt);
	cr_assert_eq(fl_bfd_wake(&b).ns, at_ms(50).ns);
	fl_bfd_tx(&b, at_ms(140), UINT32_MAX, &pkt);
	cr_assert_eq(fl_bfd_wake(&b).ns, at_ms(150).ns); /* detection */
	fl_bfd_heard(&b, at_ms(4900));
	fl_bfd_tx(&b, at_ms(4990), UINT32_MAX, &pkt);
	cr_assert_eq(fl_bfd_wake(&b).ns, at_ms(5000).ns); /* hold-down */
	fl_bfd_set_oper(&b, true, at_ms(5000));
	fl_bfd_tick(&b, at_ms(100000));
	cr_assert_eq(fl_bfd_wake(&b).ns, UINT64_MAX);
	cr_assert_str_eq(fl_bfd_cause_name(FL_BFD_CAUSE_TIMER_EXPIRY), "timer-expiry");
	cr_assert_str_eq(fl_bfd_cause_name(FL_BFD_CAUSE_MAX), "unknown");
}
