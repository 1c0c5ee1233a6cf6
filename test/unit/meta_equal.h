/* SPDX-License-Identifier: Apache-2.0 */
/* Do two metadata structs say the same? Names count as text, values only if they are present. */
#ifndef FL_TEST_UNIT_META_EQUAL_H
#define FL_TEST_UNIT_META_EQUAL_H

#include <string.h>

#include "agent/codec/meta.h"

static inline bool bytes_equal(const void *a, size_t a_len, const void *b, size_t b_len)
{
	return a_len == b_len && (!a_len || !memcmp(a, b, a_len));
}

static inline bool name_equal(struct fl_meta_name a, struct fl_meta_name b)
{
	return bytes_equal(a.s, a.len, b.s, b.len);
}

static inline bool endpoint_equal(struct fl_meta_endpoint a, struct fl_meta_endpoint b)
{
	return fl_addr_equal(&a.addr, &b.addr) && a.port == b.port;
}

#define SAME(field, test) (!fl_meta_has(a, FL_META_##field) || (test))

static inline bool header_equal(const struct fl_meta *a, const struct fl_meta *b)
{
	return SAME(FRAGMENT, a->fragment.ext_id == b->fragment.ext_id &&
				      a->fragment.orig_id == b->fragment.orig_id &&
				      a->fragment.offset == b->fragment.offset &&
				      a->fragment.largest == b->fragment.largest &&
				      a->fragment.df == b->fragment.df &&
				      a->fragment.mf == b->fragment.mf) &&
	       SAME(SECURITY_ID, a->security_id == b->security_id) &&
	       SAME(ICMP_LOCATION, fl_addr_equal(&a->icmp_location, &b->icmp_location)) &&
	       SAME(CONTROL, a->control == b->control) && SAME(HEALTH, a->health == b->health) &&
	       SAME(METRICS, a->metrics.tx_time_ms == b->metrics.tx_time_ms &&
				     a->metrics.rx_time_ms == b->metrics.rx_time_ms &&
				     a->metrics.prev_count == b->metrics.prev_count &&
				     a->metrics.tx_colour == b->metrics.tx_colour &&
				     a->metrics.rx_colour == b->metrics.rx_colour &&
				     a->metrics.drop == b->metrics.drop) &&
	       SAME(DUPLICATE_SEQ, a->duplicate_seq == b->duplicate_seq) &&
	       SAME(OWN_ENDPOINT, endpoint_equal(a->own_endpoint, b->own_endpoint)) &&
	       SAME(SEEN_ENDPOINT, endpoint_equal(a->seen_endpoint, b->seen_endpoint)) &&
	       SAME(BOOT_ID, a->boot_id.start_s == b->boot_id.start_s &&
				     a->boot_id.random == b->boot_id.random) &&
	       SAME(ECHO,
		    a->echo.tx_time_us == b->echo.tx_time_us && a->echo.burst == b->echo.burst &&
			    a->echo.index == b->echo.index && a->echo.count == b->echo.count &&
			    a->echo.reflected == b->echo.reflected) &&
	       SAME(MTU_PROBE, a->mtu_probe.size == b->mtu_probe.size &&
				       a->mtu_probe.pad_len == b->mtu_probe.pad_len) &&
	       SAME(CAPABILITY, a->capability == b->capability);
}

static inline bool payload_equal(const struct fl_meta *a, const struct fl_meta *b)
{
	return SAME(FORWARD, fl_tuple_equal(&a->forward, &b->forward)) &&
	       SAME(REVERSE, fl_tuple_equal(&a->reverse, &b->reverse)) &&
	       SAME(UUID, !memcmp(a->uuid, b->uuid, 16)) &&
	       SAME(TENANT, name_equal(a->tenant, b->tenant)) &&
	       SAME(INTERFACE_ID, a->interface_id == b->interface_id) &&
	       SAME(SERVICE, name_equal(a->service, b->service)) &&
	       SAME(SESSION_COUNT, a->session_count == b->session_count) &&
	       SAME(SOURCE_ROUTER, name_equal(a->source_router, b->source_router)) &&
	       SAME(SECURITY_POLICY, name_equal(a->security_policy, b->security_policy)) &&
	       SAME(DEST_ROUTER, name_equal(a->dest_router, b->dest_router)) &&
	       SAME(PATHWAY, name_equal(a->pathway, b->pathway)) &&
	       SAME(SOURCE_NAT, fl_addr_equal(&a->source_nat, &b->source_nat)) &&
	       SAME(MODIFY, a->modify.seq == b->modify.seq &&
				    a->modify.forward == b->modify.forward &&
				    a->modify.done == b->modify.done) &&
	       SAME(APPLICATION, name_equal(a->application, b->application)) &&
	       SAME(REMAINING_TIME, a->remaining_s == b->remaining_s) &&
	       SAME(VECTOR, a->vector.id == b->vector.id && a->vector.seq == b->vector.seq) &&
	       SAME(PAYLOAD_KEY, a->payload_key.cipher == b->payload_key.cipher &&
					 a->payload_key.epoch == b->payload_key.epoch &&
					 bytes_equal(a->payload_key.key, a->payload_key.key_len,
						     b->payload_key.key, b->payload_key.key_len)) &&
	       SAME(MULTICAST, fl_addr_equal(&a->multicast.source, &b->multicast.source) &&
				       fl_addr_equal(&a->multicast.group, &b->multicast.group) &&
				       a->multicast.flags == b->multicast.flags &&
				       a->multicast.proto == b->multicast.proto) &&
	       SAME(MULTICAST_EGRESS, a->egress.count == b->egress.count &&
					      bytes_equal(a->egress.entries, a->egress.len,
							  b->egress.entries, b->egress.len));
}

static inline bool meta_equal(const struct fl_meta *a, const struct fl_meta *b)
{
	return a->has == b->has && header_equal(a, b) && payload_equal(a, b);
}

#endif
