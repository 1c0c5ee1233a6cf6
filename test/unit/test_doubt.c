// SPDX-License-Identifier: Apache-2.0
/* Doubt about a silent peer's path: the decision by itself, the state machine, and a whole path. */
#include <criterion/criterion.h>

#include "agent/path/doubt.h"
#include "test/unit/watch_world.h"

/* --- the decision ----------------------------------------------------------------------------- */

static const uint64_t t0_ns = 5000 * FL_NS_PER_S;

static struct fl_mono at_us(uint64_t us)
{
	return (struct fl_mono){ t0_ns + us * FL_NS_PER_US };
}

static struct fl_doubt known(uint32_t rtt_us, uint32_t jitter_us, uint32_t loss_ppm)
{
	const struct fl_quality burst = { .latency_us = rtt_us / 2,
					  .jitter_us = jitter_us,
					  .loss_ppm = loss_ppm,
					  .has = FL_QUALITY_ALL };
	struct fl_doubt d;

	fl_doubt_reset(&d, at_us(0));
	fl_doubt_rtt(&d, rtt_us, at_us(0));
	fl_doubt_measured(&d, &burst, 0, at_us(0));
	fl_doubt_heard(&d, at_us(0));
	return d;
}

/* Called when it wants to be: microseconds from the last packet to the verdict, 0 if there is none.
 */
static uint64_t verdict_us(struct fl_doubt *d, const struct fl_doubt_path *path,
			   unsigned int *ret_probes)
{
	struct fl_mono wake = fl_doubt_wake(d, path);

	*ret_probes = 0;
	while (wake.ns != UINT64_MAX) {
		switch (fl_doubt_run(d, path, 0, wake)) {
		case FL_DOUBT_DEAD:
			cr_assert_eq(fl_doubt_wake(d, path).ns, UINT64_MAX, "it is said once");
			return (wake.ns - d->heard.ns) / FL_NS_PER_US;
		case FL_DOUBT_PROBE:
			++*ret_probes;
			break;
		case FL_DOUBT_WAIT:
			break;
		}
		wake = fl_doubt_wake(d, path);
	}
	return 0;
}

struct row {
	const char *name;
	uint32_t interval_us;
	uint8_t mult;
	uint32_t rtt_us, jitter_us, loss_ppm;
	unsigned int probes;
	uint64_t verdict_us;
};

static const struct row rows[] = {
	/* A short path: 60 % of the detection time. */
	{ "50 ms x 3", 50000, 3, 300, 50, 0, 3, 90000 },
	{ "50 ms x 20", 50000, 20, 300, 50, 0, 20, 600000 },
	{ "1 s x 3", 1000000, 3, 300, 50, 0, 3, 1800000 },
	{ "1 s x 20", 1000000, 20, 300, 50, 0, 20, 12000000 },
	{ "1 s x 5", 1000000, 5, 300, 50, 0, 5, 3000000 },
	/* Longer ones take longer: two round trips and the jitter for each echo. */
	{ "as long as the spacing", 50000, 3, 4500, 1000, 0, 3, 90000 },
	{ "longer", 50000, 3, 9000, 2000, 0, 3, 60000 + 3 * 20000 },
	{ "longest", 50000, 3, 14500, 999, 0, 3, 60000 + 3 * 29999 },
	{ "1 s, longer", 1000000, 3, 200000, 50000, 0, 3, 1200000 + 3 * 450000 },
	/* No sooner than the timer. */
	{ "too long", 50000, 3, 14500, 1000, 0, 0, 0 },
	{ "too much jitter", 50000, 3, 5000, 20000, 0, 0, 0 },
	{ "satellite", 1000000, 3, 600000, 1000, 0, 0, 0 },
	/* Lossy. */
	{ "0.99 %", 50000, 3, 300, 50, 9900, 3, 90000 },
	{ "1 %", 50000, 3, 300, 50, 10000, 0, 0 },
	{ "all is lost", 50000, 3, 300, 50, FL_PPM, 0, 0 },
	/* Multipliers that only other implementations have. */
	{ "x 1", 50000, 1, 300, 50, 0, 0, 0 },
	{ "x 2", 50000, 2, 300, 50, 0, 3, 90000 },
	{ "nothing heard yet", 50000, 0, 300, 50, 0, 0, 0 },
	{ "x 255", 50000, 255, 300, 50, 0, 255, 60000 + 255ull * 29764 },
};

Test(doubt, rows)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		const struct fl_doubt_path path = { true, r->mult,
						    (uint64_t)r->mult * r->interval_us };
		struct fl_doubt d = known(r->rtt_us, r->jitter_us, r->loss_ppm);
		unsigned int probes;
		uint64_t us = verdict_us(&d, &path, &probes);

		cr_expect_eq(us, r->verdict_us, "%s: %llu us", r->name, (unsigned long long)us);
		cr_expect_eq(probes, r->probes, "%s: %u probes", r->name, probes);
		cr_expect(us < path.detection_us || !us, "%s: not before the timer", r->name);
	}
}

static const struct fl_doubt_path fast_path = { true, 3, 150000 };

Test(doubt, is_not_asked_where_it_may_not)
{
	struct fl_doubt_path path = fast_path;
	struct fl_doubt d = known(300, 50, 0);

	path.may_ask = false;
	cr_assert_eq(fl_doubt_wake(&d, &path).ns, UINT64_MAX);
	cr_assert_eq(fl_doubt_run(&d, &path, 0, at_us(100000)), FL_DOUBT_WAIT);
}

/* What is not known, or not any more. */
Test(doubt, needs_a_recent_link_test)
{
	struct fl_quality one = { .has = FL_QUALITY_LOSS | FL_QUALITY_LATENCY };
	struct fl_doubt d;
	unsigned int probes;

	fl_doubt_reset(&d, at_us(0));
	cr_assert_eq(verdict_us(&d, &fast_path, &probes) + probes, 0, "never tested");
	fl_doubt_reset(&d, at_us(0));
	fl_doubt_measured(&d, &one, 0, at_us(0));
	cr_assert_eq(verdict_us(&d, &fast_path, &probes) + probes, 0, "one packet came back");
	d = known(300, 50, 0);
	fl_doubt_heard(&d, at_us(59939000));
	cr_assert_eq(verdict_us(&d, &fast_path, &probes), 90000, "59.999 s old");
	d = known(300, 50, 0);
	fl_doubt_heard(&d, at_us(59940000));
	cr_assert_eq(verdict_us(&d, &fast_path, &probes) + probes, 0, "60 s old");
	/* The mean of the tests before counts as well as the last one. */
	d = known(300, 50, 0);
	one.has = FL_QUALITY_ALL;
	fl_doubt_measured(&d, &one, 10000, at_us(0));
	cr_assert_eq(verdict_us(&d, &fast_path, &probes) + probes, 0, "1 % in the mean");
}

/* The longest of a minute or two. */
Test(doubt, remembers_the_longest_round_trip)
{
	struct fl_doubt d = known(9000, 2000, 0);
	unsigned int probes;

	fl_doubt_rtt(&d, 100, at_us(59000000));
	fl_doubt_rtt(&d, 100, at_us(61000000));
	d.measured_at = at_us(61000000);
	fl_doubt_heard(&d, at_us(61000000));
	cr_assert_eq(verdict_us(&d, &fast_path, &probes), 120000);
	fl_doubt_rtt(&d, 100, at_us(122000000));
	d.measured_at = at_us(122000000);
	fl_doubt_heard(&d, at_us(122000000));
	cr_assert_eq(verdict_us(&d, &fast_path, &probes), 90000);
}

/* After as many echoes as there are, one packet ends it. */
Test(doubt, anything_heard_ends_it)
{
	for (unsigned int after = 0; after <= 3; after++) {
		struct fl_doubt d = known(300, 50, 0);
		unsigned int probes;

		for (unsigned int n = 0; n < after; n++)
			cr_assert_eq(fl_doubt_run(&d, &fast_path, 0, at_us(60000 + n * 10000)),
				     FL_DOUBT_PROBE);
		cr_assert_eq(fl_doubt_is_asking(&d), after > 0);
		fl_doubt_heard(&d, at_us(89000));
		cr_assert(!fl_doubt_is_asking(&d));
		cr_assert_eq(fl_doubt_run(&d, &fast_path, 0, at_us(90000)), FL_DOUBT_WAIT);
		cr_assert_eq(fl_doubt_wake(&d, &fast_path).ns, at_us(149000).ns);
		cr_assert_eq(verdict_us(&d, &fast_path, &probes), 90000, "and it begins anew");
		cr_assert_eq(probes, 3);
	}
}

/* Each step so many microseconds late, or with strain before it: the count begins anew. */
static unsigned int steps_to_verdict(uint64_t late_us, unsigned int late_step, bool strained_step)
{
	struct fl_doubt d = known(300, 50, 0);
	unsigned int step = 0;
	uint64_t strain = 7;
	struct fl_mono now;

	for (;;) {
		now = fl_doubt_wake(&d, &fast_path);
		if (step == late_step) {
			now.ns += late_us * FL_NS_PER_US;
			strain += strained_step;
		}
		step++;
		if (fl_doubt_run(&d, &fast_path, strain, now) == FL_DOUBT_DEAD)
			return step;
		cr_assert_lt(step, 20);
	}
}

Test(doubt, a_late_owner_begins_anew)
{
	cr_assert_eq(steps_to_verdict(0, 99, false), 4, "three echoes, then the verdict");
	/* Late for the first: nothing is counted yet. */
	cr_assert_eq(steps_to_verdict(50000, 0, false), 4);
	for (unsigned int step = 1; step <= 3; step++) {
		cr_assert_eq(steps_to_verdict(4999, step, false), 4);
		cr_assert_eq(steps_to_verdict(5000, step, false), step + 4);
		cr_assert_eq(steps_to_verdict(500000, step, false), step + 4);
	}
}

Test(doubt, a_host_under_strain_begins_anew)
{
	cr_assert_eq(steps_to_verdict(0, 0, true), 4);
	for (unsigned int step = 1; step <= 3; step++)
		cr_assert_eq(steps_to_verdict(0, step, true), step + 4);
}

/* What leaves later than it was asked for has its time from then on. */
Test(doubt, an_echo_has_its_time_from_when_it_left)
{
	struct fl_doubt d = known(300, 50, 0);

	cr_assert_eq(fl_doubt_run(&d, &fast_path, 0, at_us(60000)), FL_DOUBT_PROBE);
	fl_doubt_sent(&d, at_us(68000));
	cr_assert_eq(fl_doubt_wake(&d, &fast_path).ns, at_us(78000).ns);
}

/* --- the state machine (RFC 5880 6.8.5) ------------------------------------------------------- */

Test(doubt, only_a_session_that_is_up_goes_down)
{
	static const enum fl_bfd_state states[] = { FL_BFD_ADMIN_DOWN, FL_BFD_DOWN, FL_BFD_INIT };
	struct fl_bfd b = { .state = FL_BFD_UP, .remote_discr = 9, .usable = true };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct fl_bfd other = { .state = states[i], .diag = FL_BFD_DIAG_PATH_DOWN };

		cr_assert_eq(fl_bfd_echo_failed(&other, at_us(0)), 0);
		cr_assert_eq(other.state, states[i]);
		cr_assert_eq(other.diag, FL_BFD_DIAG_PATH_DOWN);
		cr_assert_eq(other.downs[FL_BFD_CAUSE_ECHO_FAILED], 0);
	}
	cr_assert_eq(fl_bfd_echo_failed(&b, at_us(0)), FL_BFD_EV_DOWN);
	cr_assert_eq(b.state, FL_BFD_DOWN);
	cr_assert_eq(b.diag, FL_BFD_DIAG_ECHO_FAILED);
	cr_assert_eq(b.cause, FL_BFD_CAUSE_ECHO_FAILED);
	cr_assert_eq(b.downs[FL_BFD_CAUSE_ECHO_FAILED], 1);
	cr_assert_eq(b.remote_discr, 9, "the detection time is not over (6.8.1)");
	cr_assert(!b.usable && b.tx_now);
	cr_assert_str_eq(fl_bfd_cause_name(FL_BFD_CAUSE_ECHO_FAILED), "echo-failed");
}

/* --- a path ----------------------------------------------------------------------------------- */

static void world_asking(void)
{
	world();
	for (int n = 0; n < 2; n++) {
		sides[n].spec.echo_detection = true;
		side_set(n);
	}
}

static uint32_t failed(int n)
{
	return sides[n].q.downs[FL_BFD_CAUSE_ECHO_FAILED];
}

/* Right after side 0 has heard side 1, so that its silence begins now. */
static void cut_both(void)
{
	uint64_t before = sides[0].q.rx_packets;

	while (sides[0].q.rx_packets == before)
		run_ms(1);
	cut[0] = cut[1] = true;
}

Test(doubt_path, a_cut_link_is_down_sooner_than_detection_time, .init = world_asking,
     .fini = world_end)
{
	come_up();
	cut_both();
	run_ms(89);
	cr_assert_eq(sides[0].q.live, FL_LIVE_YES);
	/* What was on the wire when it was cut, and a step of the clock for each echo. */
	run_ms(8);
	for (int n = 0; n < 2; n++) {
		cr_assert_eq(sides[n].q.live, FL_LIVE_NO);
		cr_assert_eq(failed(n), 1);
		cr_assert_eq(sides[n].q.diag, FL_BFD_DIAG_ECHO_FAILED);
		cr_assert_str_eq(sides[n].q.why_not, "its peer's data plane does not answer (BFD)");
	}
	cut[0] = cut[1] = false;
	run_ms(4500);
	cr_assert_eq(sides[0].q.live, FL_LIVE_YES);
	cr_assert_eq(sides[1].q.live, FL_LIVE_YES);
}

Test(doubt_path, only_the_deaf_one_asks, .init = world_asking, .fini = world_end)
{
	come_up();
	cut[0] = true;
	run_ms(100);
	cr_assert_eq(failed(1), 1);
	cr_assert_eq(failed(0), 0);
	cr_assert_eq(sides[0].q.downs[FL_BFD_CAUSE_REMOTE_DOWN], 1);
	cr_assert_eq(sides[0].q.remote_diag, FL_BFD_DIAG_ECHO_FAILED);
}

/* The peer's agent is slow, however slow: its data plane answers. */
Test(doubt_path, a_busy_peer_is_there, .init = world_asking, .fini = world_end)
{
	come_up();
	for (int i = 0; i < 50; i++) {
		sides[0].asleep = true;
		run_ms(50 + (uint64_t)i * 10);
		sides[0].asleep = false;
		run_ms(50);
	}
	cr_assert_eq(sides[0].downs + sides[1].downs, 0);
	sides[0].asleep = true;
	run_ms(FL_WATCH_AGENT_MS - 100);
	cr_assert_eq(sides[1].downs, 0);
	/* Without its agent it is not asked for ever. */
	run_ms(400);
	cr_assert_eq(sides[1].q.downs[FL_BFD_CAUSE_TIMER_EXPIRY], 1);
}

Test(doubt_path, a_data_plane_that_dies_after_its_agent, .init = world_asking, .fini = world_end)
{
	come_up();
	sides[0].asleep = true;
	run_ms(3000);
	cr_assert_eq(sides[1].downs, 0);
	cut[0] = true;
	run_ms(100);
	cr_assert_eq(failed(1), 1);
}

static void cut_for_timer(void)
{
	cut_both();
	run_ms(148);
	cr_assert_eq(sides[0].q.live, FL_LIVE_YES);
	run_ms(4);
	cr_assert_eq(sides[0].q.downs[FL_BFD_CAUSE_TIMER_EXPIRY], 1);
	cr_assert_eq(failed(0), 0);
}

Test(doubt_path, a_lossy_one_is_the_timers, .init = world_asking, .fini = world_end)
{
	come_up();
	lose_echo = 7;
	run_ms(10000);
	cr_assert_eq(sides[0].downs + sides[1].downs, 0);
	cut_for_timer();
}

Test(doubt_path, a_long_one_is_the_timers, .init = world_asking, .fini = world_end)
{
	delay_ns[0] = delay_ns[1] = 8 * MS;
	come_up();
	cut_for_timer();
}

Test(doubt_path, a_peer_without_echo_is_the_timers, .init = world_asking, .fini = world_end)
{
	sides[1].spec.bfd.required_echo_us = 0;
	side_set(1);
	come_up();
	cut_for_timer();
}

/* A NAT may have changed, which the peer's data plane does not know yet. */
Test(doubt_path, behind_a_nat_it_is_the_timers, .init = world_asking, .fini = world_end)
{
	nat_host = 77;
	nat_port = 40000;
	come_up();
	cr_assert(sides[0].q.self_nated && sides[1].q.peer_nated);
	cut_for_timer();
	cr_assert_eq(failed(1), 0);
}

Test(doubt_path, switched_off_it_is_the_timers, .init = world_asking, .fini = world_end)
{
	come_up();
	sides[0].spec.echo_detection = false;
	side_set(0);
	cut_for_timer();
}

Test(doubt_path, a_strained_host_leaves_it_to_the_timer, .init = world_asking, .fini = world_end)
{
	come_up();
	cut_both();
	for (int i = 0; i < 148; i++) {
		strained++;
		run_ms(1);
	}
	cr_assert_eq(sides[0].q.live, FL_LIVE_YES);
	run_ms(4);
	cr_assert_eq(sides[0].q.downs[FL_BFD_CAUSE_TIMER_EXPIRY], 1);
	cr_assert_eq(failed(0), 0);
}

/* One that was kept from running asks anew; what came meanwhile is there when it looks. */
Test(doubt_path, a_late_owner_declares_nothing_down, .init = world_asking, .fini = world_end)
{
	come_up();
	for (int i = 0; i < 200; i++) {
		sides[1].asleep = true;
		run_ms(30 + (uint64_t)i % 100);
		sides[1].asleep = false;
		run_ms(1 + (uint64_t)i % 7);
	}
	cr_assert_eq(failed(0) + failed(1), 0);
}

/* Packets that are proven wrong are no silence: keys, not the link. */
Test(doubt_path, a_wrong_key_is_the_timers, .init = world_asking, .fini = world_end)
{
	come_up();
	fl_watch_configure(sides[1].watch, "r2", rings_with(6));
	side_set(1);
	reflects = false;
	run_ms(145);
	cr_assert_eq(failed(0), 0);
	run_ms(100);
	cr_assert_eq(sides[0].q.live, FL_LIVE_NO);
	cr_assert_eq(failed(0), 0);
}
