// SPDX-License-Identifier: Apache-2.0
/*
 * BFD packets between waypoints. The first byte of an input says what is done with the rest:
 *
 *	bits 0-2  what: see enum what
 *	bit 3     the policy encrypts         bit 4  it does not sign
 */
#include "agent/base/rand.h"
#include "agent/crypto/bfd_seal.h"
#include "test/fuzz/fuzz.h"

enum what {
	WHAT_CONTROL, /* the rest is a control packet in clear: parse, build, parse */
	WHAT_OPEN,    /* the rest came from the network */
	WHAT_SIGNED,  /* the same, from a peer that signs whatever it says */
	WHAT_ECHO,    /* the rest came back as an echo */
	WHAT_REFLECT, /* the rest is to be reflected */
	WHAT_MAX,
};

#define NOW_S 1700000000

/* By encryption and absence of HMAC. */
static struct fl_keyring *rings[2][2];
/* LeakSanitizer does not look into sodium_malloc() memory: what that points to must be here too. */
static struct fl_cbc reachable[4];

static void rings_init(void)
{
	static const uint8_t secret[32] = "fixed secrets: runs compare well";
	const struct fl_key_cfg key = { 1, 0, secret, 32, secret, 16 };

	if (rings[0][0])
		return;
	MUST(fl_rand_init() == 0);
	fl_rand_seed_for_test(1);
	for (int i = 0; i < 4; i++) {
		const struct fl_security_cfg cfg = { .hmac_mode = i & 1 ? FL_HMAC_DISABLED
									: FL_HMAC_TIME_BASED,
						     .cipher = FL_CIPHER_AES_CBC_128,
						     .encrypt = i & 2,
						     .keys = &key,
						     .key_count = 1 };

		MUST(fl_keyring_new(&cfg, &rings[i >> 1][i & 1]) == 0);
		reachable[i] = fl_keyring_current(rings[i >> 1][i & 1], NOW_S)->cbc;
	}
}

/* What was read, written again, is the same but for reserved bits and the digest. */
static void round_trip(const uint8_t *data, size_t len)
{
	uint8_t out[FL_BFD_CONTROL_LEN + FL_BFD_AUTH_LEN];
	struct fl_writer w = fl_writer(out, sizeof(out));
	struct fl_bfd_pkt pkt, back;

	if (fl_bfd_parse(data, len, &pkt) < 0)
		return;
	MUST(fl_bfd_pkt_len(&pkt) <= len);
	MUST(fl_bfd_build(&pkt, &w) == (int)fl_bfd_pkt_len(&pkt));
	MUST(!memcmp(out, data, FL_BFD_CONTROL_LEN));
	MUST(fl_bfd_parse(out, fl_writer_len(&w), &back) == 0);
	MUST(back.has_auth == pkt.has_auth && back.auth.seq == pkt.auth.seq &&
	     back.auth.key_id == pkt.auth.key_id);
	fl_bfd_state_name(pkt.state);
	fl_bfd_diag_text(pkt.diag);
}

/* Open it; what opens can be sealed again, and opens then too. */
static void open_input(struct fl_keyring *ring, const uint8_t *data, size_t len, bool sign)
{
	const struct fl_key *key = fl_keyring_current(ring, NOW_S);
	uint8_t *copy = exact_copy(data, len), out[8192];
	struct fl_bfd_opened o, again;
	struct fl_bfd_seal seal = { ring, NOW_S, &o.pkt, &o.meta };
	int err;

	if (sign && len >= FL_BFD_CONTROL_LEN + FL_BFD_AUTH_LEN) {
		memset(copy + FL_BFD_DIGEST_OFFSET, 0, FL_BFD_AUTH_DIGEST_LEN);
		fl_hmac_sign(&key->bfd, copy, len, NOW_S, copy + FL_BFD_DIGEST_OFFSET);
	}
	err = fl_bfd_open(ring, NOW_S, copy, len, &o);
	MUST(err <= 0 && err > -FL_DROP_MAX);
	if (!err) {
		err = fl_bfd_seal(&seal, out, sizeof(out));
		MUST(err > 0);
		MUST(fl_bfd_open(ring, NOW_S, out, (size_t)err, &again) == 0);
		MUST(again.meta.has == o.meta.has && again.pkt.auth.seq == o.pkt.auth.seq);
	}
	free(copy);
}

static void echo_input(struct fl_keyring *ring, const uint8_t *data, size_t len)
{
	struct fl_meta_echo echo, again;
	uint8_t out[256];
	int n;

	n = fl_bfd_echo_open(ring, NOW_S, data, len, &echo);
	MUST(n <= 0 && n > -FL_DROP_MAX);
	if (n < 0)
		return;
	n = fl_bfd_echo_seal(ring, NOW_S, &echo, out, sizeof(out));
	MUST(n == (int)len && fl_bfd_echo_open(ring, NOW_S, out, len, &again) < 0);
	MUST(fl_bfd_echo_reflect(out, len));
	/* Without keys any security id will do. */
	MUST(!fl_keyring_hmac_len(ring) || !memcmp(out, data, len));
	MUST(fl_bfd_echo_open(ring, NOW_S, out, len, &again) == 0);
}

static void reflect_input(const uint8_t *data, size_t len)
{
	uint8_t *copy = exact_copy(data, len);

	if (fl_bfd_echo_reflect(copy, len)) {
		MUST(len >= FL_ECHO_BLOCK_LEN && copy[FL_ECHO_REFLECTED_OFFSET] == 1);
		MUST(!fl_bfd_echo_reflect(copy, len));
		copy[FL_ECHO_REFLECTED_OFFSET] = 0;
	}
	MUST(!len || !memcmp(copy, data, len));
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fl_keyring *ring;
	uint8_t flags;

	rings_init();
	if (!len)
		return 0;
	flags = *data++;
	len--;
	ring = rings[flags >> 3 & 1][flags >> 4 & 1];
	switch ((flags & 7) % WHAT_MAX) {
	case WHAT_CONTROL:
		round_trip(data, len);
		break;
	case WHAT_OPEN:
		open_input(ring, data, len, false);
		break;
	case WHAT_SIGNED:
		open_input(ring, data, len, true);
		break;
	case WHAT_ECHO:
		echo_input(ring, data, len);
		break;
	default:
		reflect_input(data, len);
		break;
	}
	return 0;
}
