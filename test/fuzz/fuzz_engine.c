// SPDX-License-Identifier: Apache-2.0
/*
 * A session engine that is handed anything: packets from hosts and peers by way of the data plane's
 * model, metadata that is properly signed but says what the fuzzer wants, punts that no data plane
 * would make, time, restarts, other configurations. Whatever comes, sessions, flows, waypoints and
 * counters agree afterwards, and no packet that leaves is broken.
 *
 * Input: steps, each a byte that says what, two bytes of detail, a byte of length, and so many
 * bytes (times eight for packets).
 */
#include "agent/codec/meta.h"
#include "test/fuzz/fuzz.h"
#include "test/unit/engine_world.h"

/* How long a world lives before it is made anew: making it costs more than a few steps. */
#define MAX_STEPS 64

enum what {
	STEP_HOST,    /* an IP packet from R1's LAN */
	STEP_SERVER,  /* from R2's LAN */
	STEP_WAN,     /* on R2's path from R1 */
	STEP_BLOCK,   /* payload section of a block, signed, and user data */
	STEP_META,    /* metadata made of a few bytes, from R1 to R2 or back */
	STEP_SAY,     /* a plain packet of a host, so that there are sessions */
	STEP_PUNT,    /* a punt of any kind */
	STEP_TIME,    /* it passes */
	STEP_DELIVER, /* what is on the wire arrives, is lost, or comes twice */
	STEP_ADMIN,   /* clear, restart, configure, links, neighbours */
	STEP_MAX
};

struct step {
	enum what what;
	uint8_t a;
	uint8_t b;
	const uint8_t *data;
	size_t len;
};

static bool next_step(const uint8_t **data, size_t *len, struct step *ret)
{
	if (*len < 4)
		return false;
	*ret = (struct step){ .what = (enum what)((*data)[0] % STEP_MAX),
			      .a = (*data)[1],
			      .b = (*data)[2],
			      .len = (size_t)(*data)[3] * ((*data)[0] & 0x80 ? 8 : 1),
			      .data = *data + 4 };
	*data += 4;
	*len -= 4;
	if (ret->len > *len)
		ret->len = *len;
	*data += ret->len;
	*len -= ret->len;
	return true;
}

/* Most random bytes are no packet: give them a header whose sums are right, unless asked not to. */
static size_t mend(uint8_t *packet, size_t len, uint8_t how)
{
	struct fl_packet p;

	if (how & 1 || len < 20)
		return len;
	packet[0] = how & 2 ? 0x60 | (packet[0] & 15) : 0x45;
	if (packet[0] >> 4 == 6 && len >= 40) {
		packet[4] = (uint8_t)((len - 40) >> 8);
		packet[5] = (uint8_t)(len - 40);
	} else {
		packet[2] = (uint8_t)(len >> 8);
		packet[3] = (uint8_t)len;
	}
	if (fl_packet_parse(packet, len, &p))
		return len;
	if (p.hdr.family == 4)
		fl_ip4_csum_fill((void *)packet);
	fl_packet_csum_fill(&p);
	return len;
}

static void from_device(struct world *w, int router, enum device dev, const struct step *s)
{
	static const uint8_t mac[6] = { 2, 4, 10, 1, 0, 5 };
	uint8_t *copy = exact_copy(s->data, s->len);
	size_t len = mend(copy, s->len, s->a);

	/* Between known addresses, so that something is found. */
	if (!(s->b & 1) && len >= 20 && copy[0] >> 4 == 4) {
		memcpy(copy + 12,
		       dev == DEV_WAN1 ? "\xc6\x33\x64\x01\xc6\x33\x64\x02"
		       : router == R1  ? "\x0a\x01\x00\x05\x0a\x02\x00\x35"
				       : "\x0a\x02\x00\x35\x0a\x01\x00\x05",
		       8);
		mend(copy, len, s->a);
	}
	model_ingress(&w->r[router], dev, copy, len, mac);
	free(copy);
}

/* The usual sessions: of few hosts and ports, so that they meet. */
static struct say say_of(const struct step *s)
{
	static const uint8_t protos[] = { 17, 6, 1, 47 };
	static const char *const dsts[] = { "10.2.0.53", "192.0.2.80", "10.2.0.200", "10.2.0.1" };
	bool six = s->a & 0x40;
	struct say say = { .src = six ? "2001:db8:1::5" : "10.1.0.5",
			   .dst = six ? "2001:db8:2::35" : dsts[s->a >> 2 & 3],
			   .proto = protos[s->a & 3],
			   .sport = (uint16_t)(40000 + (s->b & 7)),
			   .ttl = s->b & 0x20 ? 2 : 64,
			   .df = s->b & 0x40,
			   .tcp_flags = s->len ? s->data[0] & 0x1f : FL_TH_SYN,
			   .len = s->b & 0x80 ? 1460 : 20 };

	if (six && say.proto == 1)
		say.proto = 58;
	if (!say.tcp_flags)
		say.tcp_flags = FL_TH_ACK;
	return say;
}

/* Waypoints: those of a session of the receiver's, or few others. */
static void aim(struct world *w, int to, const struct step *s, struct craft *c)
{
	const struct router *r = &w->r[to];
	const struct fl_session *session = &r->t.sessions[1 + (s->b & 15)];
	const struct fl_side *side = to == R1 ? &session->out : &session->in;

	c->proto = s->a & 0x10 ? FL_IPPROTO_TCP : FL_IPPROTO_UDP;
	c->sport = (uint16_t)(0x8000 + 2 * (s->b & 3));
	c->dport = (uint16_t)(c->sport + 1);
	if (s->a & 0x20 && session->state == FL_SESSION_LIVE && side->kind == FL_SIDE_PEER) {
		c->proto = fl_session_wire_proto(session);
		c->sport = side->remote_port;
		c->dport = side->local_port;
	}
}

/* Signed by the peer, and saying anything. */
static void block(struct world *w, const struct step *s)
{
	int to = s->a & 1 ? R1 : R2;
	struct craft c = { .from = R2 - to };
	struct fl_meta_base base = { .cookie = { FL_META_COOKIE_BYTES } };
	uint8_t whole[sizeof(base) + 2100];
	size_t header = s->len < 40 ? s->len / 2 : s->b & 31;
	size_t user = s->a & 2 && s->len > header ? (s->len - header) / 2 : 0;

	base.ver_hlen = FL_BE16(0x1000 | (sizeof(base) + header));
	base.plen = FL_BE16(s->len - header - user);
	memcpy(whole, &base, sizeof(base));
	memcpy(whole + sizeof(base), s->data, s->len);
	aim(w, to, s, &c);
	c.block = whole;
	c.block_len = sizeof(base) + s->len;
	c.tcp_flags = (uint8_t)(s->a >> 2 & 0x1f) | FL_TH_ACK;
	craft_send(w, &c);
}

/* Which TLVs, by the bits of two bytes. */
static void meta(struct world *w, const struct step *s)
{
	static const enum fl_meta_field fields[16] = {
		FL_META_FRAGMENT,     FL_META_DISABLE_FORWARD, FL_META_ICMP_LOCATION,
		FL_META_CONTROL,      FL_META_HEALTH,          FL_META_METRICS,
		FL_META_FORWARD,      FL_META_REVERSE,         FL_META_SOURCE_NAT,
		FL_META_MODIFY,       FL_META_ENCRYPTED,       FL_META_REMAINING_TIME,
		FL_META_DEST_ROUTER,  FL_META_APPLICATION,     FL_META_TCP_SYN,
		FL_META_SESSION_COUNT
	};
	int to = s->a & 1 ? R1 : R2;
	struct say say = say_of(s);
	struct fl_meta m = craft_forward(&say, s->b & 3), reverse = craft_reverse(&say);
	struct craft c = { .from = R2 - to, .meta = &m };
	unsigned int bits = s->len > 1 ? s->data[0] | (unsigned int)s->data[1] << 8 : 0x40;
	const struct fl_session *old = &w->r[to].t.sessions[1 + (s->b & 15)];

	m.has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_UUID);
	for (int i = 0; i < 16; i++)
		if (bits & 1u << i)
			m.has |= FL_META_BIT(fields[i]);
	if (bits & 0x40)
		m.has |= FL_META_BIT(FL_META_TENANT) | FL_META_BIT(FL_META_SERVICE) |
			 FL_META_BIT(FL_META_SOURCE_ROUTER) | FL_META_BIT(FL_META_PATHWAY);
	m.reverse = reverse.reverse;
	m.icmp_location = addr_of(s->a & 8 ? "2001:db8:2::9" : "10.2.0.9");
	m.source_nat = addr_of("10.1.0.77");
	m.control = s->len > 2 ? s->data[2] % 10 : 0;
	m.health = s->len > 3 ? s->data[3] % 3 : 1;
	m.modify.seq = s->b;
	m.fragment.offset = s->len > 4 ? s->data[4] % 8 : 0;
	m.fragment.mf = s->a & 4;
	m.dest_router = m.application = (struct fl_meta_name){ "x", 1 };
	if (s->a & 0x80)
		memcpy(m.uuid, old->uuid, 16);
	aim(w, to, s, &c);
	c.tcp_flags = s->len > 5 ? s->data[5] & 0x1f : FL_TH_SYN;
	c.payload = s->len > 6 ? s->data + 6 : NULL;
	c.len = s->len > 6 ? s->len - 6 : 0;
	craft_send(w, &c);
}

/* What no data plane would hand up: any reason, any place. */
static void punt(struct world *w, const struct step *s)
{
	struct router *r = &w->r[s->a & 1];
	struct model_punt what = { .reason = (enum fl_punt_reason)(s->b % (FL_PUNT_STATE + 2)),
				   .hook = (enum fl_hook)(s->b >> 4 & 3),
				   .slot = FL_NO_SLOT };
	uint8_t *copy = exact_copy(s->data, s->len);
	size_t len = mend(copy, s->len, s->a >> 1);

	if (len > 6) {
		what.iface = copy[len - 1] & 7;
		what.path = copy[len - 2] & 3;
		what.gso_size = copy[len - 3] & 0x80 ? copy[len - 3] : 0;
		what.session = copy[len - 4] & 0x80 ? 0xffffffff : copy[len - 4] & 31;
		what.slot = copy[len - 5] & 0x80 ? FL_NO_SLOT : copy[len - 5];
		if (what.session <= r->t.max_sessions && copy[len - 6] & 1)
			what.slot = r->t.sessions[what.session].slot[copy[len - 6] >> 1 & 1];
	}
	model_hand_up(r, &what, copy, len);
	free(copy);
}

static void deliver(struct world *w, const struct step *s)
{
	for (int i = 0; i <= (s->a & 7); i++) {
		struct frame *f = frames_pop(&w->wire);

		if (!f)
			return;
		if (!(s->b & 1))
			world_deliver(w, f);
		if (s->b & 2)
			world_deliver(w, f);
		free(f);
	}
}

static void administer(struct world *w, const struct step *s)
{
	static const struct world_opts other[] = {
		{ .max_sessions = 16 },
		{ .max_sessions = 16, .access = "{'source':'vip'}" },
		{ .max_sessions = 16, .no_wan2 = true },
		{ .max_sessions = 16,
		  .adjacency = ",'port-range':{'start-port':20000,'end-port':20003}" },
		{ .max_sessions = 16,
		  .adjacency = ",'mtu':600",
		  .policy = ",'transport-state-enforcement':'strict'" },
		{ .max_sessions = 16,
		  .authority = ",'session-recovery-detection':{'mode':'inactivity-based'}",
		  .policy = ",'transport-state-enforcement':'allow'" },
	};
	struct router *r = &w->r[s->b & 1];

	switch (s->a % 8) {
	case 0:
		fl_engine_clear_all(r->engine);
		break;
	case 1:
		router_restart(r);
		break;
	case 2:
		router_forget_all(r);
		break;
	case 3:
		router_configure(r, &other[(s->b >> 1) % (sizeof(other) / sizeof(other[0]))]);
		break;
	case 4:
		router_link(r, s->b & 2 ? DEV_WAN1 : DEV_LAN, s->b & 4);
		break;
	case 5:
		router_neighbour(r, DEV_LAN, r->n ? "10.2.0.53" : "10.1.0.5", s->b & 4);
		break;
	case 6:
		r->silent = s->b & 4;
		router_answer(r);
		break;
	default:
		fl_fabric_routes_changed(r->fabric);
		fl_engine_routes_changed(r->engine);
		break;
	}
}

static void take(struct world *w, const struct step *s)
{
	struct say say;

	switch (s->what) {
	case STEP_HOST:
		from_device(w, R1, s->b & 0x80 ? DEV_GUEST : DEV_LAN, s);
		break;
	case STEP_SERVER:
		from_device(w, R2, DEV_LAN, s);
		break;
	case STEP_WAN:
		from_device(w, R2, DEV_WAN1, s);
		break;
	case STEP_BLOCK:
		block(w, s);
		break;
	case STEP_META:
		meta(w, s);
		break;
	case STEP_SAY:
		say = say_of(s);
		if (s->b & 8)
			server_says(w, &say);
		else
			client_says(w, &say);
		break;
	case STEP_PUNT:
		punt(w, s);
		break;
	case STEP_TIME:
		world_leap(w, (uint64_t)s->a * 100);
		world_tick(w);
		break;
	case STEP_DELIVER:
		deliver(w, s);
		break;
	case STEP_ADMIN:
		administer(w, s);
		break;
	case STEP_MAX:
		break;
	}
}

/* What leaves is whole: its parts add up and its checksums are right. */
static void look_at_output(struct world *w)
{
	struct got g;

	for (int i = 0; i < w->routers; i++)
		while (got_out(&w->r[i], &g))
			;
	while (w->wire.count > 64)
		free(frames_pop(&w->wire));
	frames_clear(&w->past);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct world_opts opts = { .max_sessions = 16, .security = ",'encrypt':false" };
	struct world *w = world_new(&opts);
	struct step s;

	w->hold = true;
	w->odd_peers = true;
	for (int n = 0; n < MAX_STEPS && next_step(&data, &len, &s); n++) {
		take(w, &s);
		look_at_output(w);
		router_check(&w->r[R1]);
		router_check(&w->r[R2]);
	}
	world_free(w);
	return 0;
}
