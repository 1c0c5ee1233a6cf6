/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Packet headers as they stand on the wire, without bit-fields, for both worlds. Network order is
 * in the type.
 */
#ifndef FL_COMMON_HDR_H
#define FL_COMMON_HDR_H

#include "common/types.h"

#define FL_ETH_P_IP     0x0800
#define FL_ETH_P_ARP    0x0806
#define FL_ETH_P_IPV6   0x86DD
#define FL_ETH_P_8021Q  0x8100
#define FL_ETH_P_8021AD 0x88A8

#define FL_IPPROTO_HOPOPTS  0
#define FL_IPPROTO_ICMP     1
#define FL_IPPROTO_TCP      6
#define FL_IPPROTO_UDP      17
#define FL_IPPROTO_ROUTING  43
#define FL_IPPROTO_FRAGMENT 44
#define FL_IPPROTO_ICMPV6   58
#define FL_IPPROTO_NONE     59
#define FL_IPPROTO_DSTOPTS  60

#define FL_IP4_MF     0x2000
#define FL_IP4_DF     0x4000
#define FL_IP4_OFFSET 0x1FFF

#define FL_TH_FIN 0x01
#define FL_TH_SYN 0x02
#define FL_TH_RST 0x04
#define FL_TH_PSH 0x08
#define FL_TH_ACK 0x10

struct fl_eth {
	__u8 dst[6];
	__u8 src[6];
	__be16 proto;
} FL_WIRE;

struct fl_vlan {
	__be16 tci;
	__be16 proto;
} FL_WIRE;

struct fl_ip4 {
	__u8 ver_ihl;
	__u8 tos;
	__be16 tot_len;
	__be16 id;
	__be16 frag_off;
	__u8 ttl;
	__u8 proto;
	__be16 check;
	__be32 src;
	__be32 dst;
} FL_WIRE;

struct fl_ip6 {
	__be32 ver_tc_flow;
	__be16 payload_len;
	__u8 next;
	__u8 hop_limit;
	__u8 src[16];
	__u8 dst[16];
} FL_WIRE;

struct fl_ip6_ext {
	__u8 next;
	__u8 len;  /* in units of 8 bytes, the first 8 not counted */
	__u8 type; /* routing header: type */
	__u8 left; /* routing header: segments left */
} FL_WIRE;

struct fl_ip6_frag {
	__u8 next;
	__u8 reserved;
	__be16 frag_off; /* offset in 8-byte units << 3, bit 0 = more fragments */
	__be32 id;
} FL_WIRE;

struct fl_udp {
	__be16 src;
	__be16 dst;
	__be16 len;
	__be16 check;
} FL_WIRE;

struct fl_tcp {
	__be16 src;
	__be16 dst;
	__be32 seq;
	__be32 ack;
	__u8 doff;
	__u8 flags;
	__be16 window;
	__be16 check;
	__be16 urgent;
} FL_WIRE;

struct fl_icmp {
	__u8 type;
	__u8 code;
	__be16 check;
	__be16 id;
	__be16 seq;
} FL_WIRE;

FL_ASSERT_SIZE(struct fl_eth, 14);
FL_ASSERT_SIZE(struct fl_vlan, 4);
FL_ASSERT_SIZE(struct fl_ip4, 20);
FL_ASSERT_SIZE(struct fl_ip6, 40);
FL_ASSERT_SIZE(struct fl_ip6_ext, 4);
FL_ASSERT_SIZE(struct fl_ip6_frag, 8);
FL_ASSERT_SIZE(struct fl_udp, 8);
FL_ASSERT_SIZE(struct fl_tcp, 20);
FL_ASSERT_SIZE(struct fl_icmp, 8);

/* ICMP messages that matter to sessions: RFC 792, RFC 4443. */
#define FL_ICMP4_ECHO_REPLY       0
#define FL_ICMP4_UNREACH          3
#define FL_ICMP4_REDIRECT         5
#define FL_ICMP4_ECHO             8
#define FL_ICMP4_TIME_EXCEEDED    11
#define FL_ICMP4_PARAM_PROBLEM    12
#define FL_ICMP4_TIMESTAMP        13
#define FL_ICMP4_TIMESTAMP_REPLY  14
#define FL_ICMP4_CODE_FRAG_NEEDED 4
#define FL_ICMP6_UNREACH          1
#define FL_ICMP6_PACKET_TOO_BIG   2
#define FL_ICMP6_TIME_EXCEEDED    3
#define FL_ICMP6_PARAM_PROBLEM    4
#define FL_ICMP6_ECHO             128
#define FL_ICMP6_ECHO_REPLY       129
#define FL_ICMP6_ND_FIRST         130 /* MLD and neighbour discovery: 130..137, always the kernel's */
#define FL_ICMP6_ND_LAST          137

/* First 8 bytes of a metadata block: svr-protocol.md 2.2, in memory order. */
#define FL_META_COOKIE_BYTES 0x4c, 0x48, 0xdb, 0xc6, 0xdd, 0xf6, 0x67, 0x0c
#define FL_META_COOKIE       0x0c67f6ddc6db484cULL

#endif
