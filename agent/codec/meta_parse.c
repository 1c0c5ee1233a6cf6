// SPDX-License-Identifier: Apache-2.0
/*
 * Reading metadata: see meta.h. Everything here comes from outside, the header section even before
 * it is proven to be from a peer.
 */
#include "agent/codec/meta.h"

#include <errno.h>
#include <string.h>

#include "agent/codec/meta_tlv.h"
#include "agent/codec/utf8.h"

const uint8_t fl_meta_fence[FL_META_BASE_LEN] = { FL_META_FENCE_BYTES };

int fl_meta_peek(const void *data, size_t len, struct fl_meta_lens *ret_lens)
{
	struct fl_reader r = fl_reader(data, len);
	struct fl_meta_lens lens;
	uint16_t ver_hlen;

	if (!fl_meta_has_cookie(data, len))
		return -ENOENT;
	fl_read_bytes(&r, 8);
	ver_hlen = fl_read_u16(&r);
	lens.header = ver_hlen & FL_META_HEADER_MAX;
	lens.payload = fl_read_u16(&r);
	if (r.failed)
		return -EBADMSG;
	if (ver_hlen >> 12 != FL_META_VERSION)
		return -EPROTONOSUPPORT;
	if (lens.header < FL_META_BASE_LEN || fl_meta_block_len(&lens) > len)
		return -EBADMSG;
	*ret_lens = lens;
	return 0;
}

/*
 * Readers of values, by kind. The value's length is within the rule's bounds; what a reader leaves
 * unread or reads too much, the caller sees from @r.
 */
struct value {
	struct fl_reader r;
	const struct fl_tlv_rule *rule;
};

static void read_flag(struct value *v, void *to)
{
	(void)v;
	(void)to;
}

static void read_u8(struct value *v, void *to)
{
	*(uint8_t *)to = fl_read_u8(&v->r);
}

static void read_u32(struct value *v, void *to)
{
	*(uint32_t *)to = fl_read_u32(&v->r);
}

static void read_u64(struct value *v, void *to)
{
	*(uint64_t *)to = fl_read_u64(&v->r);
}

static void read_raw(struct fl_reader *r, uint8_t *to, size_t len)
{
	const uint8_t *p = fl_read_bytes(r, len);

	if (p)
		memcpy(to, p, len);
}

static void read_uuid(struct value *v, void *to)
{
	read_raw(&v->r, to, 16);
}

/* The next @len bytes as a name. */
static struct fl_meta_name take_name(struct fl_reader *r, size_t len)
{
	const char *s = (const char *)fl_read_bytes(r, len);

	if (!s || !fl_utf8_is_name(s, len))
		r->failed = true;
	return (struct fl_meta_name){ s, (uint16_t)len };
}

static void read_name(struct value *v, void *to)
{
	*(struct fl_meta_name *)to = take_name(&v->r, fl_reader_left(&v->r));
}

static void take_addr(struct fl_reader *r, uint8_t family, struct fl_addr *to)
{
	const uint8_t *p;

	if (family != 4 && family != 6) {
		r->failed = true;
		return;
	}
	p = fl_read_bytes(r, fl_addr_size(family));
	if (p)
		*to = fl_addr_from(family, p);
}

static void read_addr(struct value *v, void *to)
{
	take_addr(&v->r, v->rule->family, to);
}

static void read_context(struct value *v, void *to)
{
	struct fl_tuple *t = to;
	size_t size = fl_addr_size(v->rule->family);

	t->family = v->rule->family;
	read_raw(&v->r, t->src, size);
	read_raw(&v->r, t->dst, size);
	t->sport = fl_read_u16(&v->r);
	t->dport = fl_read_u16(&v->r);
	t->proto = fl_read_u8(&v->r);
}

static void read_fragment(struct value *v, void *to)
{
	struct fl_meta_fragment *f = to;
	uint16_t flags;

	f->ext_id = fl_read_u32(&v->r);
	f->orig_id = fl_read_u16(&v->r);
	flags = fl_read_u16(&v->r);
	f->df = flags & FL_IP4_DF;
	f->mf = flags & FL_IP4_MF;
	f->offset = flags & FL_IP4_OFFSET;
	f->largest = fl_read_u16(&v->r);
}

static void read_metrics(struct value *v, void *to)
{
	struct fl_meta_metrics *m = to;
	uint32_t word = fl_read_u32(&v->r);
	uint16_t half;

	m->tx_colour = (uint8_t)(word >> 28);
	m->tx_time_ms = word & 0xfffffff;
	word = fl_read_u32(&v->r);
	m->rx_colour = (uint8_t)(word >> 28);
	m->rx_time_ms = word & 0xfffffff;
	half = fl_read_u16(&v->r);
	m->drop = half >> 15;
	m->prev_count = half & 0x7fff;
}

static void read_modify(struct value *v, void *to)
{
	struct fl_meta_modify *m = to;
	uint16_t half = fl_read_u16(&v->r);

	m->forward = half >> 15;
	m->done = half >> 14 & 1;
	m->seq = half & 0xfff;
}

static void read_payload_key(struct value *v, void *to)
{
	struct fl_meta_payload_key *k = to;

	k->cipher = fl_read_u8(&v->r);
	k->epoch = fl_read_u8(&v->r);
	k->key_len = (uint8_t)fl_reader_left(&v->r);
	k->key = fl_read_bytes(&v->r, k->key_len);
	if (k->key_len != 16 && k->key_len != 32)
		v->r.failed = true;
}

static void read_endpoint(struct value *v, void *to)
{
	struct fl_meta_endpoint *e = to;
	uint8_t family = fl_read_u8(&v->r);

	fl_read_u8(&v->r); /* reserved */
	e->port = fl_read_u16(&v->r);
	take_addr(&v->r, family, &e->addr);
}

static void read_boot_id(struct value *v, void *to)
{
	struct fl_meta_boot_id *b = to;

	b->start_s = fl_read_u32(&v->r);
	b->random = fl_read_u32(&v->r);
}

static void read_echo(struct value *v, void *to)
{
	struct fl_meta_echo *e = to;

	e->burst = fl_read_u32(&v->r);
	e->index = fl_read_u16(&v->r);
	e->count = fl_read_u16(&v->r);
	e->tx_time_us = fl_read_u64(&v->r);
	e->reflected = fl_read_u8(&v->r);
}

static void read_mtu_probe(struct value *v, void *to)
{
	struct fl_meta_mtu_probe *p = to;

	p->size = fl_read_u16(&v->r);
	p->pad_len = (uint16_t)fl_reader_left(&v->r);
	fl_read_bytes(&v->r, p->pad_len);
}

static void read_vector(struct value *v, void *to)
{
	struct fl_meta_vector *p = to;

	p->id = fl_read_u16(&v->r);
	fl_read_u16(&v->r);
	p->seq = fl_read_u32(&v->r);
}

static void read_multicast(struct value *v, void *to)
{
	struct fl_meta_multicast *m = to;
	uint8_t family = fl_read_u8(&v->r);

	m->flags = fl_read_u8(&v->r);
	take_addr(&v->r, family, &m->source);
	take_addr(&v->r, family, &m->group);
	m->proto = fl_read_u8(&v->r);
}

static void read_egress(struct value *v, void *to)
{
	struct fl_meta_egress *e = to;

	e->count = fl_read_u16(&v->r);
	e->entries = v->r.pos;
	e->len = (uint16_t)fl_reader_left(&v->r);
	for (unsigned int i = 0; i < e->count && !v->r.failed; i++)
		take_name(&v->r, fl_read_u8(&v->r));
}

static void (*const readers[FL_KIND_MAX])(struct value *v, void *to) = {
	[FL_KIND_FLAG] = read_flag,         [FL_KIND_U8] = read_u8,
	[FL_KIND_U32] = read_u32,           [FL_KIND_U64] = read_u64,
	[FL_KIND_UUID] = read_uuid,         [FL_KIND_NAME] = read_name,
	[FL_KIND_ADDR] = read_addr,         [FL_KIND_CONTEXT] = read_context,
	[FL_KIND_FRAGMENT] = read_fragment, [FL_KIND_METRICS] = read_metrics,
	[FL_KIND_MODIFY] = read_modify,     [FL_KIND_PAYLOAD_KEY] = read_payload_key,
	[FL_KIND_ENDPOINT] = read_endpoint, [FL_KIND_BOOT_ID] = read_boot_id,
	[FL_KIND_ECHO] = read_echo,         [FL_KIND_MTU_PROBE] = read_mtu_probe,
	[FL_KIND_VECTOR] = read_vector,     [FL_KIND_MULTICAST] = read_multicast,
	[FL_KIND_EGRESS] = read_egress,
};

/* One TLV of known type. A repeated one is checked for its length only: the first wins (P-01). */
static int read_tlv(struct fl_meta *meta, const struct fl_tlv_rule *rule, const uint8_t *data,
		    uint16_t len)
{
	struct value v = { fl_reader(data, len), rule };

	if (len < rule->min || len > rule->max)
		return -EBADMSG;
	if (fl_meta_has(meta, rule->field))
		return 0;
	readers[rule->kind](&v, (uint8_t *)meta + rule->offset);
	if (v.r.failed || fl_reader_left(&v.r))
		return -EBADMSG;
	meta->has |= FL_META_BIT(rule->field);
	return 0;
}

static int read_section(struct fl_meta *meta, uint8_t section, struct fl_reader r)
{
	while (fl_reader_left(&r)) {
		uint16_t type = fl_read_u16(&r);
		uint16_t len = fl_read_u16(&r);
		const uint8_t *data = fl_read_bytes(&r, len);
		const struct fl_tlv_rule *rule;

		if (!data)
			return -EBADMSG;
		rule = fl_tlv_rule(section, type);
		if (!rule)
			meta->unknown++;
		else if (read_tlv(meta, rule, data, len) < 0)
			return -EBADMSG;
	}
	return 0;
}

int fl_meta_parse_header(const void *block, const struct fl_meta_lens *lens, struct fl_meta *meta)
{
	struct fl_reader r = fl_reader(block, lens->header);

	memset(meta, 0, sizeof(*meta));
	fl_read_bytes(&r, FL_META_BASE_LEN);
	return read_section(meta, FL_SECTION_HEADER, r);
}

int fl_meta_parse_payload(const void *section, size_t len, struct fl_meta *meta)
{
	return read_section(meta, FL_SECTION_PAYLOAD, fl_reader(section, len));
}

bool fl_meta_egress_next(const struct fl_meta_egress *egress, size_t *pos,
			 struct fl_meta_name *ret_name)
{
	const uint8_t *p = egress->entries + *pos;

	if (*pos >= egress->len)
		return false;
	*ret_name = (struct fl_meta_name){ (const char *)p + 1, p[0] };
	*pos += p[0] + 1u;
	return true;
}

int fl_meta_check_forward(const struct fl_meta *meta)
{
	const uint64_t all = FL_META_BIT(FL_META_FORWARD) | FL_META_BIT(FL_META_TENANT) |
			     FL_META_BIT(FL_META_SERVICE) | FL_META_BIT(FL_META_UUID) |
			     FL_META_BIT(FL_META_SOURCE_ROUTER) | FL_META_BIT(FL_META_PATHWAY);

	if ((meta->has & all) != all)
		return -ENODATA;
	if (!meta->tenant.len || !meta->service.len || !meta->source_router.len ||
	    !meta->pathway.len)
		return -ENODATA;
	if (fl_meta_has(meta, FL_META_ENCRYPTED) &&
	    (!fl_meta_has(meta, FL_META_SECURITY_POLICY) || !meta->security_policy.len))
		return -ENODATA;
	return 0;
}

int fl_meta_check_reverse(const struct fl_meta *meta)
{
	return fl_meta_has(meta, FL_META_REVERSE) ? 0 : -ENODATA;
}

enum fl_drop_reason fl_meta_drop_reason(int err)
{
	return err == -ENODATA ? FL_DROP_META_INCOMPLETE : FL_DROP_META_MALFORMED;
}
