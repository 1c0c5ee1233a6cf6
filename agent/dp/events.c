// SPDX-License-Identifier: Apache-2.0
/* Punted packets: the two ring buffers. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fairlead.skel.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/dp/dp_internal.h"

static bool fits(const struct fl_punt *punt, size_t len)
{
	return len >= sizeof(*punt) && punt->len <= len - sizeof(*punt);
}

/*
 * What lies behind a record: the next one, or what was there in an earlier round, which libbpf
 * could tell apart, but not at this place. The ring is mapped twice in a row, and a record is far
 * shorter than the ring, so that looking behind one is always looking at the ring.
 */
static const struct fl_punt *behind(const void *data, size_t len)
{
	/* As the kernel lays records out (kernel/bpf/ringbuf.c): a length, with two flags, and 4
	 * bytes. */
	const uint32_t *head = (const uint32_t *)((const char *)data + ((len + 7) & ~(size_t)7));
	const struct fl_punt *punt = (const struct fl_punt *)(head + 2);
	const uint32_t next = __atomic_load_n(head, __ATOMIC_ACQUIRE);

	if (next & (BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT) ||
	    next > sizeof(*punt) + FL_PUNT_HUGE || !fits(punt, next))
		return NULL;
	return punt;
}

static int ring_sample(void *ctx, void *data, size_t len)
{
	const struct fl_punt *punt = data;
	const struct fl_punt *next;
	struct fl_ring *ring = ctx;

	/* The writer is our own program, but a length is a length. */
	if (!fits(punt, len))
		return 0;
	ring->taken++;
	next = ring->ahead ? behind(data, len) : NULL;
	if (next)
		ring->ahead(ring->ctx, next);
	return ring->fn(ring->ctx, punt) ? 0 : -EAGAIN;
}

/* Positions are in a page each, in front of the data (kernel/bpf/ringbuf.c). */
static const unsigned long *map_position(int fd, int page)
{
	const long size = sysconf(_SC_PAGESIZE);
	void *at = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, page * size);

	return at == MAP_FAILED ? NULL : at;
}

int fl_dp_rings_open(struct fl_dp *dp)
{
	const int fds[2] = { bpf_map__fd(dp->skel->maps.fl_punt_new),
			     bpf_map__fd(dp->skel->maps.fl_punt_live) };

	for (int i = 0; i < 2; i++) {
		struct fl_ring *ring = &dp->ring[i];

		ring->rb = ring_buffer__new(fds[i], ring_sample, ring, NULL);
		if (!ring->rb)
			return -errno;
		ring->consumed = map_position(fds[i], 0);
		ring->produced = map_position(fds[i], 1);
		if (!ring->consumed || !ring->produced)
			return -errno;
	}
	return 0;
}

void fl_dp_rings_close(struct fl_dp *dp)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (int i = 0; i < 2; i++) {
		if (dp->ring[i].consumed)
			munmap((void *)(uintptr_t)dp->ring[i].consumed, page);
		if (dp->ring[i].produced)
			munmap((void *)(uintptr_t)dp->ring[i].produced, page);
		ring_buffer__free(dp->ring[i].rb);
	}
}

static bool is_empty(const struct fl_ring *ring)
{
	return __atomic_load_n(ring->produced, __ATOMIC_ACQUIRE) ==
	       __atomic_load_n(ring->consumed, __ATOMIC_RELAXED);
}

void fl_dp_awake(struct fl_dp *dp)
{
	__atomic_store_n(&dp->tables.settings->agent_awake, 1, __ATOMIC_RELAXED);
}

bool fl_dp_may_sleep(struct fl_dp *dp)
{
	__atomic_store_n(&dp->tables.settings->agent_awake, 0, __ATOMIC_RELAXED);
	/* Pairs with the one in fl_punt_wake() (bpf/lib/punt.bpf.h), which says why. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (is_empty(&dp->ring[0]) && is_empty(&dp->ring[1]))
		return true;
	fl_dp_awake(dp);
	return false;
}

int fl_dp_punt_fd(const struct fl_dp *dp, bool live)
{
	return ring_buffer__epoll_fd(dp->ring[live].rb);
}

int fl_dp_punt_read(struct fl_dp *dp, bool live, fl_punt_fn fn, fl_punt_ahead_fn ahead, void *ctx)
{
	struct fl_ring *ring = &dp->ring[live];
	int err;

	ring->fn = fn;
	ring->ahead = ahead;
	ring->ctx = ctx;
	ring->taken = 0;
	err = ring_buffer__consume(ring->rb);
	if (err < 0 && err != -EAGAIN)
		return err;
	return ring->taken;
}
