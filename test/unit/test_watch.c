// SPDX-License-Identifier: Apache-2.0
/* Paths under watch: up, down, restarts, keys, NAT, link tests. With echo: test_doubt.c. */
#include <criterion/criterion.h>
#include <string.h>

#include "test/unit/watch_world.h"

/* --- up and down ------------------------------------------------------------------------------ */

Test(watch, comes_up_and_is_used_after_hold_down, .init = world, .fini = world_end)
{
	cr_assert_eq(sides[0].q.live, FL_LIVE_UNWATCHED);
	run_ms(1500);
	cr_assert_eq(sides[0].q.state, FL_BFD_UP);
	cr_assert_eq(sides[0].q.live, FL_LIVE_NO);
	cr_assert_str_eq(sides[0].q.why_not, "came up a moment ago: hold-down");
	run_ms(2500);
	cr_assert_eq(sides[0].q.live, FL_LIVE_YES);
	cr_assert_eq(sides[0].ups, 1);
	cr_assert_eq(sides[0].q.detection_us, 150000);
	cr_assert(sides[0].q.vector_switch);
	cr_assert(!sides[0].q.peer_nated && !sides[0].q.self_nated);
	cr_assert(fl_addr_equal(&sides[0].q.seen, &sides[0].spec.local));
	cr_assert_eq(sides[0].q.seen_port, FL_BFD_PORT);
	cr_assert_eq(sides[0].q.auth_failed + sides[0].q.replayed, 0);
}

Test(watch, a_cut_link_is_down_within_detection_time, .init = world, .fini = world_end)
{
	come_up();
	cut[0] = cut[1] = true;
	/* Detection time, and what was on the wire when it was cut. */
	run_ms(153);
	cr_assert_eq(sides[0].q.live, FL_LIVE_NO);
	cr_assert_eq(sides[1].q.live, FL_LIVE_NO);
	cr_assert_eq(sides[0].q.downs[FL_BFD_CAUSE_TIMER_EXPIRY], 1);
	cr_assert_str_eq(sides[0].q.why_not, "its peer has fallen silent (BFD)");
	cut[0] = cut[1] = false;
	run_ms(4500);
	cr_assert_eq(sides[0].q.live, FL_LIVE_YES);
}

/* Only one of them is deaf: the other is told. */
Test(watch, one_direction_is_enough, .init = world, .fini = world_end)
{
	come_up();
	cut[0] = true;
	run_ms(160);
	cr_assert_eq(sides[1].q.downs[FL_BFD_CAUSE_TIMER_EXPIRY], 1);
	cr_assert_eq(sides[0].q.downs[FL_BFD_CAUSE_REMOTE_DOWN], 1);
	cr_assert_eq(sides[0].q.live, FL_LIVE_NO);
	/* It can move sessions by itself: nothing to signal. */
	cr_assert(!(sides[0].news & FL_WATCH_PEER_LOST));
}

Test(watch, the_link_goes_and_comes_back, .init = world, .fini = world_end)
{
	come_up();
	sides[0].spec.link_up = false;
	side_set(0);
	run_ms(1);
	cr_assert_eq(sides[0].q.live, FL_LIVE_NO);
	cr_assert_eq(sides[0].q.downs[FL_BFD_CAUSE_LOCAL_OPER_DOWN], 1);
	sides[0].spec.link_up = true;
	side_set(0);
	run_ms(1000);
	cr_assert_eq(sides[0].q.live, FL_LIVE_NO);
	run_ms(4000);
	cr_assert_eq(sides[0].q.live, FL_LIVE_YES);
}

/* An owner that was kept from running finds what arrived meanwhile, and knows when it did. */
Test(watch, a_late_owner_declares_nothing_down, .init = world, .fini = world_end)
{
	/* Its peer waits 3 s, it waits 150 ms itself. */
	sides[0].spec.bfd.desired_tx_us = 1000000;
	side_set(0);
	come_up();
	for (int i = 0; i < 20; i++) {
		sides[0].asleep = true;
		run_ms(900);
		sides[0].asleep = false;
		run_ms(1);
	}
	cr_assert_eq(sides[0].downs + sides[1].downs, 0);
	cr_assert_eq(sides[0].q.state, FL_BFD_UP);
}

Test(watch, disabled_is_not_watched, .init = world, .fini = world_end)
{
	uint64_t sent;

	come_up();
	sides[0].spec.enabled = false;
	lose_next = 2;
	side_set(0);
	run_ms(10);
	cr_assert_eq(sides[0].q.live, FL_LIVE_UNWATCHED);
	cr_assert_eq(sides[1].q.live, FL_LIVE_NO);
	cr_assert_eq(sides[1].q.downs[FL_BFD_CAUSE_REMOTE_ADMIN_DOWN], 1);
	sent = sides[1].q.rx_packets;
	run_ms(5000);
	cr_assert_eq(sides[1].q.rx_packets, sent);
	sides[0].spec.enabled = true;
	side_set(0);
	run_ms(6000);
	cr_assert_eq(sides[0].q.live, FL_LIVE_YES);
	cr_assert_eq(sides[1].q.live, FL_LIVE_YES);
}

/* --- reloading -------------------------------------------------------------------------------- */

Test(watch, changed_timers_do_not_flap, .init = world, .fini = world_end)
{
	static const uint32_t intervals[] = { 1000000, 50000, 3000000, 60000, 250000 };

	come_up();
	for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
		struct fl_watch_spec *spec = &sides[i % 2].spec;

		spec->bfd.desired_tx_us = intervals[i];
		spec->bfd.required_rx_us = intervals[i];
		spec->bfd.detect_mult = (uint8_t)(3 + i);
		spec->echo.length = (uint8_t)i;
		fl_watch_configure(sides[i % 2].watch, i % 2 ? "r2" : "r1", rings_with(5));
		side_set((int)(i % 2));
		run_ms(20000);
	}
	cr_assert_eq(sides[0].downs + sides[1].downs, 0);
	cr_assert_eq(sides[0].q.tx_interval_us, 250000);
	cr_assert_eq(sides[0].q.ups, 1);
}

/* Taken out of the configuration and put back: it is a new session, not a replay. */
Test(watch, a_path_may_go_and_come_back, .init = world, .fini = world_end)
{
	come_up();
	for (int i = 0; i < 3; i++) {
		fl_watch_remove(sides[0].watch, PATH, (struct fl_mono){ mono_ns });
		run_ms(i * 400);
		side_set(0);
		run_ms(4500);
		cr_assert_eq(sides[0].q.live, FL_LIVE_YES, "%d: %s", i, sides[0].q.why_not);
	}
}

/* Its peer hears of it at once, even if something gets lost. */
Test(watch, the_peer_of_a_removed_path_is_told, .init = world, .fini = world_end)
{
	come_up();
	lose_next = 2;
	fl_watch_remove(sides[0].watch, PATH, (struct fl_mono){ mono_ns });
	run_ms(10);
	cr_assert_eq(sides[1].q.live, FL_LIVE_NO);
	cr_assert_eq(sides[1].q.downs[FL_BFD_CAUSE_REMOTE_ADMIN_DOWN], 1);
	side_set(0);
	run_ms(6000);
	cr_assert_eq(sides[1].q.live, FL_LIVE_YES);
}

/* --- restarts --------------------------------------------------------------------------------- */

/* An agent that starts anew over a data plane that never stopped: nothing happens to the path. */
Test(watch, an_agent_restart_is_no_failure, .init = world, .fini = world_end)
{
	come_up();
	restart(0, FL_CAPABLE_VECTORS | FL_CAPABLE_KEPT);
	cr_assert_eq(sides[0].q.live, FL_LIVE_RESTARTING);
	run_ms(3000);
	cr_assert_eq(sides[0].downs + sides[1].downs, 0);
	cr_assert_eq(sides[0].q.live, FL_LIVE_YES);
	cr_assert_eq(sides[1].q.live, FL_LIVE_YES);
	cr_assert_eq(sides[1].q.peer_boots, 1);
	cr_assert(!(sides[1].news & FL_WATCH_PEER_LOST));
}

/* It took longer than the detection time, and nothing reflected: the path is used again as soon as
 * it is up. */
Test(watch, a_long_agent_restart_needs_no_hold_down, .init = world, .fini = world_end)
{
	come_up();
	reflects = false;
	sides[0].asleep = true;
	run_ms(1000);
	cr_assert_eq(sides[1].q.live, FL_LIVE_NO);
	sides[0].asleep = false;
	restart(0, FL_CAPABLE_VECTORS | FL_CAPABLE_KEPT);
	run_ms(50);
	cr_assert_eq(sides[1].q.live, FL_LIVE_YES);
	cr_assert_eq(sides[0].q.live, FL_LIVE_YES);
}

/* An agent is silent, its data plane is not: the path goes on for a while, and no longer. */
Test(watch, a_data_plane_without_its_agent, .init = world, .fini = world_end)
{
	come_up();
	sides[0].asleep = true;
	run_ms(FL_WATCH_AGENT_MS - 100);
	cr_assert_eq(sides[1].downs, 0);
	cr_assert_eq(sides[1].q.state, FL_BFD_UP);
	run_ms(400);
	cr_assert_eq(sides[1].q.live, FL_LIVE_NO);
	cr_assert_eq(sides[1].q.downs[FL_BFD_CAUSE_TIMER_EXPIRY], 1);
}

/* And when that dies, too, it is noticed as fast as ever. */
Test(watch, a_data_plane_that_dies_after_its_agent, .init = world, .fini = world_end)
{
	come_up();
	sides[0].asleep = true;
	run_ms(3000);
	cr_assert_eq(sides[1].downs, 0);
	cut[0] = true;
	run_ms(160);
	cr_assert_eq(sides[1].q.live, FL_LIVE_NO);
}

/* One that lost its sessions: they are to be signalled anew. */
Test(watch, a_peer_without_its_sessions_is_told_again, .init = world, .fini = world_end)
{
	come_up();
	restart(0, FL_CAPABLE_VECTORS);
	cr_assert_eq(sides[0].q.live, FL_LIVE_NO);
	run_ms(3000);
	cr_assert(sides[1].news & FL_WATCH_PEER_LOST);
	cr_assert_eq(sides[1].downs, 0);
}

Test(watch, a_restart_without_a_peer_ends, .init = world, .fini = world_end)
{
	come_up();
	cut[0] = cut[1] = true;
	restart(0, FL_CAPABLE_VECTORS | FL_CAPABLE_KEPT);
	run_ms(FL_WATCH_RESTART_MS - 10);
	cr_assert_eq(sides[0].q.live, FL_LIVE_RESTARTING);
	run_ms(20);
	cr_assert_eq(sides[0].q.live, FL_LIVE_NO);
	cr_assert_str_eq(sides[0].q.why_not, "its peer has not answered yet (BFD)");
}

/* --- authentication --------------------------------------------------------------------------- */

Test(watch, a_wrong_key_stays_down, .init = world, .fini = world_end)
{
	fl_watch_configure(sides[1].watch, "r2", rings_with(6));
	side_set(1);
	run_ms(10000);
	for (int n = 0; n < 2; n++) {
		cr_assert_eq(sides[n].q.state, FL_BFD_DOWN);
		cr_assert_eq(sides[n].q.live, FL_LIVE_NO);
		cr_assert_geq(sides[n].q.auth_failed, 9);
		cr_assert_eq(sides[n].q.rx_packets, 0);
	}
	/* The right one helps at once. */
	fl_watch_configure(sides[1].watch, "r2", rings_with(5));
	side_set(1);
	run_ms(4500);
	cr_assert_eq(sides[0].q.live, FL_LIVE_YES);
}

Test(watch, strangers_and_noise_change_nothing, .init = world, .fini = world_end)
{
	uint8_t noise[64] = { 0x20, 0xc0, 3, 24, 0, 0, 0, 1 };
	struct fl_watch_packet p = { .local = addr(1),
				     .source = addr(99),
				     .source_port = FL_BFD_PORT,
				     .ifindex = 7,
				     .data = noise };

	come_up();
	for (size_t len = 0; len <= sizeof(noise); len++) {
		p.len = len;
		p.at = (struct fl_mono){ mono_ns };
		fl_watch_rx(sides[0].watch, &p);
	}
	cr_assert_eq(fl_watch_strangers(sides[0].watch), sizeof(noise) + 1);
	cr_assert_eq(sides[0].q.state, FL_BFD_UP);
}

/* What belongs to a path and arrives by another device says nothing about it. */
Test(watch, another_interface_is_another_path, .init = world, .fini = world_end)
{
	sides[0].spec.ifindex = 8;
	side_set(0);
	run_ms(5000);
	cr_assert_eq(sides[0].q.rx_packets, 0);
	cr_assert_gt(fl_watch_strangers(sides[0].watch), 3);
}

/* Keys that differ from one moment to the next: its data plane does not speak for the agent then.
 */
Test(watch, a_key_that_turns_wrong_takes_it_down, .init = world, .fini = world_end)
{
	come_up();
	fl_watch_configure(sides[1].watch, "r2", rings_with(6));
	side_set(1);
	run_ms(500);
	cr_assert_eq(sides[0].q.live, FL_LIVE_NO);
	cr_assert_eq(sides[1].q.live, FL_LIVE_NO);
}

/* --- NAT -------------------------------------------------------------------------------------- */

Test(watch, a_nat_is_seen_and_its_change_followed, .init = world, .fini = world_end)
{
	nat_host = 1; /* the address stays, the port does not */
	nat_port = 40000;
	come_up();
	cr_assert(sides[1].q.peer_nated);
	cr_assert(sides[0].q.self_nated);
	cr_assert_eq(sides[1].q.outer_port, 40000);
	cr_assert_eq(sides[0].q.seen_port, 40000);
	nat_host = 77;
	nat_port = 50000;
	run_ms(40);
	cr_assert(!(sides[1].news & FL_WATCH_MOVED), "one packet proves nothing");
	run_ms(100);
	cr_assert(sides[1].news & FL_WATCH_MOVED);
	cr_assert_eq(sides[1].q.outer_port, 50000);
	cr_assert(fl_addr_equal(&sides[1].q.outer,
				&(struct fl_addr){ .family = 4, .b = { 192, 0, 2, 77 } }));
	cr_assert_eq(sides[1].q.nat_moves, 1);
	run_ms(2000);
	cr_assert_eq(sides[0].downs + sides[1].downs, 0);
}

/* It changed while nothing was heard: the peer is known by what it says of itself. */
Test(watch, a_nat_may_change_while_down, .init = world, .fini = world_end)
{
	come_up();
	cut[0] = cut[1] = true;
	run_ms(3000);
	cut[0] = cut[1] = false;
	nat_host = 77;
	nat_port = 50000;
	run_ms(8000);
	cr_assert_eq(sides[1].q.live, FL_LIVE_YES);
	cr_assert_eq(sides[1].q.nat_moves, 1);
}

/* It changed before our agent began: the data plane must hear of it, by two packets as ever. */
Test(watch, a_nat_may_have_changed_before, .init = world, .fini = world_end)
{
	nat_host = 77;
	nat_port = 50000;
	run_ms(4500);
	cr_assert_eq(sides[1].q.live, FL_LIVE_YES);
	cr_assert(sides[1].news & FL_WATCH_MOVED);
	cr_assert_eq(sides[1].q.outer_port, 50000);
	cr_assert_eq(sides[1].q.outer.b[3], 77);
	cr_assert_eq(sides[1].q.nat_moves, 1);
	cr_assert(!(sides[0].news & FL_WATCH_MOVED));
	run_ms(2000);
	cr_assert_eq(sides[0].downs + sides[1].downs, 0);
}

/* --- link tests ------------------------------------------------------------------------------- */

Test(watch, link_tests_measure, .init = world, .fini = world_end)
{
	delay_ns[0] = 30 * MS;
	delay_ns[1] = 10 * MS;
	come_up();
	run_ms(2000);
	cr_assert_eq(sides[0].q.last.has, FL_QUALITY_ALL);
	cr_assert_eq(sides[0].q.last.latency_us, 20000);
	cr_assert_eq(sides[0].q.last.jitter_us, 0);
	cr_assert_eq(sides[0].q.last.loss_ppm, 0);
	cr_assert_eq(sides[0].q.mean.latency_us, 20000);
	cr_assert_eq(sides[0].q.last_mos_x100, 439);
	lose_echo = 5;
	run_ms(70000);
	cr_assert_eq(sides[0].q.last.loss_ppm, 200000);
	cr_assert_eq(sides[0].q.mean.loss_ppm, 200000);
	reflects = false;
	run_ms(5000);
	cr_assert_eq(sides[0].q.last.has, FL_QUALITY_LOSS);
	cr_assert_eq(sides[0].q.last.loss_ppm, FL_PPM);
	/* A link test that fails takes no path down. */
	cr_assert_eq(sides[0].downs, 0);
}

Test(watch, a_peer_that_wants_no_link_tests_gets_none, .init = world, .fini = world_end)
{
	sides[1].spec.bfd.required_echo_us = 0;
	side_set(1);
	run_ms(5000);
	cr_assert_eq(sides[0].q.echo_sent, 0);
	cr_assert_gt(sides[1].q.echo_sent, 10);
}
