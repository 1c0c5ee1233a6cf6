// SPDX-License-Identifier: GPL-2.0
/*
 * Packet generator and sink. The generator is run by BPF_PROG_TEST_RUN with live frames: each frame
 * becomes the next packet of a list of flows and leaves by a device. The sink counts UDP packets
 * and drops them, or sends them back where they came from.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bench/blast.h"
#include "common/csum.h"
#include "common/hdr.h"

/* 64 bits each: elements of an array stand at multiples of eight bytes, also to who maps it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BLAST_MAX_FLOWS);
	__type(key, __u32);
	__type(value, __u64);
} blast_order SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BLAST_LENGTHS);
	__type(key, __u32);
	__type(value, __u64);
} blast_count SEC(".maps");

/* Nanoseconds of a slice of packets. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BLAST_SLICES);
	__type(key, __u32);
	__type(value, __u64);
} blast_slices SEC(".maps");

const volatile struct blast_cfg cfg = {};
const volatile bool reflect = false;
struct blast_sent sent = {};

/* Word by word, through volatile: the compiler would take the initial zeros for granted. */
static __always_inline void put_headers(void *data)
{
	const volatile fl_u64_una *from = (const volatile fl_u64_una *)cfg.headers;

#pragma clang loop unroll(full)
	for (int i = 0; i < BLAST_HEADERS / 8; i++)
		((fl_u64_una *)data)[i] = from[i];
	*(fl_u16_una *)(data + 40) = *(const volatile fl_u16_una *)(cfg.headers + 40);
}

/*
 * Place @at in a list of all flows that looks random and needs no memory, which would take the
 * cache from those whose packets these are: numbers of so many bits, mixed by steps that can all be
 * undone, until one is below the count of flows.
 */
static __always_inline __u32 scatter(__u32 at)
{
	const __u32 mask = (1u << cfg.flow_bits) - 1, half = (cfg.flow_bits + 1) / 2;

	for (int i = 0; i < 32; i++) {
		at = (at * 0x9E3779B1u + 0x3C6EF372u) & mask;
		at ^= at >> half;
		at = at * 0x85EBCA6Bu & mask;
		at ^= at >> half;
		if (at < cfg.flows)
			return at;
	}
	return 0;
}

static __always_inline void end_slice(void)
{
	__u32 at = (__u32)(sent.packets / BLAST_SLICE - 1) % BLAST_SLICES;
	__u64 now = bpf_ktime_get_ns(), *slice = bpf_map_lookup_elem(&blast_slices, &at);

	if (slice)
		*slice = now - sent.slice_ns;
	sent.slice_ns = now;
}

SEC("xdp")
int blast_send(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 at = (__u32)sent.next, n;
	__u16 low, port;
	__u64 *flow;

	if (data + BLAST_HEADERS > end)
		return XDP_DROP;
	if (at >= cfg.flows)
		at = 0;
	sent.next = at + 1;
	if (cfg.ordered) {
		flow = bpf_map_lookup_elem(&blast_order, &at);
		if (!flow)
			return XDP_DROP;
		n = (__u32)*flow;
	} else {
		n = scatter(at);
	}
	low = (__u16)FL_BE16(cfg.saddr_low + (n >> BLAST_PORT_BITS));
	port = (__u16)FL_BE16(BLAST_PORT + (n & ((1 << BLAST_PORT_BITS) - 1)));
	/* Frames come back with what the last receiver made of them. */
	put_headers(data);
	*(__u16 *)(data + 24) = ~fl_csum_fold(cfg.ip_sum + low);
	*(__u16 *)(data + 28) = low;
	*(__u16 *)(data + 34) = port;
	*(__u16 *)(data + 40) = ~fl_csum_fold(cfg.udp_sum + low + port);
	if (!sent.packets) {
		sent.start_ns = bpf_ktime_get_ns();
		sent.slice_ns = sent.start_ns;
	}
	sent.packets++;
	if (sent.packets % BLAST_SLICE == 0)
		end_slice();
	if (sent.packets == sent.total)
		sent.end_ns = bpf_ktime_get_ns();
	return (int)bpf_redirect(cfg.ifindex, 0);
}

static __always_inline void swap(__u8 *a, __u8 *b, __u32 len)
{
	for (__u32 i = 0; i < len; i += 2) {
		__u16 t = *(__u16 *)(a + i);

		*(__u16 *)(a + i) = *(__u16 *)(b + i);
		*(__u16 *)(b + i) = t;
	}
}

SEC("xdp")
int blast_sink(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 len = (__u32)(end - data);
	__u64 *count;

	if (data + BLAST_HEADERS > end || *(__u16 *)(data + 12) != (__u16)FL_BE16(FL_ETH_P_IP) ||
	    *(__u8 *)(data + 23) != FL_IPPROTO_UDP)
		return XDP_PASS;
	count = bpf_map_lookup_elem(&blast_count, &len);
	if (count)
		++*count;
	if (!reflect)
		return XDP_DROP;
	swap(data, data + 6, 6);
	swap(data + 26, data + 30, 4);
	swap(data + 34, data + 36, 2);
	return XDP_TX;
}

char blast_license[] SEC("license") = "GPL";
