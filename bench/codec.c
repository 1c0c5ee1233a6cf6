// SPDX-License-Identifier: Apache-2.0
/*
 * What the codec and the crypto layer cost a packet, in nanoseconds of CPU: the best of several
 * rounds, since neighbours only ever add.
 *
 * usage: build/bench/codec
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/base/rand.h"
#include "agent/codec/meta.h"
#include "agent/crypto/seal.h"

#define ROUNDS 9
#define LOOPS  50000

static uint8_t data[4096], out[4096], secret[32];
static struct fl_hmac_key hmac_key;
static struct fl_keyring *clear_ring, *secret_ring;
static struct fl_cbc cbc;
static struct fl_meta meta;
static size_t size;
static int sealed_len;
static volatile int sink;

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void report(const char *name, void (*step)(void))
{
	double best = 1e12;

	for (int round = 0; round < ROUNDS; round++) {
		double start = cpu_ns(), took;

		for (int i = 0; i < LOOPS; i++)
			step();
		took = (cpu_ns() - start) / LOOPS;
		if (took < best)
			best = took;
	}
	printf("%-44s %5zu B %7.0f ns\n", name, size, best);
}

static void sign(void)
{
	fl_hmac_sign(&hmac_key, data, size, 1700000000, out);
}

static void verify(void)
{
	sink = (int)fl_hmac_verify(&hmac_key, data, size, 1700000000, out);
}

static void verify_next(void)
{
	sink = (int)fl_hmac_verify(&hmac_key, data, size, 1699999998, out);
}

static void encrypt(void)
{
	sink = fl_cbc_encrypt(&cbc, data, size, sizeof(data));
}

static void decrypt(void)
{
	memcpy(out, data, (size_t)sealed_len);
	sink = fl_cbc_decrypt(&cbc, out, (size_t)sealed_len);
}

static void build(void)
{
	struct fl_writer w = fl_writer(out, sizeof(out));
	struct fl_meta_lens lens;

	sink = fl_meta_build(&meta, &w, &lens);
}

static void parse(void)
{
	struct fl_meta_lens lens;
	struct fl_meta m;

	sink = fl_meta_peek(out, size, &lens);
	sink = fl_meta_parse_header(out, &lens, &m);
	sink = fl_meta_parse_payload(out + lens.header, lens.payload, &m);
}

static struct fl_seal seal_now(struct fl_keyring *ring)
{
	return (struct fl_seal){ .ring = ring,
				 .unix_s = 1700000000,
				 .meta = &meta,
				 .payload = data,
				 .payload_len = size };
}

static void seal(void)
{
	struct fl_seal s = seal_now(secret_ring);

	sealed_len = fl_seal(&s, out, sizeof(out));
}

static void seal_clear(void)
{
	struct fl_seal s = seal_now(clear_ring);

	sealed_len = fl_seal(&s, out, sizeof(out));
}

static void open_sealed(void)
{
	static uint8_t copy[4096];
	const struct fl_open o = { .ring = secret_ring, .unix_s = 1700000000 };
	struct fl_opened opened;

	memcpy(copy, out, (size_t)sealed_len);
	sink = fl_open(&o, copy, (size_t)sealed_len, &opened);
}

static struct fl_meta_name name(const char *s)
{
	return (struct fl_meta_name){ s, (uint16_t)strlen(s) };
}

static int setup(void)
{
	struct fl_key_cfg key = { 1, 0, secret, 32, secret, 16 };
	struct fl_security_cfg cfg = { .cipher = FL_CIPHER_AES_CBC_128,
				       .keys = &key,
				       .key_count = 1 };

	if (fl_rand_init() < 0)
		return -1;
	fl_rand_bytes(secret, sizeof(secret));
	if (fl_hmac_key_init(&hmac_key, FL_HMAC_SHA256_128, FL_HMAC_TIME_BASED, secret, 32) < 0 ||
	    fl_cbc_init(&cbc, FL_CIPHER_AES_CBC_128, secret, 16) < 0 ||
	    fl_keyring_new(&cfg, &clear_ring) < 0)
		return -1;
	cfg.encrypt = true;
	meta.has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_FORWARD) |
		   FL_META_BIT(FL_META_TENANT) | FL_META_BIT(FL_META_SERVICE) |
		   FL_META_BIT(FL_META_UUID) | FL_META_BIT(FL_META_SOURCE_ROUTER) |
		   FL_META_BIT(FL_META_PATHWAY);
	meta.forward.family = 4;
	meta.tenant = name("red");
	meta.service = name("dns");
	meta.source_router = name("branch1");
	meta.pathway = name("198.51.100.10");
	return fl_keyring_new(&cfg, &secret_ring);
}

int main(void)
{
	static const size_t sizes[] = { 64, 150, 512, 1400 };

	if (setup() < 0)
		return 1;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size = sizes[i];
		report("HMAC-SHA256-128 time-based: sign", sign);
		report("  verify, current window", verify);
		report("  verify, third window tried", verify_next);
		report("AES-128-CBC: encrypt with new IV", encrypt);
		sealed_len = fl_cbc_encrypt(&cbc, data, size, sizeof(data));
		report("  decrypt (with a copy)", decrypt);
	}
	size = 99;
	report("metadata vector A: build", build);
	report("  parse", parse);
	size = 21;
	report("seal: vector A in clear, HMAC", seal_clear);
	report("seal: vector A encrypted, HMAC", seal);
	report("open: the same (with a copy)", open_sealed);
	return 0;
}
