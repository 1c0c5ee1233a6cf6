// SPDX-License-Identifier: Apache-2.0
/* Paths under watch, in a small world: see watch_world.h. */
#include "test/unit/watch_world.h"

#include <criterion/criterion.h>
#include <string.h>

#include "agent/base/rand.h"
#include "agent/codec/bfd_pkt.h"
#include "agent/codec/packet.h"

#define STEP_MS  1
#define MAX_WIRE 512

struct flying {
	int to; /* side; -1: none */
	uint64_t due_ns;
	struct fl_addr source;
	uint16_t port;
	size_t len;
	uint8_t data[FL_WATCH_PACKET_MAX];
};

struct side sides[2];
static struct flying wire[MAX_WIRE];
uint64_t mono_ns, wall_ns;
bool cut[2];
uint64_t delay_ns[2];
unsigned int lose_next;
bool reflects;
unsigned int lose_echo;
uint64_t strained;
uint8_t nat_host;
uint16_t nat_port;

static unsigned int echoes;

static uint8_t key_bytes[2][32];

struct fl_rings *rings_with(uint8_t key)
{
	static char name[] = "fabric";
	static struct fl_cfg_key cfg_key;
	static struct fl_cfg_security security;
	struct fl_config config = { .authority = { .security = &security, .n_security = 1 } };
	char why[FL_WHY_TEXT];
	struct fl_rings *rings;

	memset(key_bytes, key, sizeof(key_bytes));
	cfg_key = (struct fl_cfg_key){ .security_id = 1,
				       .hmac_key = { key_bytes[0], 32 },
				       .encryption_key = { key_bytes[1], 16 } };
	security = (struct fl_cfg_security){ .name = name,
					     .encrypt = true,
					     .hmac_mode = FL_CFG_HMAC_TIME_BASED,
					     .hmac_cipher = FL_CFG_HMAC_SHA256_128,
					     .key = &cfg_key,
					     .n_key = 1 };
	cr_assert_eq(fl_rings_new(&config, &rings, why), 0, "%s", why);
	return rings;
}

struct fl_addr addr(uint8_t host)
{
	return (struct fl_addr){ .family = 4, .b = { 192, 0, 2, host } };
}

static uint8_t *room(void *ctx)
{
	return ((struct side *)ctx)->room;
}

static struct flying *free_place(void)
{
	for (size_t i = 0; i < MAX_WIRE; i++)
		if (wire[i].to < 0)
			return &wire[i];
	cr_assert(false, "the wire is full");
	return NULL;
}

/* What the far data plane does with a link test: see common/bfd.h. */
static bool reflected(uint8_t *data, size_t len)
{
	if (!fl_bfd_echo_reflect(data, len))
		return false;
	return ++echoes % (lose_echo ? lose_echo : UINT32_MAX) != 0;
}

static void queue(void *ctx, const struct fl_tx_to *to, size_t len)
{
	struct side *s = ctx;
	int from = (int)(s - sides), far = !from;
	struct fl_packet p;
	struct flying *f;

	cr_assert_eq(to->ifindex, 7u + (unsigned int)from);
	cr_assert_eq(fl_packet_parse(s->room, len, &p), 0);
	cr_assert_eq(p.hdr.proto, 17);
	f = free_place();
	*f = (struct flying){ .to = far,
			      .due_ns = mono_ns + delay_ns[from],
			      .source = s->spec.local,
			      .port = FL_BFD_PORT,
			      .len = p.payload_len };
	memcpy(f->data, p.payload, p.payload_len);
	if (cut[from] || lose_next) {
		lose_next -= lose_next > 0;
		f->to = -1;
		return;
	}
	if (!from && nat_host) {
		f->source = addr(nat_host);
		f->port = nat_port;
	}
	if (!memcmp(f->data, "\x4c\x48\xdb\xc6", 4)) {
		if (!reflects || !reflected(f->data, f->len) || cut[far]) {
			f->to = -1;
			return;
		}
		f->to = from;
		f->due_ns += delay_ns[far];
		f->source = s->spec.remote;
		f->port = FL_BFD_PORT;
	}
}

static uint64_t strain(void *ctx)
{
	(void)ctx;
	return strained;
}

static void side_start(int n, uint32_t boot_s, uint32_t capability)
{
	struct side *s = &sides[n];

	s->self = (struct fl_watch_self){ .boot = { boot_s, 0x1234u + boot_s },
					  .capability = capability,
					  .room = room,
					  .queue = queue,
					  .strain = strain,
					  .ctx = s };
	cr_assert_eq(fl_watch_new(&s->self, &s->watch), 0);
	fl_watch_configure(s->watch, n ? "r2" : "r1", rings_with(5));
}

void side_set(int n)
{
	cr_assert_eq(fl_watch_set(sides[n].watch, &sides[n].spec, (struct fl_mono){ mono_ns }), 0);
}

void world(void)
{
	mono_ns = 1000 * FL_NS_PER_S;
	wall_ns = 1700000000 * FL_NS_PER_S;
	cr_assert_eq(fl_rand_init(), 0);
	fl_rand_seed_for_test(7);
	fl_clock_replace(&mono_ns, &wall_ns);
	memset(sides, 0, sizeof(sides));
	memset(cut, 0, sizeof(cut));
	lose_next = 0;
	delay_ns[0] = delay_ns[1] = 2 * MS;
	reflects = true;
	lose_echo = echoes = nat_host = 0;
	strained = 0;
	for (size_t i = 0; i < MAX_WIRE; i++)
		wire[i].to = -1;
	for (int n = 0; n < 2; n++) {
		side_start(n, 1700000000u, FL_CAPABLE_VECTORS);
		sides[n].spec = (struct fl_watch_spec){
			.id = PATH,
			.enabled = true,
			.link_up = true,
			.ifindex = 7,
			.local = addr((uint8_t)(1 + n)),
			.remote = addr((uint8_t)(2 - n)),
			.to = { .ifindex = 7u + (unsigned int)n, .family = 4 },
			.bfd = { .desired_tx_us = 50000,
				 .required_rx_us = 50000,
				 .required_echo_us = 1000000,
				 .hold_down_ms = 2000,
				 .max_hold_down_ms = 60000,
				 .detect_mult = 3 },
			.echo = { .interval_ms = 1000, .length = 10 },
			.rolling_ms = 60000,
		};
		side_set(n);
	}
}

void world_end(void)
{
	fl_watch_free(sides[0].watch);
	fl_watch_free(sides[1].watch);
	fl_clock_replace(NULL, NULL);
}

static void deliver(int n)
{
	for (size_t i = 0; i < MAX_WIRE; i++) {
		struct fl_watch_packet p = { .local = sides[n].spec.local,
					     .source = wire[i].source,
					     .source_port = wire[i].port,
					     .ifindex = 7,
					     .data = wire[i].data,
					     .len = wire[i].len,
					     .at = { wire[i].due_ns } };

		if (wire[i].to != n || wire[i].due_ns > mono_ns)
			continue;
		wire[i].to = -1;
		fl_watch_rx(sides[n].watch, &p);
	}
}

static void look(struct side *s)
{
	unsigned int news;
	uint16_t id;
	bool usable;

	while ((news = fl_watch_news(s->watch, &id))) {
		cr_assert_eq(id, PATH);
		s->news |= news;
	}
	fl_watch_quality(s->watch, PATH, (struct fl_mono){ mono_ns }, &s->q);
	usable = s->q.live != FL_LIVE_NO;
	s->ups += usable && !s->was_usable;
	s->downs += !usable && s->was_usable;
	s->was_usable = usable;
}

void run_ms(uint64_t ms)
{
	for (uint64_t t = 0; t < ms; t += STEP_MS) {
		mono_ns += STEP_MS * MS;
		wall_ns += STEP_MS * MS;
		for (int n = 0; n < 2; n++) {
			if (sides[n].asleep)
				continue;
			deliver(n);
			if (fl_watch_wake(sides[n].watch).ns <= mono_ns)
				fl_watch_run(sides[n].watch, (struct fl_mono){ mono_ns });
			look(&sides[n]);
		}
	}
}

void come_up(void)
{
	run_ms(4500);
	for (int n = 0; n < 2; n++) {
		cr_assert_eq(sides[n].q.state, FL_BFD_UP, "side %d", n);
		cr_assert_eq(sides[n].q.live, FL_LIVE_YES, "side %d: %s", n, sides[n].q.why_not);
		sides[n].news = sides[n].ups = sides[n].downs = 0;
	}
}

void restart(int n, uint32_t capability)
{
	fl_watch_free(sides[n].watch);
	for (size_t i = 0; i < MAX_WIRE; i++)
		if (wire[i].to == n)
			wire[i].to = -1;
	side_start(n, 1700000001u, capability);
	sides[n].spec.was_up = capability & FL_CAPABLE_KEPT;
	side_set(n);
	fl_watch_quality(sides[n].watch, PATH, (struct fl_mono){ mono_ns }, &sides[n].q);
	sides[n].was_usable = sides[n].q.live != FL_LIVE_NO;
}
