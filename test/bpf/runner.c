// SPDX-License-Identifier: Apache-2.0
/*
 * Runs the fixtures through the real programs in the kernel (BPF_PROG_TEST_RUN), every row on every
 * hook it names. A row passes only if verdict, packet, drop reason and punt are as said, and no
 * other counter moved. Prints TAP.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fairlead.skel.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/dp/dp_internal.h"
#include "test/bpf/fixture.h"

static const struct fixture_set *const sets[] = {
	&fx_forward,   &fx_l2,   &fx_parse, &fx_handshake, &fx_tcp,  &fx_icmp,
	&fx_admission, &fx_host, &fx_gso,   &fx_echo,      &fx_mark, &fx_mark_class,
	&fx_unmark,    &fx_dup,  &fx_seal,  &fx_unseal,
};

static const char *const drop_names[] = { "none",
#define X(name, id, text) id,
					  FL_DROP_REASONS(X)
#undef X
};

static int failures, number;

static void report(bool ok, const struct fixture_set *set, const struct fixture *fx,
		   const char *hook, const char *why)
{
	printf("%sok %d - %s: %s (%s)%s%s\n", ok ? "" : "not ", ++number, set->name, fx->name, hook,
	       ok ? "" : ": ", ok ? "" : why);
	failures += !ok;
}

/* The last punt of a run, with its packet. */
/* What a run did to an agent that was awake or slept, and may sleep before and after it reads. */
struct wakes {
	bool awake;
	bool woken;
	bool could_sleep_before;
	bool stays_awake; /* as it may not */
	bool could_sleep_after;
};

struct captured {
	int count;
	bool live;
	struct {
		struct fl_punt head;
		uint8_t data[70000];
	} punt;
};

static bool capture(void *ctx, const struct fl_punt *punt)
{
	struct captured *got = ctx;

	/* Reports carry no packet; the tcp fixtures look at the states themselves. */
	if (punt->reason == FL_PUNT_STATE)
		return true;
	got->count++;
	memcpy(&got->punt, punt, sizeof(*punt) + punt->len);
	return true;
}

static uint32_t ifindex_of(const struct world *w, enum fx_in from)
{
	switch (from) {
	case FX_LAN:
		return w->lan_ifindex;
	case FX_WAN:
		return w->wan_ifindex;
	case FX_WAN2:
		return w->wan2_ifindex;
	case FX_TUN:
		return w->tun_ifindex;
	}
	return 0;
}

struct run {
	uint8_t out[PG_MAX + 512];
	size_t out_len;
	uint32_t verdict;
};

static int run_xdp(struct world *w, const struct fixture *fx, const struct pg_packet *in,
		   struct run *run)
{
	struct xdp_md ctx = { .data_end = (uint32_t)in->len,
			      .ingress_ifindex = ifindex_of(w, fx->from) };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in->data, .data_size_in = (uint32_t)in->len,
		    .data_out = run->out, .data_size_out = sizeof(run->out), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = 1);
	int err = bpf_prog_test_run_opts(bpf_program__fd(w->dp->skel->progs.fl_xdp_ingress), &opts);

	run->out_len = opts.data_size_out;
	run->verdict = opts.retval;
	return err;
}

static int run_tc(struct world *w, const struct fixture *fx, const struct pg_packet *in,
		  struct run *run, const struct bpf_program *prog)
{
	struct __sk_buff ctx = { .ifindex = ifindex_of(w, fx->from) };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in->data, .data_size_in = (uint32_t)in->len,
		    .data_out = run->out, .data_size_out = sizeof(run->out), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = 1);
	int err;

	if (fx->gso_size) {
		ctx.gso_size = fx->gso_size;
		ctx.gso_segs = (uint32_t)(in->len / fx->gso_size);
	}
	err = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
	run->out_len = opts.data_size_out;
	run->verdict = opts.retval;
	return err;
}

static uint32_t verdict_of(enum fx_want want, bool xdp)
{
	switch (want) {
	case FX_SENT:
		return xdp ? XDP_REDIRECT : TC_ACT_REDIRECT;
	case FX_KERNEL:
	case FX_HOST:
		return xdp ? XDP_PASS : TC_ACT_OK;
	case FX_DROP:
		return xdp ? XDP_DROP : TC_ACT_SHOT;
	case FX_PUNT:
	case FX_TAKEN:
		return xdp ? XDP_DROP : TC_ACT_STOLEN;
	}
	return 0;
}

/* Exactly the counters that the row names have moved. */
static bool drops_differ(struct world *w, const struct fixture *fx, char why[256])
{
	struct fl_dp_counters counters;

	fl_dp_counters(w->dp, &counters);
	for (int i = 1; i < FL_DROP_MAX; i++) {
		uint64_t want = fx->want == FX_DROP && fx->reason == (enum fl_drop_reason)i;

		if (counters.drops[i] == want)
			continue;
		snprintf(why, 256, "drop reason %s counted %llu, expected %llu", drop_names[i],
			 (unsigned long long)counters.drops[i], (unsigned long long)want);
		return true;
	}
	return false;
}

static bool punt_differs(const struct fixture *fx, const struct pg_packet *in,
			 const struct captured *got, char why[256])
{
	struct pg_packet want = *in;
	size_t l3;

	if (fx->want != FX_PUNT) {
		snprintf(why, 256, "%d packets punted, expected none", got->count);
		return got->count != 0;
	}
	if (got->count != 1 || got->punt.head.reason != fx->punt) {
		snprintf(why, 256, "%d packets punted, reason %d, expected 1 with reason %d",
			 got->count, got->punt.head.reason, fx->punt);
		return true;
	}
	if (got->live != (got->punt.head.slot != FL_NO_SLOT)) {
		snprintf(why, 256, "punted through the wrong ring");
		return true;
	}
	/* The record holds the IP packet as it came, unless the row says otherwise. */
	if (fx->out.src)
		pg_build(&fx->out, &want);
	l3 = fx->in.dmac ? 14u + (fx->in.vlan ? 4u : 0u) + (fx->in.ivlan ? 4u : 0u) : 0;
	if (got->punt.head.len != want.len - l3 ||
	    memcmp(got->punt.head.data, want.data + l3, want.len - l3)) {
		snprintf(why, 256, "punted packet differs (%u bytes, expected %zu)",
			 got->punt.head.len, want.len - l3);
		return true;
	}
	return false;
}

/* Does the data plane want the agent to look at a ring? What it wanted earlier is forgotten. */
static bool is_woken(struct world *w)
{
	struct pollfd rings[2] = { { .fd = fl_dp_punt_fd(w->dp, false), .events = POLLIN },
				   { .fd = fl_dp_punt_fd(w->dp, true), .events = POLLIN } };

	return poll(rings, 2, 0) > 0;
}

/* Who sleeps is woken, who is awake is not; but sleeps no more without having looked. */
static bool wake_differs(const struct fixture *fx, const struct wakes *wakes, char why[256])
{
	if (fx->want != FX_PUNT)
		return false;
	if (wakes->woken == wakes->awake) {
		snprintf(why, 256, "the agent was %swoken", wakes->woken ? "" : "not ");
		return true;
	}
	if (wakes->could_sleep_before == wakes->stays_awake) {
		snprintf(why, 256, "the agent does not do what it may");
		return true;
	}
	if (wakes->could_sleep_before || !wakes->could_sleep_after) {
		snprintf(why, 256, "the agent may sleep %s",
			 wakes->could_sleep_before ? "with a packet in a ring" : "no more");
		return true;
	}
	return false;
}

static bool packet_differs(const struct fixture *fx, const struct pg_packet *in,
			   const struct run *run, char why[256])
{
	struct pg_packet want;

	if (fx->want == FX_KERNEL)
		want = *in;
	else if (fx->want == FX_SENT || fx->want == FX_HOST)
		pg_build(&fx->out, &want);
	else
		return false;
	return pg_differ(run->out, run->out_len, &want, why);
}

static void run_row(struct world *w, const struct fixture_set *set, const struct fixture *fx,
		    enum fx_hook hook)
{
	static struct captured got;
	static struct run run;
	struct wakes wakes;
	struct pg_packet in;
	char why[256] = "";
	uint32_t session = 0;
	const char *said, *hook_name = hook == FX_XDP ? "xdp" : hook == FX_TC ? "tc" : "tc egress";
	int err = 0;

	world_reset(w);
	if (fx->session)
		session = world_session(w, fx->session);
	if (fx->before)
		fx->before(w, session);
	pg_build(&fx->in, &in);
	in.len -= fx->cut;
	wakes.awake = w->t->settings->agent_awake;
	(void)is_woken(w);
	for (int i = 0; !err && i < (fx->runs ? fx->runs : 1); i++)
		err = hook == FX_XDP ? run_xdp(w, fx, &in, &run)
				     : run_tc(w, fx, &in, &run,
					      hook == FX_TC ? w->dp->skel->progs.fl_tc_ingress
							    : w->dp->skel->progs.fl_tc_egress);
	wakes.woken = is_woken(w);
	wakes.could_sleep_before = fl_dp_may_sleep(w->dp);
	wakes.stays_awake = w->t->settings->agent_awake;
	got.count = 0;
	fl_dp_punt_read(w->dp, true, capture, NULL, &got);
	got.live = got.count > 0;
	fl_dp_punt_read(w->dp, false, capture, NULL, &got);
	wakes.could_sleep_after = fl_dp_may_sleep(w->dp);

	if (err)
		snprintf(why, sizeof(why), "test run failed: %s", strerror(-err));
	else if (drops_differ(w, fx, why) || punt_differs(fx, &in, &got, why) ||
		 wake_differs(fx, &wakes, why))
		;
	else if (run.verdict != verdict_of(fx->want, hook == FX_XDP))
		snprintf(why, sizeof(why), "verdict %u, expected %u", run.verdict,
			 verdict_of(fx->want, hook == FX_XDP));
	else if (fx->expect && (said = fx->expect(w, run.out, run.out_len)))
		snprintf(why, sizeof(why), "%s", said);
	else if (packet_differs(fx, &in, &run, why))
		;
	else if (fx->after && (said = fx->after(w, session, &got.punt.head)))
		snprintf(why, sizeof(why), "%s", said);
	else {
		report(true, set, fx, hook_name, NULL);
		return;
	}
	report(false, set, fx, hook_name, why);
}

int main(int argc, char **argv)
{
	static struct world w;

	if (world_open(&w) < 0) {
		world_close(&w);
		printf("not ok - fixtures: no world to play in\n");
		return 1;
	}
	for (size_t s = 0; s < sizeof(sets) / sizeof(sets[0]); s++) {
		if (argc > 1 && strcmp(argv[1], sets[s]->name))
			continue;
		for (size_t i = 0; i < sets[s]->count; i++)
			for (int hook = FX_XDP; hook <= FX_EGRESS; hook <<= 1)
				if ((int)sets[s]->rows[i].hooks & hook)
					run_row(&w, sets[s], &sets[s]->rows[i], (enum fx_hook)hook);
	}
	world_close(&w);
	printf("1..%d\n", number);
	return failures ? 1 : 0;
}
