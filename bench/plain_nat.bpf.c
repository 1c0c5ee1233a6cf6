// SPDX-License-Identifier: GPL-2.0
/*
 * The least that double NAT can be in XDP, to measure against: IPv4 and UDP without options, one
 * look-up in the kernel's hash table by a key of 16 bytes, addresses, ports, TTL, checksums, MACs,
 * counters, redirect. It knows no peers, paths, cookies, states, sizes, nor a second side.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bench/plain_nat.h"
#include "common/csum.h"
#include "common/hdr.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PLAIN_NAT_MAX_FLOWS);
	__type(key, struct plain_nat_key);
	__type(value, struct plain_nat_flow);
} plain_nat_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} plain_nat_port SEC(".maps");

SEC("xdp")
int plain_nat(struct xdp_md *ctx)
{
	struct fl_eth *eth = (void *)(long)ctx->data;
	struct fl_ip4 *ip = (void *)(eth + 1);
	struct fl_udp *udp = (void *)(ip + 1);
	struct plain_nat_flow *flow;
	struct plain_nat_key key;

	if ((void *)(udp + 1) > (void *)(long)ctx->data_end || eth->proto != FL_BE16(FL_ETH_P_IP) ||
	    ip->ver_ihl != 0x45 || ip->proto != FL_IPPROTO_UDP || ip->ttl <= 1)
		return XDP_PASS;
	key.addrs = *(fl_u64_una *)((void *)ip + 12);
	key.ports = *(fl_u32_una *)(void *)udp;
	key.proto = ip->proto;
	flow = bpf_map_lookup_elem(&plain_nat_flows, &key);
	if (!flow)
		return XDP_PASS;
	*(fl_u64_una *)((void *)ip + 12) = flow->addrs;
	*(fl_u32_una *)(void *)udp = flow->ports;
	ip->ttl--;
	ip->check = fl_csum_update(ip->check, flow->ip_delta);
	udp->check = fl_csum_update(udp->check, flow->udp_delta);
	__builtin_memcpy(eth, flow->macs, sizeof(flow->macs));
	flow->packets++;
	flow->bytes += FL_BE16(ip->tot_len);
	flow->last_seen = (__u32)bpf_jiffies64();
	return (int)bpf_redirect_map(&plain_nat_port, 0, 0);
}

/* A device that frames are redirected into needs a program at its own end, too. */
SEC("xdp")
int plain_nat_out(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
