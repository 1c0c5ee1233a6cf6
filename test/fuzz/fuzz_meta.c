// SPDX-License-Identifier: Apache-2.0
/*
 * Metadata and sealing. The first byte of an input says what is done with the rest:
 *
 *	bits 0-2  what: see enum what
 *	bit 3     the policy encrypts         bit 4  time-based HMAC
 *	bit 5     padding                     bit 6  the payload is cipher text of the session
 */
#include <errno.h>

#include "agent/base/rand.h"
#include "agent/crypto/seal.h"
#include "test/fuzz/fuzz.h"
#include "test/unit/meta_equal.h"

enum what {
	WHAT_BLOCK,    /* the rest is a layer 4 payload: parse, build, parse */
	WHAT_SECTIONS, /* the second byte is the length of the header TLVs, then both sections */
	WHAT_OPEN,     /* the rest came from the network, HMAC and all */
	WHAT_SIGNED,   /* the rest was signed by a peer that does not know what it does */
	WHAT_SEAL,     /* the rest is a block and user data: seal what it says, open it again */
	WHAT_BARE,     /* the rest is user data: seal it without metadata, open it again */
	WHAT_MAX,
};

#define NOW_S 1700000000

/* By encryption and mode. */
static struct fl_keyring *rings[2][2];
/* LeakSanitizer does not look into sodium_malloc() memory: what that points to must be here too. */
static struct fl_cbc reachable[8];

static void rings_init(void)
{
	static const uint8_t secret[32] = "fixed secrets: runs compare well";
	const struct fl_key_cfg keys[] = { { 1, 0, secret, 32, secret, 16 },
					   { 2, NOW_S - 10, secret + 1, 31, secret + 8, 16 } };

	if (rings[0][0])
		return;
	MUST(fl_rand_init() == 0);
	fl_rand_seed_for_test(1);
	for (int i = 0; i < 4; i++) {
		const struct fl_security_cfg cfg = { .hmac_mode = i & 1 ? FL_HMAC_TIME_BASED
									: FL_HMAC_REGULAR,
						     .cipher = FL_CIPHER_AES_CBC_128,
						     .encrypt = i & 2,
						     .keys = keys,
						     .key_count = 2 };

		MUST(fl_keyring_new(&cfg, &rings[i >> 1][i & 1]) == 0);
		for (uint32_t id = 1; id <= 2; id++)
			reachable[2 * i + (int)id - 1] =
				fl_keyring_find(rings[i >> 1][i & 1], id, NOW_S)->cbc;
	}
}

/* Whatever was parsed can be built, and parsed again as the same. */
static void round_trip(const struct fl_meta *m)
{
	static uint8_t block[1 << 17], again[1 << 17];
	struct fl_writer w = fl_writer(block, sizeof(block));
	struct fl_meta_lens lens, lens2;
	struct fl_meta back;
	int len = fl_meta_build(m, &w, &lens);

	/* What came in the header may not fit beside a payload section of 64 KB. */
	if (len == -EMSGSIZE)
		return;
	MUST(len > 0);
	MUST(fl_meta_peek(block, (size_t)len, &lens2) == 0);
	MUST(lens.header == lens2.header && lens.payload == lens2.payload);
	MUST(fl_meta_block_len(&lens) == (size_t)len);
	MUST(fl_meta_parse_header(block, &lens, &back) == 0);
	MUST(fl_meta_parse_payload(block + lens.header, lens.payload, &back) == 0);
	MUST(back.unknown == 0);
	MUST(meta_equal(m, &back));
	w = fl_writer(again, sizeof(again));
	MUST(fl_meta_build(&back, &w, &lens2) == len);
	MUST(!memcmp(block, again, (size_t)len));
}

/* Use everything that a parsed struct points to. */
static void look_at(const struct fl_meta *m)
{
	struct fl_meta_name name;
	unsigned int count = 0;
	size_t pos = 0;

	fl_meta_check_forward(m);
	fl_meta_check_reverse(m);
	if (!fl_meta_has(m, FL_META_MULTICAST_EGRESS))
		return;
	while (fl_meta_egress_next(&m->egress, &pos, &name))
		count++;
	MUST(count == m->egress.count);
}

/* Parse a block; its length, or 0. */
static size_t parse_block(const uint8_t *data, size_t len, struct fl_meta *m)
{
	struct fl_meta_lens lens;

	if (fl_meta_peek(data, len, &lens) < 0)
		return 0;
	MUST(lens.header >= FL_META_BASE_LEN && fl_meta_block_len(&lens) <= len);
	if (fl_meta_parse_header(data, &lens, m) < 0 ||
	    fl_meta_parse_payload(data + lens.header, lens.payload, m) < 0)
		return 0;
	look_at(m);
	round_trip(m);
	return fl_meta_block_len(&lens);
}

static void parse_sections(const uint8_t *data, size_t len)
{
	struct fl_meta_lens lens = { .header = FL_META_BASE_LEN };
	size_t header;
	struct fl_meta m;
	uint8_t *block;

	if (!len)
		return;
	header = data[0] < len - 1 ? data[0] : len - 1;
	len--;
	block = malloc(FL_META_BASE_LEN + len);
	MUST(block);
	memcpy(block, fl_meta_fence, FL_META_BASE_LEN);
	memcpy(block + FL_META_BASE_LEN, data + 1, len);
	lens.header += (uint16_t)header;
	if (fl_meta_parse_header(block, &lens, &m) == 0 &&
	    fl_meta_parse_payload(block + lens.header, len - header, &m) == 0) {
		look_at(&m);
		round_trip(&m);
	}
	free(block);
}

static void open_input(const struct fl_open *open, const uint8_t *data, size_t len, bool sign)
{
	size_t mac_len = fl_keyring_hmac_len(open->ring);
	struct fl_opened opened;
	uint8_t *copy = malloc(len + mac_len);
	int err;

	MUST(copy);
	memcpy(copy, data, len);
	if (sign) {
		struct fl_key *key = fl_keyring_current(open->ring, open->unix_s);

		fl_hmac_sign(&key->hmac, copy, len, open->unix_s, copy + len);
		len += mac_len;
	}
	err = fl_open(open, copy, len, &opened);
	MUST(err <= 0 && err > -FL_DROP_MAX);
	if (!err && len) {
		size_t end = (size_t)(opened.payload - copy) + opened.payload_len;

		MUST(opened.payload >= copy && end <= len - mac_len && end + 1 >= len - mac_len);
		if (opened.has_meta)
			look_at(&opened.meta);
	}
	free(copy);
}

/* @len_in: bytes of input, which is what the block came from. */
static void seal_and_open(const struct fl_seal *seal, const struct fl_open *open, size_t len_in)
{
	size_t room = seal->payload_len + len_in + FL_SEAL_OVERHEAD_MAX;
	uint8_t *out = malloc(room), *copy;
	struct fl_opened opened;
	int len = fl_seal(seal, out, room);

	/* A payload key where nothing hides it, or a section that cipher text makes too long. */
	if (len < 0) {
		MUST(len == -FL_DROP_INTERNAL && seal->meta);
		free(out);
		return;
	}
	copy = exact_copy(out, (size_t)len);
	MUST(fl_open(open, copy, (size_t)len, &opened) == 0);
	MUST(opened.payload_len == seal->payload_len);
	MUST(!seal->payload_len || !memcmp(opened.payload, seal->payload, seal->payload_len));
	if (seal->meta) {
		struct fl_meta want = *seal->meta;

		want.security_id = opened.key_id;
		MUST(opened.has_meta && meta_equal(&want, &opened.meta));
	} else {
		MUST(opened.has_meta == opened.fence);
		MUST(opened.fence == fl_meta_has_cookie(seal->payload, seal->payload_len));
	}
	free(copy);
	/* One flipped bit, and it is refused. */
	if (len && fl_keyring_hmac_len(seal->ring)) {
		out[(size_t)len / 2] ^= 1;
		MUST(fl_open(open, out, (size_t)len, &opened) < 0);
	}
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fl_meta meta;
	struct fl_seal seal;
	struct fl_open open;
	uint8_t flags;

	rings_init();
	if (!len)
		return 0;
	flags = data[0];
	data++;
	len--;
	open = (struct fl_open){ .ring = rings[flags >> 3 & 1][flags >> 4 & 1],
				 .unix_s = NOW_S,
				 .pad = flags >> 5 & 1,
				 .payload_encrypted = flags >> 6 & 1 };
	seal = (struct fl_seal){ .ring = open.ring,
				 .unix_s = NOW_S,
				 .pad = open.pad,
				 .payload_encrypted = open.payload_encrypted,
				 .payload = data,
				 .payload_len = len };
	switch ((flags & 7) % WHAT_MAX) {
	case WHAT_BLOCK:
		parse_block(data, len, &meta);
		break;
	case WHAT_SECTIONS:
		parse_sections(data, len);
		break;
	case WHAT_OPEN:
		open_input(&open, data, len, false);
		break;
	case WHAT_SIGNED:
		open_input(&open, data, len, true);
		break;
	case WHAT_SEAL:
		seal.payload += parse_block(data, len, &meta);
		seal.payload_len -= (size_t)(seal.payload - data);
		seal.meta = seal.payload == data ? NULL : &meta;
		seal_and_open(&seal, &open, len);
		break;
	default:
		seal_and_open(&seal, &open, len);
		break;
	}
	return 0;
}
