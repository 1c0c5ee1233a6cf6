/* SPDX-License-Identifier: Apache-2.0 */
/* A BFD session for tests, what its peer says to it, and a clock in milliseconds. */
#ifndef FL_TEST_UNIT_BFD_SESSION_H
#define FL_TEST_UNIT_BFD_SESSION_H

#include <criterion/criterion.h>

#include "agent/path/bfd_fsm.h"

#define LOCAL  0x11
#define REMOTE 0x22
#define MS     FL_NS_PER_MS

static inline struct fl_mono at_ms(uint64_t ms)
{
	return (struct fl_mono){ (1000000 + ms) * MS };
}

static const struct fl_bfd_cfg fast = { .desired_tx_us = 50000,
					.required_rx_us = 50000,
					.required_echo_us = 50000,
					.hold_down_ms = 5000,
					.max_hold_down_ms = 3600000,
					.detect_mult = 3 };

static inline struct fl_bfd_pkt said(enum fl_bfd_state state)
{
	return (struct fl_bfd_pkt){ .state = state,
				    .detect_mult = 3,
				    .my_discr = REMOTE,
				    .your_discr = LOCAL,
				    .desired_tx_us = 50000,
				    .required_rx_us = 50000 };
}

static inline int hear(struct fl_bfd *b, enum fl_bfd_state state, uint64_t ms)
{
	struct fl_bfd_pkt pkt = said(state);

	return fl_bfd_rx(b, &pkt, at_ms(ms));
}

/* A session in this state, at time 0, having heard the peer if it is to be Init or Up. */
static inline struct fl_bfd in_state(enum fl_bfd_state state)
{
	struct fl_bfd b;

	fl_bfd_init(&b, &fast, LOCAL, at_ms(0));
	if (state == FL_BFD_ADMIN_DOWN)
		fl_bfd_set_admin(&b, true, at_ms(0));
	if (state == FL_BFD_INIT || state == FL_BFD_UP)
		hear(&b, FL_BFD_DOWN, 0);
	if (state == FL_BFD_UP)
		cr_assert_eq(hear(&b, FL_BFD_UP, 0), FL_BFD_EV_UP);
	cr_assert_eq(b.state, state);
	return b;
}

#endif
