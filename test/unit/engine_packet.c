// SPDX-License-Identifier: Apache-2.0
/* Packets of the small world: said by hosts, made by peers, looked at on their way. */
#include <arpa/inet.h>
#include <string.h>

#include "test/unit/engine_world.h"
#include "test/unit/pkt.h"

/* --- said ------------------------------------------------------------------------------------- */

static struct say usual(const struct say *say)
{
	struct say s = *say;

	if (!s.src)
		s.src = "10.1.0.5";
	if (!s.dst)
		s.dst = strchr(s.src, ':') ? "2001:db8:2::35" : "10.2.0.53";
	if (!s.proto)
		s.proto = FL_IPPROTO_UDP;
	if (!s.sport)
		s.sport = 40000;
	if (!s.dport)
		s.dport = 53;
	if (!s.ttl)
		s.ttl = 64;
	if (!s.window)
		s.window = 65000;
	if (!s.tcp_flags)
		s.tcp_flags = FL_TH_SYN;
	if (!s.len && !s.no_payload && !s.payload)
		s.len = s.proto == FL_IPPROTO_TCP && s.tcp_flags & FL_TH_SYN ? 0 : 32;
	if (!s.icmp_type)
		s.icmp_type = strchr(s.src, ':') ? FL_ICMP6_ECHO : FL_ICMP4_ECHO;
	/* 0 is echo's answer, and the default of the field: 255 stands for it. */
	if (s.icmp_type == 255)
		s.icmp_type = 0;
	return s;
}

static size_t tcp_header(const struct say *s, uint8_t *l4)
{
	size_t len = 20;

	memset(l4, 0, 28);
	be16(l4, s->sport);
	be16(l4 + 2, s->dport);
	be32(l4 + 4, s->seq);
	be32(l4 + 8, s->ack);
	l4[13] = s->tcp_flags;
	be16(l4 + 14, s->window);
	if (s->mss) {
		be32(l4 + len, 0x02040000u | s->mss);
		len += 4;
	}
	if (s->scale) {
		be32(l4 + len, 0x01030300u | s->scale);
		len += 4;
	}
	l4[12] = (uint8_t)(len << 2);
	return len;
}

static size_t l4_header(const struct say *s, uint8_t *l4)
{
	switch (s->proto) {
	case FL_IPPROTO_TCP:
		return tcp_header(s, l4);
	case FL_IPPROTO_UDP:
		memset(l4, 0, 8);
		be16(l4, s->sport);
		be16(l4 + 2, s->dport);
		be16(l4 + 4, (unsigned int)(8 + s->len));
		return 8;
	case FL_IPPROTO_ICMP:
	case FL_IPPROTO_ICMPV6:
		memset(l4, 0, 8);
		l4[0] = s->icmp_type;
		l4[1] = s->icmp_code;
		be16(l4 + 4, s->sport);
		be16(l4 + 6, s->icmp_seq ? s->icmp_seq : 1);
		return 8;
	default:
		return 0;
	}
}

static void fill_checksum(struct pkt *k, uint8_t proto)
{
	size_t l4_len = k->len - k->l4;

	if (proto == FL_IPPROTO_TCP)
		slow_fill(k, 16, slow_pseudo(k->b, l4_len, proto));
	else if (proto == FL_IPPROTO_UDP)
		slow_fill(k, 6, slow_pseudo(k->b, l4_len, proto));
	else if (proto == FL_IPPROTO_ICMP)
		slow_fill(k, 2, 0);
	else if (proto == FL_IPPROTO_ICMPV6)
		slow_fill(k, 2, slow_pseudo(k->b, l4_len, proto));
}

size_t say_packet(const struct say *say, uint8_t out[FL_MAX_FRAME])
{
	static struct pkt k;
	struct say s = usual(say);
	bool six = strchr(s.src, ':');
	size_t head;

	k.l4 = six ? 40 : 20;
	head = l4_header(&s, k.b + k.l4);
	put_ip(&k, six ? 6 : 4, s.proto, head + s.len);
	l4_header(&s, k.b + k.l4);
	MUST_BE(inet_pton(six ? AF_INET6 : AF_INET, s.src, k.b + (six ? 8 : 12)) == 1);
	MUST_BE(inet_pton(six ? AF_INET6 : AF_INET, s.dst, k.b + (six ? 24 : 16)) == 1);
	k.b[six ? 7 : 8] = s.ttl;
	if (!six) {
		if (s.id)
			be16(k.b + 4, s.id);
		be16(k.b + 6, s.df ? 0x4000 : 0);
		be16(k.b + 10, 0);
		be16(k.b + 10, 0xffff - slow_sum(k.b, 20, 0));
	}
	if (s.payload)
		memcpy(k.b + k.l4 + head, s.payload, s.len);
	else
		put_payload(&k, k.l4 + head);
	fill_checksum(&k, s.proto);
	memcpy(out, k.b, k.len);
	return k.len;
}

struct say answer_to(const struct say *say)
{
	struct say s = usual(say), a = s;

	a.src = s.dst;
	a.dst = s.src;
	if (s.proto == FL_IPPROTO_TCP || s.proto == FL_IPPROTO_UDP) {
		a.sport = s.dport;
		a.dport = s.sport;
	}
	if (s.proto == FL_IPPROTO_ICMP)
		a.icmp_type = 255;
	if (s.proto == FL_IPPROTO_ICMPV6)
		a.icmp_type = FL_ICMP6_ECHO_REPLY;
	a.tcp_flags = FL_TH_SYN | FL_TH_ACK;
	a.seq = 7000;
	a.ack = s.seq + 1;
	return a;
}

enum model_verdict host_says(struct world *w, int router, enum device dev, const struct say *say)
{
	static uint8_t packet[FL_MAX_FRAME];
	size_t len = say_packet(say, packet);
	struct say s = usual(say);
	struct fl_addr src = addr_of(s.src);
	enum model_verdict verdict;
	uint8_t mac[6];

	mac_of_addr(&src, mac);
	if (dev == DEV_HOST)
		verdict = model_egress(&w->r[router], packet, len);
	else
		verdict = model_ingress(&w->r[router], dev, packet, len, mac);
	if (!w->hold)
		world_run(w);
	return verdict;
}

enum model_verdict lan_says(struct world *w, int router, const struct say *say)
{
	return host_says(w, router, DEV_LAN, say);
}

enum model_verdict client_says(struct world *w, const struct say *say)
{
	return lan_says(w, R1, say);
}

enum model_verdict server_says(struct world *w, const struct say *say)
{
	struct say answer = answer_to(say);

	return lan_says(w, w->routers - 1, &answer);
}

/* --- looked at -------------------------------------------------------------------------------- */

/* A copy of the frame, exactly as long as it is, that lives as long as the world. */
static struct frame *keep(struct world *w, const struct frame *f)
{
	struct frame *copy = malloc(sizeof(*copy) + f->len);

	MUST_BE(copy);
	memcpy(copy, f, sizeof(*copy) + f->len);
	frames_add(&w->past, copy);
	return copy;
}

/* What our routers send has right checksums, whatever it is. */
static void look(struct world *w, const struct frame *f, struct got *g)
{
	struct frame *copy = keep(w, f);

	memset(g, 0, sizeof(*g));
	g->f = keep(w, f); /* looking at it decrypts the other one */
	MUST_BE(!fl_packet_parse(copy->data, copy->len, &g->p));
	MUST_BE(g->p.len == copy->len);
	MUST_BE(fl_packet_ip_csum_ok(&g->p));
	fl_packet_tuple(&g->p, &g->t);
	/* What a peer unwraps for us may be wrong from the start; and UDP may end before IP does,
	 * which the slow sums do not know. */
	if (w->odd_peers &&
	    (g->p.hdr.flags & FL_PKT_PORTLESS || g->p.l4 + g->p.l4_len != g->p.data + g->p.len))
		return;
	if (!(g->p.hdr.flags & FL_PKT_FRAGMENT) && fl_packet_csum_state(&g->p) != FL_CSUM_NONE)
		MUST_BE(slow_ok(copy->data, copy->len));
}

bool got_out(struct router *r, struct got *ret_got)
{
	struct frame *f = frames_pop(&r->out);

	if (!f)
		return false;
	look(r->world, f, ret_got);
	free(f);
	return true;
}

static struct fl_keyring *ring_at(struct world *w, int router, enum device dev)
{
	const struct fl_netif *netif =
		fl_fabric_netif(w->r[router].fabric, router_iface(&w->r[router], dev));

	MUST_BE(netif && netif->rx_ring);
	return netif->rx_ring;
}

static void open_wire(struct world *w, struct got *g)
{
	struct fl_open open = { .unix_s = w->wall_ns / FL_NS_PER_S };
	enum device dev;
	int to;

	MUST_BE(world_far_end(w, g->f->router, g->f->dev, &to, &dev));
	open.ring = ring_at(w, to, dev);
	open.pad = fl_fabric_path(w->r[to].fabric, router_path(&w->r[to], dev))
			   ->cfg->post_encryption_padding;
	g->meta = fl_meta_has_cookie(g->p.payload, g->p.payload_len);
	if (g->meta)
		MUST_BE(!fl_open(&open, g->p.payload, g->p.payload_len, &g->o));
}

bool peek_wire(struct world *w, size_t n, struct got *ret_got)
{
	const struct frame *f = w->wire.first;

	while (f && n--)
		f = f->next;
	if (!f)
		return false;
	look(w, f, ret_got);
	open_wire(w, ret_got);
	return true;
}

bool got_wire(struct world *w, struct got *ret_got)
{
	if (!peek_wire(w, 0, ret_got))
		return false;
	free(frames_pop(&w->wire));
	return true;
}

/* --- made ------------------------------------------------------------------------------------- */

struct fl_meta craft_forward(const struct say *say, uint8_t n)
{
	static uint8_t packet[FL_MAX_FRAME];
	struct fl_packet p;
	struct fl_meta m = {
		.has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_FORWARD) |
		       FL_META_BIT(FL_META_TENANT) | FL_META_BIT(FL_META_SERVICE) |
		       FL_META_BIT(FL_META_UUID) | FL_META_BIT(FL_META_SOURCE_ROUTER) |
		       FL_META_BIT(FL_META_PATHWAY),
		.security_id = 1,
		.tenant = { "staff", 5 },
		.service = { "datacenter", 10 },
		.source_router = { "r1", 2 },
		.pathway = { "198.51.100.1", 12 },
	};

	MUST_BE(!fl_packet_parse(packet, say_packet(say, packet), &p));
	MUST_BE(fl_packet_tuple(&p, &m.forward));
	memset(m.uuid, n, sizeof(m.uuid));
	return m;
}

struct fl_meta craft_reverse(const struct say *say)
{
	struct fl_meta f = craft_forward(say, 0), m = {
		.has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_REVERSE) |
		       FL_META_BIT(FL_META_PATHWAY),
		.security_id = 1,
		.pathway = { "198.51.100.2", 12 },
	};

	m.reverse = fl_tuple_reverse(&f.forward);
	return m;
}

struct fl_meta craft_control(uint8_t control)
{
	return (struct fl_meta){ .has = FL_META_BIT(FL_META_SECURITY_ID) |
					FL_META_BIT(FL_META_CONTROL),
				 .security_id = 1,
				 .control = control };
}

/* Layer 4 payload: sealed by the code that has tests of its own, spoiled if the test wants that. */
static size_t craft_payload(struct world *w, const struct craft *c, int to, uint8_t *out)
{
	static uint8_t joined[FL_META_MAX + FL_MAX_FRAME];
	struct fl_seal seal = {
		.ring = c->ring ? c->ring : ring_at(w, to, c->dev ? c->dev : DEV_WAN1),
		.unix_s = c->unix_s ? c->unix_s : w->wall_ns / FL_NS_PER_S,
		.meta = c->meta,
		.payload = c->payload,
		.payload_len = c->len,
	};
	size_t room = FL_MAX_FRAME - 200, len;
	int sealed;

	if (!c->meta && !c->seal && !c->block) {
		if (c->len)
			memcpy(out, c->payload, c->len);
		return c->len;
	}
	sealed = fl_seal(&seal, out, room);
	MUST_BE(sealed >= 0);
	len = (size_t)sealed;
	if (c->block) {
		/* As it stands, and only signed. */
		struct fl_key *key = fl_keyring_current(seal.ring, seal.unix_s);

		MUST_BE(c->block_len + c->len < sizeof(joined) && key);
		memcpy(joined, c->block, c->block_len);
		if (c->len)
			memcpy(joined + c->block_len, c->payload, c->len);
		len = c->block_len + c->len;
		memcpy(out, joined, len);
		fl_hmac_sign(&key->hmac, out, len, seal.unix_s, out + len);
		len += fl_keyring_hmac_len(seal.ring);
	}
	if (c->spoil)
		c->spoil(out, &len);
	return len;
}

size_t craft_packet(struct world *w, const struct craft *c, uint8_t *out)
{
	static uint8_t payload[FL_MAX_FRAME];
	enum device dev = c->dev ? c->dev : DEV_WAN1, far_dev;
	struct say s = {
		.src = world_waypoint(&w->opts, c->from, dev),
		.proto = c->proto,
		.sport = c->sport ? c->sport : 0x8000,
		.dport = c->dport ? c->dport : 0x4001,
		.tcp_flags = c->tcp_flags,
		.seq = c->seq,
		.ack = c->ack,
		.no_payload = true,
		.payload = payload,
	};
	int to;

	MUST_BE(world_far_end(w, c->from, dev, &to, &far_dev));
	s.dst = world_waypoint(&w->opts, to, dev);
	s.len = craft_payload(w, c, to, payload);
	return say_packet(&s, out);
}

enum model_verdict craft_send(struct world *w, const struct craft *c)
{
	static uint8_t packet[FL_MAX_FRAME];
	enum device dev = c->dev ? c->dev : DEV_WAN1, far_dev;
	size_t len = craft_packet(w, c, packet);
	enum model_verdict verdict;
	uint8_t mac[6];
	int to;

	MUST_BE(world_far_end(w, c->from, dev, &to, &far_dev));
	mac_of_device(c->from, dev, mac);
	verdict = model_ingress(&w->r[to], far_dev, packet, len, mac);
	if (!w->hold)
		world_run(w);
	return verdict;
}
