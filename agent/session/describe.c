// SPDX-License-Identifier: Apache-2.0
/*
 * Metadata for sessions that need it, as the flow's state or a peer asks for it (svr-protocol.md
 * 3.2, 3.3). What peers send is signal.c's business.
 */
#include <string.h>

#include "agent/session/engine_internal.h"

static struct fl_meta_name name_of(const char *s)
{
	return (struct fl_meta_name){ s, (uint16_t)strlen(s) };
}

/* The path's local waypoint as text: what SSR sends as pathway id (TLV 19). */
static struct fl_meta_name pathway_of(const struct fl_engine *e, uint16_t path)
{
	const struct fl_path_rt *rt = fl_fabric_path(e->fabric, path);

	return name_of(rt ? rt->pathway : "");
}

static struct fl_meta_name pathway_by(const struct fl_engine *e, uint16_t vector)
{
	return pathway_of(e, e->t->vectors[vector].path);
}

/*
 * Is it no new session, but one that the receiver may have lost or never had (TLV 42: on migration
 * and recovery)? It has been answered; or a peer told us of it in the middle.
 */
static bool is_known_elsewhere(const struct fl_engine *e, uint32_t id)
{
	const struct fl_session *s = fl_engine_session(e, id);

	return s->flags & FL_SESSION_RESIGNAL || fl_engine_flow(e, id, FL_REVERSE)->packets ||
	       (s->flags & FL_SESSION_MIDSTREAM && s->in.kind == FL_SIDE_PEER);
}

/* Everything that a router needs to open the session (mandatory set of 2.4). */
void fl_engine_meta_forward(struct fl_engine *e, uint32_t id, struct fl_meta *ret_meta)
{
	const struct fl_session *s = fl_engine_session(e, id);
	struct fl_meta *m = ret_meta;

	memset(m, 0, sizeof(*m));
	m->has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_FORWARD) |
		 FL_META_BIT(FL_META_UUID) | FL_META_BIT(FL_META_TENANT) |
		 FL_META_BIT(FL_META_SERVICE) | FL_META_BIT(FL_META_SOURCE_ROUTER) |
		 FL_META_BIT(FL_META_PATHWAY);
	m->security_id = 1; /* the sealing puts the key's */
	m->forward = fl_session_forward_tuple(s);
	memcpy(m->uuid, s->uuid, sizeof(m->uuid));
	m->tenant = name_of(fl_store_name_text(e->store, s->tenant));
	m->service = name_of(fl_store_name_text(e->store, s->service));
	m->source_router = name_of(
		fl_store_name_text(e->store, s->source_router ? s->source_router : e->own_name));
	m->pathway = pathway_by(e, s->out.vector);
	if (s->family == 4 && memcmp(s->src, s->nat_src, 4)) {
		m->has |= FL_META_BIT(FL_META_SOURCE_NAT);
		m->source_nat = fl_addr_from(4, s->nat_src);
	}
	if (fl_engine_may_follow(e, s->out.id)) {
		m->has |= FL_META_BIT(FL_META_VECTOR);
		m->vector =
			(struct fl_meta_vector){ s->out.vector,
						 fl_fabric_vector_seq(e->fabric, s->out.vector) };
	}
	if (s->flags & FL_SESSION_RESIGNAL) {
		m->has |= FL_META_BIT(FL_META_MODIFY);
		m->modify =
			(struct fl_meta_modify){ .seq = s->modify_seq & 0xfff, .forward = true };
	}
	if (is_known_elsewhere(e, id)) {
		m->has |= FL_META_BIT(FL_META_REMAINING_TIME);
		m->remaining_s = (uint32_t)(fl_engine_time_left_ms(e, id) / 1000);
	}
}

/*
 * The answer. TLV 18 only beside user data: alone with none it marks a packet that the receiver
 * drops (P-14), and an empty datagram or a SYN-ACK must not be taken for one.
 */
void fl_engine_meta_reverse(struct fl_engine *e, uint32_t id, bool user_data,
			    struct fl_meta *ret_meta)
{
	const struct fl_session *s = fl_engine_session(e, id);
	struct fl_tuple forward = fl_session_forward_tuple(s);
	struct fl_meta *m = ret_meta;
	uint16_t group;

	memset(m, 0, sizeof(*m));
	m->has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_REVERSE) |
		 FL_META_BIT(FL_META_UUID) | FL_META_BIT(FL_META_PATHWAY);
	if (user_data)
		m->has |= FL_META_BIT(FL_META_DISABLE_FORWARD);
	m->security_id = 1;
	m->reverse = fl_tuple_reverse(&forward);
	memcpy(m->uuid, s->uuid, sizeof(m->uuid));
	m->pathway = pathway_by(e, s->in.vector);
	if (s->flags & FL_SESSION_RESIGNAL) {
		m->has |= FL_META_BIT(FL_META_MODIFY);
		m->modify = (struct fl_meta_modify){ .seq = s->modify_seq & 0xfff, .done = true };
	}
	group = e->t->vectors[s->in.vector].group & (uint16_t)~FL_GROUP_PEER;
	if (group) {
		m->has |= FL_META_BIT(FL_META_VECTOR);
		m->vector = (struct fl_meta_vector){ group, e->steering[s->in.vector].heard };
	}
}

void fl_engine_meta_health(struct fl_engine *e, uint32_t id, struct fl_meta *ret_meta)
{
	const struct fl_session *s = fl_engine_session(e, id);

	*ret_meta = (struct fl_meta){
		.has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_HEALTH),
		.security_id = 1,
		.health = (s->health_tries & FL_HEALTH_TRIES_MASK) < FL_HEALTH_TRIES
				  ? FL_HEALTH_REQUEST
				  : FL_HEALTH_TIMEOUT,
	};
}

bool fl_engine_meta_due(struct fl_engine *e, uint32_t id, enum fl_direction dir,
			const struct fl_packet *packet, struct fl_meta *ret_meta)
{
	struct fl_flow *flow = fl_engine_flow(e, id, dir);
	struct fl_session *s = fl_engine_session(e, id);

	if (!(flow->state & FL_FLOW_TX_META))
		return false;
	if (s->flags & FL_SESSION_HEALTH &&
	    !(s->health_tries & FL_HEALTH_BACK) == (dir == FL_FORWARD)) {
		/* One packet asks; those behind it go as before. */
		s->flags &= (uint8_t)~FL_SESSION_HEALTH;
		flow->state &= (enum fl_flow_state) ~FL_FLOW_TX_META;
		fl_engine_meta_health(e, id, ret_meta);
	} else if (dir == FL_FORWARD) {
		fl_engine_meta_forward(e, id, ret_meta);
	} else {
		fl_engine_meta_reverse(e, id, packet->payload_len > 0, ret_meta);
	}
	return true;
}

void fl_engine_meta_by(struct fl_engine *e, struct fl_meta *meta, uint16_t path)
{
	if (fl_meta_has(meta, FL_META_PATHWAY))
		meta->pathway = pathway_of(e, path);
}
