// SPDX-License-Identifier: Apache-2.0
/*
 * Writing metadata: see meta.h. A value that does not fit its field is refused here, not cut: the
 * receiver would understand something else.
 */
#include "agent/codec/meta.h"

#include <errno.h>
#include <string.h>

#include "agent/codec/meta_tlv.h"
#include "agent/codec/utf8.h"

/* Writers of values, by kind: 0, or -EINVAL. A full writer is noticed by the caller. */

static int write_flag(struct fl_writer *w, const void *from)
{
	(void)w;
	(void)from;
	return 0;
}

static int write_u8(struct fl_writer *w, const void *from)
{
	fl_write_u8(w, *(const uint8_t *)from);
	return 0;
}

static int write_u32(struct fl_writer *w, const void *from)
{
	fl_write_u32(w, *(const uint32_t *)from);
	return 0;
}

static int write_u64(struct fl_writer *w, const void *from)
{
	fl_write_u64(w, *(const uint64_t *)from);
	return 0;
}

static int write_uuid(struct fl_writer *w, const void *from)
{
	fl_write_bytes(w, from, 16);
	return 0;
}

static int write_name(struct fl_writer *w, const void *from)
{
	const struct fl_meta_name *n = from;

	if (n->len > FL_META_NAME_MAX || !fl_utf8_is_name(n->s, n->len))
		return -EINVAL;
	fl_write_bytes(w, n->s, n->len);
	return 0;
}

static int write_addr(struct fl_writer *w, const void *from)
{
	const struct fl_addr *a = from;

	fl_write_bytes(w, a->b, fl_addr_size(a->family));
	return 0;
}

static int write_context(struct fl_writer *w, const void *from)
{
	const struct fl_tuple *t = from;

	fl_write_bytes(w, t->src, fl_addr_size(t->family));
	fl_write_bytes(w, t->dst, fl_addr_size(t->family));
	fl_write_u16(w, t->sport);
	fl_write_u16(w, t->dport);
	fl_write_u8(w, t->proto);
	return 0;
}

static int write_fragment(struct fl_writer *w, const void *from)
{
	const struct fl_meta_fragment *f = from;

	if (f->offset > FL_IP4_OFFSET)
		return -EINVAL;
	fl_write_u32(w, f->ext_id);
	fl_write_u16(w, f->orig_id);
	fl_write_u16(w, (uint16_t)((f->df ? FL_IP4_DF : 0) | (f->mf ? FL_IP4_MF : 0) | f->offset));
	fl_write_u16(w, f->largest);
	return 0;
}

static int write_metrics(struct fl_writer *w, const void *from)
{
	const struct fl_meta_metrics *m = from;

	if (m->tx_colour > 15 || m->rx_colour > 15 || m->tx_time_ms > 0xfffffff ||
	    m->rx_time_ms > 0xfffffff || m->prev_count > 0x7fff)
		return -EINVAL;
	fl_write_u32(w, (uint32_t)m->tx_colour << 28 | m->tx_time_ms);
	fl_write_u32(w, (uint32_t)m->rx_colour << 28 | m->rx_time_ms);
	fl_write_u16(w, (uint16_t)((m->drop ? 0x8000 : 0) | m->prev_count));
	return 0;
}

static int write_modify(struct fl_writer *w, const void *from)
{
	const struct fl_meta_modify *m = from;

	if (m->seq > 0xfff)
		return -EINVAL;
	fl_write_u16(w, (uint16_t)((m->forward ? 0x8000 : 0) | (m->done ? 0x4000 : 0) | m->seq));
	return 0;
}

static int write_payload_key(struct fl_writer *w, const void *from)
{
	const struct fl_meta_payload_key *k = from;

	if (k->key_len != 16 && k->key_len != 32)
		return -EINVAL;
	fl_write_u8(w, k->cipher);
	fl_write_u8(w, k->epoch);
	fl_write_bytes(w, k->key, k->key_len);
	return 0;
}

static int write_endpoint(struct fl_writer *w, const void *from)
{
	const struct fl_meta_endpoint *e = from;

	if (e->addr.family != 4 && e->addr.family != 6)
		return -EINVAL;
	fl_write_u8(w, e->addr.family);
	fl_write_u8(w, 0);
	fl_write_u16(w, e->port);
	return write_addr(w, &e->addr);
}

static int write_boot_id(struct fl_writer *w, const void *from)
{
	const struct fl_meta_boot_id *b = from;

	fl_write_u32(w, b->start_s);
	fl_write_u32(w, b->random);
	return 0;
}

static int write_echo(struct fl_writer *w, const void *from)
{
	const struct fl_meta_echo *e = from;

	fl_write_u32(w, e->burst);
	fl_write_u16(w, e->index);
	fl_write_u16(w, e->count);
	fl_write_u64(w, e->tx_time_us);
	fl_write_u8(w, e->reflected);
	return 0;
}

static int write_mtu_probe(struct fl_writer *w, const void *from)
{
	const struct fl_meta_mtu_probe *p = from;
	uint8_t *pad;

	fl_write_u16(w, p->size);
	pad = fl_write_room(w, p->pad_len);
	if (pad)
		memset(pad, 0, p->pad_len);
	return 0;
}

static int write_vector(struct fl_writer *w, const void *from)
{
	const struct fl_meta_vector *v = from;

	fl_write_u16(w, v->id);
	fl_write_u16(w, 0);
	fl_write_u32(w, v->seq);
	return 0;
}

static int write_multicast(struct fl_writer *w, const void *from)
{
	const struct fl_meta_multicast *m = from;

	if ((m->group.family != 4 && m->group.family != 6) || m->source.family != m->group.family)
		return -EINVAL;
	fl_write_u8(w, m->group.family);
	fl_write_u8(w, m->flags);
	write_addr(w, &m->source);
	write_addr(w, &m->group);
	fl_write_u8(w, m->proto);
	return 0;
}

static int write_egress(struct fl_writer *w, const void *from)
{
	const struct fl_meta_egress *e = from;
	struct fl_reader r = fl_reader(e->len ? e->entries : (const uint8_t *)"", e->len);

	for (unsigned int i = 0; i < e->count; i++) {
		uint8_t len = fl_read_u8(&r);
		const char *s = (const char *)fl_read_bytes(&r, len);

		if (!s || !fl_utf8_is_name(s, len))
			return -EINVAL;
	}
	if (fl_reader_left(&r))
		return -EINVAL;
	fl_write_u16(w, e->count);
	fl_write_bytes(w, e->entries, e->len);
	return 0;
}

static int (*const writers[FL_KIND_MAX])(struct fl_writer *w, const void *from) = {
	[FL_KIND_FLAG] = write_flag,         [FL_KIND_U8] = write_u8,
	[FL_KIND_U32] = write_u32,           [FL_KIND_U64] = write_u64,
	[FL_KIND_UUID] = write_uuid,         [FL_KIND_NAME] = write_name,
	[FL_KIND_ADDR] = write_addr,         [FL_KIND_CONTEXT] = write_context,
	[FL_KIND_FRAGMENT] = write_fragment, [FL_KIND_METRICS] = write_metrics,
	[FL_KIND_MODIFY] = write_modify,     [FL_KIND_PAYLOAD_KEY] = write_payload_key,
	[FL_KIND_ENDPOINT] = write_endpoint, [FL_KIND_BOOT_ID] = write_boot_id,
	[FL_KIND_ECHO] = write_echo,         [FL_KIND_MTU_PROBE] = write_mtu_probe,
	[FL_KIND_VECTOR] = write_vector,     [FL_KIND_MULTICAST] = write_multicast,
	[FL_KIND_EGRESS] = write_egress,
};

/* Is @rule the TLV for the value at @from? Two types share a field where there are two families. */
static bool rule_fits(const struct fl_tlv_rule *rule, const void *from)
{
	if (!rule->family)
		return true;
	if (rule->kind == FL_KIND_CONTEXT)
		return ((const struct fl_tuple *)from)->family == rule->family;
	return ((const struct fl_addr *)from)->family == rule->family;
}

/* Write what @meta has of one section; the bits of what was written are added to @done. */
static int write_section(const struct fl_meta *meta, uint8_t section, struct fl_writer *w,
			 uint64_t *done)
{
	const uint16_t *type =
		section == FL_SECTION_HEADER ? fl_tlv_header_order : fl_tlv_payload_order;

	for (; *type; type++) {
		const struct fl_tlv_rule *rule = fl_tlv_rule(section, *type);
		const void *from = (const uint8_t *)meta + rule->offset;
		uint8_t *len_at;
		int err;

		if (!fl_meta_has(meta, rule->field) || !rule_fits(rule, from))
			continue;
		fl_write_u16(w, *type);
		len_at = fl_write_room(w, 2);
		if (!len_at)
			return -ENOSPC;
		err = writers[rule->kind](w, from);
		if (err < 0)
			return err;
		if (w->failed)
			return -ENOSPC;
		fl_put_u16(len_at, (uint16_t)(w->pos - len_at - 2));
		*done |= FL_META_BIT(rule->field);
	}
	return 0;
}

int fl_meta_build(const struct fl_meta *meta, struct fl_writer *out, struct fl_meta_lens *ret_lens)
{
	struct fl_writer w = *out;
	uint8_t *start = w.pos;
	size_t header, total;
	uint64_t done = 0;
	int err;

	if (!fl_write_room(&w, FL_META_BASE_LEN))
		return -ENOSPC;
	err = write_section(meta, FL_SECTION_HEADER, &w, &done);
	if (err < 0)
		return err;
	header = (size_t)(w.pos - start);
	err = write_section(meta, FL_SECTION_PAYLOAD, &w, &done);
	if (err < 0)
		return err;
	total = (size_t)(w.pos - start);
	/* What no rule took has no family, or is no field. */
	if (done != meta->has)
		return -EINVAL;
	if (header > FL_META_HEADER_MAX || total - header > FL_META_PAYLOAD_MAX)
		return -EMSGSIZE;
	memcpy(start, fl_meta_fence, 8);
	fl_put_u16(start + 8, (uint16_t)(FL_META_VERSION << 12 | header));
	fl_meta_set_payload_len(start, (uint16_t)(total - header));
	*ret_lens = (struct fl_meta_lens){ (uint16_t)header, (uint16_t)(total - header) };
	*out = w;
	return (int)total;
}

void fl_meta_set_payload_len(void *block, uint16_t len)
{
	fl_put_u16((uint8_t *)block + offsetof(struct fl_meta_base, plen), len);
}
