// SPDX-License-Identifier: Apache-2.0
/* BFD control packets: see bfd_pkt.h. */
#include "agent/codec/bfd_pkt.h"

#include <errno.h>

#include "agent/codec/meta.h"

/* Bits of the second byte, behind the two of the state (RFC 5880 4.1). */
#define FLAG_POLL        0x20
#define FLAG_FINAL       0x10
#define FLAG_INDEPENDENT 0x08
#define FLAG_AUTH        0x04
#define FLAG_DEMAND      0x02
#define FLAG_MULTIPOINT  0x01

/* What both sides of the wire hold a packet to (RFC 5880 6.8.6, 6.5). */
static bool is_sane(const struct fl_bfd_pkt *pkt)
{
	if (!pkt->detect_mult || !pkt->my_discr || (pkt->poll && pkt->final))
		return false;
	return pkt->your_discr || pkt->state == FL_BFD_DOWN || pkt->state == FL_BFD_ADMIN_DOWN;
}

static int parse_auth(struct fl_reader *r, struct fl_bfd_auth *auth)
{
	uint8_t type = fl_read_u8(r), len = fl_read_u8(r);

	auth->key_id = fl_read_u8(r);
	fl_read_u8(r); /* reserved */
	auth->seq = fl_read_u32(r);
	fl_read_bytes(r, FL_BFD_AUTH_DIGEST_LEN);
	if (!r->failed && type != FL_BFD_AUTH_TYPE)
		return -EPROTONOSUPPORT;
	return r->failed || len != FL_BFD_AUTH_LEN ? -EBADMSG : 0;
}

int fl_bfd_parse(const void *data, size_t len, struct fl_bfd_pkt *ret_pkt)
{
	struct fl_reader r = fl_reader(data, len);
	struct fl_bfd_pkt *pkt = ret_pkt;
	uint8_t vers_diag = fl_read_u8(&r), flags = fl_read_u8(&r), length;
	int err;

	*pkt = (struct fl_bfd_pkt){ .detect_mult = fl_read_u8(&r) };
	length = fl_read_u8(&r);
	pkt->my_discr = fl_read_u32(&r);
	pkt->your_discr = fl_read_u32(&r);
	pkt->desired_tx_us = fl_read_u32(&r);
	pkt->required_rx_us = fl_read_u32(&r);
	pkt->required_echo_us = fl_read_u32(&r);
	if (r.failed)
		return -EBADMSG;
	if (vers_diag >> 5 != FL_BFD_VERSION)
		return -EPROTONOSUPPORT;
	pkt->diag = vers_diag & 0x1f;
	pkt->state = (enum fl_bfd_state)(flags >> 6);
	pkt->poll = flags & FLAG_POLL;
	pkt->final = flags & FLAG_FINAL;
	pkt->independent = flags & FLAG_INDEPENDENT;
	pkt->has_auth = flags & FLAG_AUTH;
	pkt->demand = flags & FLAG_DEMAND;
	if ((flags & FLAG_MULTIPOINT) || length > len || !is_sane(pkt))
		return -EBADMSG;
	if (pkt->has_auth) {
		err = parse_auth(&r, &pkt->auth);
		if (err < 0)
			return err;
	}
	return length == fl_bfd_pkt_len(pkt) ? 0 : -EBADMSG;
}

int fl_bfd_build(const struct fl_bfd_pkt *pkt, struct fl_writer *out)
{
	struct fl_writer w = *out;
	size_t len = fl_bfd_pkt_len(pkt);
	uint8_t *digest;

	if (!is_sane(pkt) || pkt->diag > 0x1f || (unsigned int)pkt->state >= FL_BFD_STATE_MAX)
		return -EINVAL;
	fl_write_u8(&w, (uint8_t)(FL_BFD_VERSION << 5 | pkt->diag));
	fl_write_u8(&w,
		    (uint8_t)(pkt->state << 6 | (pkt->poll ? FLAG_POLL : 0) |
			      (pkt->final ? FLAG_FINAL : 0) |
			      (pkt->independent ? FLAG_INDEPENDENT : 0) |
			      (pkt->has_auth ? FLAG_AUTH : 0) | (pkt->demand ? FLAG_DEMAND : 0)));
	fl_write_u8(&w, pkt->detect_mult);
	fl_write_u8(&w, (uint8_t)len);
	fl_write_u32(&w, pkt->my_discr);
	fl_write_u32(&w, pkt->your_discr);
	fl_write_u32(&w, pkt->desired_tx_us);
	fl_write_u32(&w, pkt->required_rx_us);
	fl_write_u32(&w, pkt->required_echo_us);
	if (pkt->has_auth) {
		fl_write_u8(&w, FL_BFD_AUTH_TYPE);
		fl_write_u8(&w, FL_BFD_AUTH_LEN);
		fl_write_u8(&w, pkt->auth.key_id);
		fl_write_u8(&w, 0);
		fl_write_u32(&w, pkt->auth.seq);
		digest = fl_write_room(&w, FL_BFD_AUTH_DIGEST_LEN);
		if (digest)
			memset(digest, 0, FL_BFD_AUTH_DIGEST_LEN);
	}
	if (w.failed)
		return -ENOSPC;
	*out = w;
	return (int)len;
}

int fl_bfd_check_meta(const struct fl_meta *meta)
{
	static const uint64_t needed =
		FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_OWN_ENDPOINT) |
		FL_META_BIT(FL_META_BOOT_ID) | FL_META_BIT(FL_META_SOURCE_ROUTER) |
		FL_META_BIT(FL_META_PATHWAY);

	if ((meta->has & needed) != needed || !meta->source_router.len || !meta->pathway.len)
		return -ENODATA;
	return 0;
}

bool fl_bfd_echo_reflect(uint8_t *data, size_t len)
{
	struct fl_meta_lens lens;

	if (fl_meta_peek(data, len, &lens) < 0 || lens.header != FL_ECHO_BLOCK_LEN || lens.payload)
		return false;
	if (data[12] != 0 || data[13] != FL_TLV_SECURITY_ID || data[20] != FL_TLV_ECHO >> 8 ||
	    data[21] != (FL_TLV_ECHO & 0xff) || data[FL_ECHO_REFLECTED_OFFSET])
		return false;
	data[FL_ECHO_REFLECTED_OFFSET] = 1;
	return true;
}

const char *fl_bfd_state_name(enum fl_bfd_state state)
{
	switch (state) {
	case FL_BFD_ADMIN_DOWN:
		return "admin-down";
	case FL_BFD_DOWN:
		return "down";
	case FL_BFD_INIT:
		return "init";
	case FL_BFD_UP:
		return "up";
	}
	return "unknown";
}

const char *fl_bfd_diag_text(uint8_t diag)
{
	static const char *const text[] = {
		[FL_BFD_DIAG_NONE] = "none",
		[FL_BFD_DIAG_TIMER_EXPIRED] = "control detection time expired",
		[FL_BFD_DIAG_ECHO_FAILED] = "echo function failed",
		[FL_BFD_DIAG_NEIGHBOR_DOWN] = "neighbour signalled session down",
		[FL_BFD_DIAG_FORWARDING_RESET] = "forwarding plane reset",
		[FL_BFD_DIAG_PATH_DOWN] = "path down",
		[FL_BFD_DIAG_CONCATENATED_DOWN] = "concatenated path down",
		[FL_BFD_DIAG_ADMIN_DOWN] = "administratively down",
		[FL_BFD_DIAG_REVERSE_DOWN] = "reverse concatenated path down",
	};

	return diag < sizeof(text) / sizeof(text[0]) ? text[diag] : "unknown";
}
