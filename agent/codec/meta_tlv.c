// SPDX-License-Identifier: Apache-2.0
/* The TLV registry: see meta_tlv.h. Constant data, no state. */
#include "agent/codec/meta_tlv.h"

#include <stddef.h>

#define H                FL_SECTION_HEADER
#define P                FL_SECTION_PAYLOAD
#define VALUE(member)    .offset = offsetof(struct fl_meta, member)
#define FIXED(n)         .min = (n), .max = (n)
#define RULE(k, f, s)    .kind = FL_KIND_##k, .field = FL_META_##f, .sections = (s)
#define NAME(f, member)  RULE(NAME, f, P), .max = FL_META_NAME_MAX, VALUE(member)
#define PRIVATE(type)    ((type)-FL_TLV_PRIVATE_FIRST)
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Indexed by type. Types 8, 13, 28, 35: the section is inferred, hence accepted in both
 * (svr-protocol.md section 9, 12).
 */
static const struct fl_tlv_rule rules[] = {
	[FL_TLV_FRAGMENT] = { RULE(FRAGMENT, FRAGMENT, H), FIXED(10), VALUE(fragment) },
	[FL_TLV_FORWARD4] = { RULE(CONTEXT, FORWARD, P), FIXED(13), VALUE(forward), .family = 4 },
	[FL_TLV_FORWARD6] = { RULE(CONTEXT, FORWARD, P), FIXED(37), VALUE(forward), .family = 6 },
	[FL_TLV_REVERSE4] = { RULE(CONTEXT, REVERSE, P), FIXED(13), VALUE(reverse), .family = 4 },
	[FL_TLV_REVERSE6] = { RULE(CONTEXT, REVERSE, P), FIXED(37), VALUE(reverse), .family = 6 },
	[FL_TLV_UUID] = { RULE(UUID, UUID, P), FIXED(16), VALUE(uuid) },
	[FL_TLV_TENANT] = { NAME(TENANT, tenant) },
	[FL_TLV_INTERFACE_ID] = { RULE(U32, INTERFACE_ID, H | P), FIXED(4), VALUE(interface_id) },
	[FL_TLV_SERVICE] = { NAME(SERVICE, service) },
	[FL_TLV_ENCRYPTED] = { RULE(FLAG, ENCRYPTED, P) },
	[FL_TLV_TCP_SYN] = { RULE(FLAG, TCP_SYN, P) },
	[FL_TLV_SESSION_COUNT] = { RULE(U64, SESSION_COUNT, H | P), FIXED(8),
				   VALUE(session_count) },
	[FL_TLV_SOURCE_ROUTER] = { NAME(SOURCE_ROUTER, source_router) },
	[FL_TLV_SECURITY_POLICY] = { NAME(SECURITY_POLICY, security_policy) },
	[FL_TLV_SECURITY_ID] = { RULE(U32, SECURITY_ID, H), FIXED(4), VALUE(security_id) },
	[FL_TLV_DEST_ROUTER] = { NAME(DEST_ROUTER, dest_router) },
	[FL_TLV_DISABLE_FORWARD] = { RULE(FLAG, DISABLE_FORWARD, H) },
	[FL_TLV_PATHWAY] = { NAME(PATHWAY, pathway) },
	[FL_TLV_ICMP_LOCATION4] = { RULE(ADDR, ICMP_LOCATION, H), FIXED(4), VALUE(icmp_location),
				    .family = 4 },
	[FL_TLV_ICMP_LOCATION6] = { RULE(ADDR, ICMP_LOCATION, H), FIXED(16), VALUE(icmp_location),
				    .family = 6 },
	[FL_TLV_CONTROL] = { RULE(U8, CONTROL, H), FIXED(1), VALUE(control) },
	[FL_TLV_SOURCE_NAT] = { RULE(ADDR, SOURCE_NAT, P), FIXED(4), VALUE(source_nat),
				.family = 4 },
	[FL_TLV_PATH_METRICS] = { RULE(METRICS, METRICS, H), FIXED(10), VALUE(metrics) },
	[FL_TLV_MODIFY] = { RULE(MODIFY, MODIFY, H | P), FIXED(2), VALUE(modify) },
	[FL_TLV_APPLICATION] = { RULE(NAME, APPLICATION, H | P), .max = FL_META_NAME_MAX,
				 VALUE(application) },
	[FL_TLV_REMAINING_TIME] = { RULE(U32, REMAINING_TIME, P), FIXED(4), VALUE(remaining_s) },
	[FL_TLV_46] = { RULE(U8, HEALTH, H), FIXED(1), VALUE(health) },
	[FL_TLV_MULTICAST] = { RULE(MULTICAST, MULTICAST, P), .min = FL_TLV_MULTICAST4_LEN,
			       .max = FL_TLV_MULTICAST6_LEN, VALUE(multicast) },
	[FL_TLV_MULTICAST_EGRESS] = { RULE(EGRESS, MULTICAST_EGRESS, P), .min = 2,
				      .max = UINT16_MAX, VALUE(egress) },
};

/* P-02: the other meaning of 46. */
static const struct fl_tlv_rule payload_key_rule = { RULE(PAYLOAD_KEY, PAYLOAD_KEY, P), .min = 18,
						     .max = 34, VALUE(payload_key) };

static const struct fl_tlv_rule private_rules[] = {
	[PRIVATE(FL_TLV_DUPLICATE_SEQ)] = { RULE(U32, DUPLICATE_SEQ, H), FIXED(4),
					    VALUE(duplicate_seq) },
	[PRIVATE(FL_TLV_OWN_ENDPOINT)] = { RULE(ENDPOINT, OWN_ENDPOINT, H),
					   .min = FL_TLV_ENDPOINT4_LEN, .max = FL_TLV_ENDPOINT6_LEN,
					   VALUE(own_endpoint) },
	[PRIVATE(FL_TLV_BOOT_ID)] = { RULE(BOOT_ID, BOOT_ID, H), FIXED(8), VALUE(boot_id) },
	[PRIVATE(FL_TLV_ECHO)] = { RULE(ECHO, ECHO, H), FIXED(17), VALUE(echo) },
	[PRIVATE(FL_TLV_SEEN_ENDPOINT)] = { RULE(ENDPOINT, SEEN_ENDPOINT, H),
					    .min = FL_TLV_ENDPOINT4_LEN,
					    .max = FL_TLV_ENDPOINT6_LEN, VALUE(seen_endpoint) },
	[PRIVATE(FL_TLV_MTU_PROBE)] = { RULE(MTU_PROBE, MTU_PROBE, H), .min = 2, .max = UINT16_MAX,
					VALUE(mtu_probe) },
	[PRIVATE(FL_TLV_CAPABILITY)] = { RULE(U32, CAPABILITY, H), FIXED(4), VALUE(capability) },
	[PRIVATE(FL_TLV_VECTOR)] = { RULE(VECTOR, VECTOR, P), FIXED(FL_TLV_VECTOR_LEN),
				     VALUE(vector) },
};

const struct fl_tlv_rule *fl_tlv_rule(uint8_t section, uint16_t type)
{
	const struct fl_tlv_rule *rule;

	if (type == FL_TLV_46 && section == FL_SECTION_PAYLOAD)
		return &payload_key_rule;
	if (type < ARRAY_LEN(rules))
		rule = &rules[type];
	else if (type >= FL_TLV_PRIVATE_FIRST && PRIVATE(type) < (int)ARRAY_LEN(private_rules))
		rule = &private_rules[PRIVATE(type)];
	else
		return NULL;
	return rule->sections & section ? rule : NULL;
}

/* The orders of the vectors in svr-protocol.md 2.9; types that these lack are put where they fit.
 */
const uint16_t fl_tlv_header_order[] = {
	FL_TLV_FRAGMENT,
	FL_TLV_SECURITY_ID,
	FL_TLV_DISABLE_FORWARD,
	FL_TLV_CONTROL,
	FL_TLV_46,
	FL_TLV_ICMP_LOCATION4,
	FL_TLV_ICMP_LOCATION6,
	FL_TLV_PATH_METRICS,
	FL_TLV_DUPLICATE_SEQ,
	FL_TLV_OWN_ENDPOINT,
	FL_TLV_BOOT_ID,
	FL_TLV_SEEN_ENDPOINT,
	FL_TLV_ECHO,
	FL_TLV_CAPABILITY,
	FL_TLV_MTU_PROBE,
	0,
};

const uint16_t fl_tlv_payload_order[] = {
	FL_TLV_FORWARD4,
	FL_TLV_FORWARD6,
	FL_TLV_REVERSE4,
	FL_TLV_REVERSE6,
	FL_TLV_TENANT,
	FL_TLV_SERVICE,
	FL_TLV_UUID,
	FL_TLV_SOURCE_ROUTER,
	FL_TLV_PATHWAY,
	FL_TLV_DEST_ROUTER,
	FL_TLV_SOURCE_NAT,
	FL_TLV_ENCRYPTED,
	FL_TLV_SECURITY_POLICY,
	FL_TLV_46,
	FL_TLV_TCP_SYN,
	FL_TLV_MODIFY,
	FL_TLV_REMAINING_TIME,
	FL_TLV_VECTOR,
	FL_TLV_APPLICATION,
	FL_TLV_SESSION_COUNT,
	FL_TLV_INTERFACE_ID,
	FL_TLV_MULTICAST,
	FL_TLV_MULTICAST_EGRESS,
	0,
};
