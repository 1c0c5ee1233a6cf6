// SPDX-License-Identifier: Apache-2.0
/*
 * Randomness: see rand.h. Session set-up needs 32 bytes a session; drawing them in blocks makes
 * that cheap. Every thread has a block of its own.
 */
#include "agent/base/rand.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

static __thread uint8_t pool[4096];
static __thread size_t pool_left;
static uint64_t test_state;

int fl_rand_init(void)
{
	/* In user space, seeded by the kernel, whose own generator is five times slower. */
	if (randombytes_set_implementation(&randombytes_internal_implementation) < 0)
		return -EIO;
	return sodium_init() < 0 ? -EIO : 0;
}

void fl_rand_seed_for_test(uint64_t seed)
{
	test_state = seed;
	pool_left = 0;
}

/* SplitMix64: a sequence to repeat, not to trust. */
static uint64_t test_next(void)
{
	uint64_t z = (test_state += 0x9E3779B97F4A7C15ULL);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
	return z ^ (z >> 31);
}

static void pool_fill(void)
{
	if (test_state) {
		for (size_t i = 0; i < sizeof(pool); i += sizeof(uint64_t)) {
			uint64_t v = test_next();

			memcpy(pool + i, &v, sizeof(v));
		}
	} else {
		randombytes_buf(pool, sizeof(pool));
	}
	pool_left = sizeof(pool);
}

void fl_rand_bytes(void *buf, size_t len)
{
	uint8_t *out = buf;

	while (len) {
		size_t take;

		if (!pool_left)
			pool_fill();
		take = len < pool_left ? len : pool_left;
		pool_left -= take;
		memcpy(out, pool + pool_left, take);
		/* What was handed out may become a key: keep no copy. */
		sodium_memzero(pool + pool_left, take);
		out += take;
		len -= take;
	}
}

uint64_t fl_rand_u64(void)
{
	uint64_t v;

	fl_rand_bytes(&v, sizeof(v));
	return v;
}

void fl_rand_uuid(uint8_t uuid[16])
{
	fl_rand_bytes(uuid, 16);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}
