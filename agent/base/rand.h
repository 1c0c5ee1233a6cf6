/* SPDX-License-Identifier: Apache-2.0 */
/* Randomness from libsodium's generator, buffered; tests may make it repeatable. */
#ifndef FL_AGENT_BASE_RAND_H
#define FL_AGENT_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

/**
 * fl_rand_init() - must be called once before the others
 *
 * Return: 0, or -EIO if the system has no randomness.
 */
int fl_rand_init(void);

/* Fill @buf with @len unpredictable bytes. */
void fl_rand_bytes(void *buf, size_t len);

uint64_t fl_rand_u64(void);

/* A random UUID, version 4 (RFC 9562 5.4), 16 bytes in wire order. */
void fl_rand_uuid(uint8_t uuid[16]);

/* From now on repeat the same sequence: for tests only. 0 restores the real source. */
void fl_rand_seed_for_test(uint64_t seed);

#endif
