/* SPDX-License-Identifier: GPL-2.0 */
/* Interfaces, waypoint pairs and own addresses: where a packet came in, and from whom. */
#ifndef FL_BPF_PATH_H
#define FL_BPF_PATH_H

#include "bpf/maps.bpf.h"
#include "common/hdr.h"
#include "common/parse.h"

static __always_inline const struct fl_iface *fl_iface_find(__u32 ifindex, __u16 vlan, __u16 ivlan)
{
	const __u64 want = (__u64)ifindex | (__u64)vlan << 32 | (__u64)ivlan << 48;
	__u32 slot = fl_iface_slot(ifindex, vlan, ivlan);

#pragma clang loop unroll(full)
	for (int i = 0; i < FL_IFACE_PROBES; i++) {
		const struct fl_iface *iface = bpf_map_lookup_elem(&fl_ifaces, &slot);

		if (!iface)
			return NULL;
		if (*(const fl_u64_al *)iface == want)
			return iface;
		slot = (slot + 1) & (FL_IFACE_SLOTS - 1);
	}
	return NULL;
}

static __always_inline __u32 fl_path_find4(__u32 local, __u32 remote)
{
	__u32 id = fl_path_bucket(local, remote);
	const struct fl_path_bucket *bucket = bpf_map_lookup_elem(&fl_path_lookup, &id);

	if (!bucket)
		return 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < FL_PATH_BUCKET_WAYS; i++) {
		const struct fl_path_way *way = &bucket->way[i];

		if (*(const fl_u32_al *)way->local == local &&
		    *(const fl_u32_al *)way->remote == remote)
			return way->path;
	}
	return 0;
}

static __always_inline __u32 fl_path_find6(const struct fl_path6_key *key)
{
	const __u32 *path = bpf_map_lookup_elem(&fl_path_lookup6, key);

	return path ? *path : 0;
}

/* Address of a packet in the form of the address maps: IPv4 in the first four bytes. */
static __always_inline void fl_addr_key(struct fl_local_addr *key, const __u8 *addr, __u8 family)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->family = family;
	if (family == 6)
		__builtin_memcpy(key->addr, addr, 16);
	else
		*(fl_u32_al *)key->addr = *(const fl_u32_una *)addr;
}

static __always_inline bool fl_addr_is_local(const __u8 *addr, __u8 family)
{
	struct fl_local_addr key;

	fl_addr_key(&key, addr, family);
	return bpf_map_lookup_elem(&fl_local_addrs, &key) != NULL;
}

/* Destinations that a router never forwards: multicast, broadcast, link-local. The kernel's
 * business. */
static __always_inline bool fl_addr_is_special(const __u8 *addr, __u8 family)
{
	if (family == 6)
		return addr[0] == 0xff || (addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80);
	return addr[0] >= 224 || addr[0] == 127 || addr[0] == 0 ||
	       (addr[0] == 169 && addr[1] == 254);
}

/* Sources that no host has, or only on its own link: RFC 1812 5.3.7, RFC 3927 7, RFC 4291 2.5.6. */
static __always_inline bool fl_source_is_bad(const __u8 *addr, __u8 family)
{
	if (family == 6) {
		const fl_u64_una *w = (const fl_u64_una *)addr;

		return addr[0] == 0xff || (addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80) ||
		       (!w[0] && (!w[1] || w[1] == (__u64)1 << 56));
	}
	return addr[0] >= 224 || addr[0] == 127 || addr[0] == 0 ||
	       (addr[0] == 169 && addr[1] == 254);
}

#endif
