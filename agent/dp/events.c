// SPDX-License-Identifier: Apache-2.0
/* Punted packets: the two ring buffers. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fairlead.skel.h>

#include "agent/dp/dp_internal.h"

static int ring_sample(void *ctx, void *data, size_t len)
{
	const struct fl_punt *punt = data;
	struct fl_ring *ring = ctx;

	/* The writer is our own program, but a length is a length. */
	if (len < sizeof(*punt) || punt->len > len - sizeof(*punt))
		return 0;
	ring->taken++;
	return ring->fn(ring->ctx, punt) ? 0 : -EAGAIN;
}

int fl_dp_rings_open(struct fl_dp *dp)
{
	const int fds[2] = { bpf_map__fd(dp->skel->maps.fl_punt_new),
			     bpf_map__fd(dp->skel->maps.fl_punt_live) };

	for (int i = 0; i < 2; i++) {
		dp->ring[i].rb = ring_buffer__new(fds[i], ring_sample, &dp->ring[i], NULL);
		if (!dp->ring[i].rb)
			return -errno;
	}
	return 0;
}

void fl_dp_rings_close(struct fl_dp *dp)
{
	ring_buffer__free(dp->ring[0].rb);
	ring_buffer__free(dp->ring[1].rb);
}

int fl_dp_punt_fd(const struct fl_dp *dp, bool live)
{
	return ring_buffer__epoll_fd(dp->ring[live].rb);
}

int fl_dp_punt_read(struct fl_dp *dp, bool live, fl_punt_fn fn, void *ctx)
{
	struct fl_ring *ring = &dp->ring[live];
	int err;

	ring->fn = fn;
	ring->ctx = ctx;
	ring->taken = 0;
	err = ring_buffer__consume(ring->rb);
	if (err < 0 && err != -EAGAIN)
		return err;
	return ring->taken;
}
