// SPDX-License-Identifier: Apache-2.0
/* Property: what is built from any valid struct is parsed back as the same struct. */
#include <criterion/criterion.h>

#include "test/unit/meta_equal.h"

#define ROUNDS 20000

static uint64_t seed = 0x9e3779b97f4a7c15ULL;

static uint64_t next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static struct fl_meta_name some_name(char *buf)
{
	static const char *const chars[] = {
		"a", "Z", "0", ".", "-", "\x7f", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
		"\n"
	};
	uint16_t max = next() % 8 ? next() % 20 : FL_META_NAME_MAX, len = 0;

	for (;;) {
		const char *c = chars[next() % 10];

		if (len + strlen(c) > max)
			break;
		memcpy(buf + len, c, strlen(c));
		len += (uint16_t)strlen(c);
	}
	return (struct fl_meta_name){ buf, len };
}

static struct fl_addr some_addr(uint8_t family)
{
	struct fl_addr a = { .family = family };

	for (size_t i = 0; i < fl_addr_size(family); i++)
		a.b[i] = (uint8_t)next();
	return a;
}

static uint8_t some_family(void)
{
	return next() & 1 ? 4 : 6;
}

static struct fl_tuple some_tuple(void)
{
	struct fl_tuple t = { .family = some_family(),
			      .sport = (uint16_t)next(),
			      .dport = (uint16_t)next(),
			      .proto = (uint8_t)next() };
	struct fl_addr src = some_addr(t.family), dst = some_addr(t.family);

	memcpy(t.src, src.b, 16);
	memcpy(t.dst, dst.b, 16);
	return t;
}

static struct fl_meta_endpoint some_endpoint(void)
{
	return (struct fl_meta_endpoint){ some_addr(some_family()), (uint16_t)next() };
}

static void fill_header(struct fl_meta *m)
{
	m->fragment = (struct fl_meta_fragment){ .ext_id = (uint32_t)next(),
						 .orig_id = (uint16_t)next(),
						 .offset = next() & 0x1fff,
						 .largest = (uint16_t)next(),
						 .df = next() & 1,
						 .mf = next() & 1 };
	m->security_id = (uint32_t)next();
	m->icmp_location = some_addr(some_family());
	m->control = (uint8_t)next();
	m->health = (uint8_t)next();
	m->metrics = (struct fl_meta_metrics){ .tx_time_ms = next() & 0xfffffff,
					       .rx_time_ms = next() & 0xfffffff,
					       .prev_count = next() & 0x7fff,
					       .tx_colour = next() & 15,
					       .rx_colour = next() & 15,
					       .drop = next() & 1 };
	m->duplicate_seq = (uint32_t)next();
	m->capability = (uint32_t)next();
	m->own_endpoint = some_endpoint();
	m->seen_endpoint = some_endpoint();
	m->boot_id = (struct fl_meta_boot_id){ (uint32_t)next(), (uint32_t)next() };
	m->echo = (struct fl_meta_echo){ next(), (uint32_t)next(), (uint16_t)next(),
					 (uint16_t)next(), (uint8_t)next() };
	m->mtu_probe = (struct fl_meta_mtu_probe){ (uint16_t)next(), next() % 300 };
}

static void fill_egress(struct fl_meta_egress *e, uint8_t *buf)
{
	e->entries = buf;
	for (uint64_t n = next() % 5; n; n--) {
		struct fl_meta_name name = some_name((char *)buf + e->len + 1);

		buf[e->len] = (uint8_t)name.len;
		e->len += name.len + 1;
		e->count++;
	}
}

static void fill_payload(struct fl_meta *m, char names[7][256], uint8_t *buf)
{
	uint8_t family = some_family();

	m->forward = some_tuple();
	m->reverse = some_tuple();
	memcpy(m->uuid, some_addr(6).b, 16);
	m->tenant = some_name(names[0]);
	m->interface_id = (uint32_t)next();
	m->service = some_name(names[1]);
	m->session_count = next();
	m->source_router = some_name(names[2]);
	m->security_policy = some_name(names[3]);
	m->dest_router = some_name(names[4]);
	m->pathway = some_name(names[5]);
	m->source_nat = some_addr(4);
	m->modify = (struct fl_meta_modify){ next() & 0xfff, next() & 1, next() & 1 };
	m->application = some_name(names[6]);
	m->remaining_s = (uint32_t)next();
	m->vector = (struct fl_meta_vector){ (uint16_t)next(), (uint32_t)next() };
	m->payload_key = (struct fl_meta_payload_key){ (const uint8_t *)names, next() & 1 ? 16 : 32,
						       (uint8_t)next(), (uint8_t)next() };
	m->multicast = (struct fl_meta_multicast){ some_addr(family), some_addr(family),
						   (uint8_t)next(), (uint8_t)next() };
	fill_egress(&m->egress, buf);
}

Test(meta_random, built_then_parsed_is_the_same)
{
	static uint8_t block[16384], again[16384], egress[2048];
	static char names[7][256];
	uint64_t seen = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct fl_writer w = fl_writer(block, sizeof(block));
		struct fl_meta_lens built, lens;
		struct fl_meta m = { 0 }, back;
		int len;

		fill_header(&m);
		fill_payload(&m, names, egress);
		m.has = next() & (FL_META_BIT(FL_META_FIELD_MAX) - 1);
		if (next() & 1)
			m.has &= next(); /* sparse ones too */
		seen |= m.has;
		len = fl_meta_build(&m, &w, &built);
		cr_assert_gt(len, 0, "round %d: %d", i, len);
		cr_assert_eq(fl_meta_peek(block, (size_t)len, &lens), 0);
		cr_assert(lens.header == built.header && lens.payload == built.payload);
		cr_assert_eq(fl_meta_block_len(&lens), (size_t)len);
		cr_assert_eq(fl_meta_parse_header(block, &lens, &back), 0, "round %d", i);
		cr_assert_eq(fl_meta_parse_payload(block + lens.header, lens.payload, &back), 0,
			     "round %d", i);
		cr_assert_eq(back.unknown, 0);
		cr_assert(meta_equal(&m, &back), "round %d", i);
		w = fl_writer(again, sizeof(again));
		cr_assert_eq(fl_meta_build(&back, &w, &lens), len);
		cr_assert(!memcmp(block, again, (size_t)len));
	}
	cr_assert_eq(seen, FL_META_BIT(FL_META_FIELD_MAX) - 1, "some field was never tried");
}
