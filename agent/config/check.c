// SPDX-License-Identifier: Apache-2.0
/* What must hold between values: see config_internal.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config/config_internal.h"

/* The same name twice in one list of structs whose first member is a name. */
static void unique(struct fl_cfg_load *load, const void *list, size_t count, size_t size,
		   const char *pointer)
{
	for (size_t i = 0; i < count; i++) {
		const char *a =
			*(const char *const *)(const void *)((const uint8_t *)list + i * size);

		for (size_t j = 0; j < i; j++) {
			const char *b = *(const char *const *)(const void *)((const uint8_t *)list +
									     j * size);

			if (strcmp(a, b))
				continue;
			fl_cfg_complain_at(load, false, a, "stands twice in this list",
					   "%s/%zu/name", pointer, i);
			break;
		}
	}
}

#define UNIQUE(load, list, count, pointer) unique(load, list, count, sizeof(*(list)), pointer)

static void check_names(struct fl_cfg_load *load, const struct fl_config *config)
{
	const struct fl_cfg_authority *a = &config->authority;
	const struct fl_cfg_router *r = &config->router;

	UNIQUE(load, a->security, a->n_security, "/authority/security");
	UNIQUE(load, a->tenant, a->n_tenant, "/authority/tenant");
	UNIQUE(load, a->service, a->n_service, "/authority/service");
	UNIQUE(load, a->service_policy, a->n_service_policy, "/authority/service-policy");
	UNIQUE(load, a->session_type, a->n_session_type, "/authority/session-type");
	UNIQUE(load, a->router, a->n_router, "/authority/router");
	UNIQUE(load, r->peer, r->n_peer, "/router/peer");
	UNIQUE(load, r->service_route, r->n_service_route, "/router/service-route");
	UNIQUE(load, r->device_interface, r->n_device_interface, "/router/device-interface");
}

/* --- security ----------------------------------------------------------------------------------
 */

static void check_key(struct fl_cfg_load *load, const struct fl_cfg_security *s, size_t i, size_t j)
{
	size_t want = s->encryption_cipher == FL_CFG_AES_CBC_256 ? 32 : 16;
	const struct fl_cfg_key *key = &s->key[j];

	if (s->hmac_mode != FL_CFG_HMAC_DISABLED && !key->hmac_key.bytes)
		fl_cfg_complain_at(load, false, NULL, "is missing, and hmac-mode is not disabled",
				   "/authority/security/%zu/key/%zu/hmac-key", i, j);
	if (s->encrypt && key->encryption_key.len != want)
		fl_cfg_complain_at(load, false, NULL,
				   want == 16 ? "aes-cbc-128 needs 32 hex digits here"
					      : "aes-cbc-256 needs 64 hex digits here",
				   "/authority/security/%zu/key/%zu/encryption-key", i, j);
	for (size_t k = 0; k < j; k++)
		if (s->key[k].security_id == key->security_id)
			fl_cfg_complain_at(load, false, NULL, "another key has this id, too",
					   "/authority/security/%zu/key/%zu/security-id", i, j);
}

static void check_security(struct fl_cfg_load *load, const struct fl_config *config)
{
	for (size_t i = 0; i < config->authority.n_security; i++) {
		const struct fl_cfg_security *s = &config->authority.security[i];

		if (s->n_key > FL_MAX_KEYS)
			fl_cfg_complain_at(load, false, NULL, "at most 8 keys are possible",
					   "/authority/security/%zu/key", i);
		if (!s->n_key && (s->encrypt || s->hmac_mode != FL_CFG_HMAC_DISABLED))
			fl_cfg_complain_at(load, false, NULL,
					   "there must be a key, unless encrypt is false and "
					   "hmac-mode is disabled",
					   "/authority/security/%zu/key", i);
		for (size_t j = 0; j < s->n_key; j++)
			check_key(load, s, i, j);
	}
}

/* --- services ----------------------------------------------------------------------------------
 */

static void check_transport(struct fl_cfg_load *load, const struct fl_cfg_transport *list,
			    size_t count, const char *pointer)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < list[i].n_port_range; j++)
			if (list[i].port_range[j].start_port > list[i].port_range[j].end_port)
				fl_cfg_complain_at(
					load, false, NULL, "must not be below start-port",
					"%s/transport/%zu/port-range/%zu/end-port", pointer, i, j);
		if (list[i].n_port_range && list[i].protocol != 6 && list[i].protocol != 17)
			fl_cfg_complain_at(load, false, NULL, "only tcp and udp have ports",
					   "%s/transport/%zu/port-range", pointer, i);
	}
}

static void check_services(struct fl_cfg_load *load, const struct fl_config *config)
{
	char pointer[64];

	for (size_t i = 0; i < config->authority.n_service; i++) {
		const struct fl_cfg_service *s = &config->authority.service[i];

		snprintf(pointer, sizeof(pointer), "/authority/service/%zu", i);
		check_transport(load, s->transport, s->n_transport, pointer);
		if (s->enabled && s->scope == FL_CFG_SCOPE_PRIVATE && !s->n_access_policy)
			fl_cfg_complain_at(load, true, s->name,
					   "nobody may reach it: it has no access-policy", "%s",
					   pointer);
	}
	for (size_t i = 0; i < config->authority.n_session_type; i++) {
		snprintf(pointer, sizeof(pointer), "/authority/session-type/%zu", i);
		check_transport(load, config->authority.session_type[i].transport,
				config->authority.session_type[i].n_transport, pointer);
	}
}

/* --- interfaces and paths ----------------------------------------------------------------------
 */

static void interface_pointer(const struct fl_config *config,
			      const struct fl_cfg_network_interface *n, char pointer[96])
{
	size_t at = (size_t)(n - config->router.device_interface[n->device].network_interface);

	snprintf(pointer, 96, "/router/device-interface/%d/network-interface/%zu", n->device, at);
}

static void check_adjacency(struct fl_cfg_load *load, const struct fl_config *config,
			    const struct fl_cfg_network_interface *n, size_t i, const char *pointer)
{
	const struct fl_cfg_adjacency *a = &n->adjacency[i];
	bool known = !config->authority.n_router;

	for (size_t k = 0; k < config->authority.n_router; k++)
		known |= !strcmp(config->authority.router[k].name, a->peer_name);
	if (!known)
		fl_cfg_complain_at(load, false, a->peer_name, "no such router in /authority/router",
				   "%s/adjacency/%zu/peer", pointer, i);
	if (!strcmp(a->peer_name, config->router.name))
		fl_cfg_complain_at(load, false, a->peer_name, "is this router itself",
				   "%s/adjacency/%zu/peer", pointer, i);
	if (a->local.family != a->ip_address.family)
		fl_cfg_complain_at(load, false, NULL, "must be of the family of ip-address",
				   "%s/adjacency/%zu/local-address", pointer, i);
	if (a->security == FL_CFG_NONE)
		fl_cfg_complain_at(load, false, NULL,
				   "is missing: name a security policy here or at the interface",
				   "%s/adjacency/%zu/inter-router-security", pointer, i);
	if (a->port_range && a->port_range->start_port > a->port_range->end_port)
		fl_cfg_complain_at(load, false, NULL, "must not be below start-port",
				   "%s/adjacency/%zu/port-range/end-port", pointer, i);
	for (size_t k = 0; k < config->n_path; k++) {
		const struct fl_cfg_adjacency *other = config->path[k];

		if (other == a)
			break;
		if (fl_addr_equal(&other->local, &a->local) &&
		    fl_addr_equal(&other->ip_address, &a->ip_address))
			fl_cfg_complain_at(load, false, NULL,
					   "another adjacency has this pair of addresses, too",
					   "%s/adjacency/%zu/ip-address", pointer, i);
	}
}

static void check_interface(struct fl_cfg_load *load, const struct fl_config *config,
			    const struct fl_cfg_network_interface *n)
{
	char pointer[96];

	interface_pointer(config, n, pointer);
	if (n->inner_vlan && !n->vlan)
		fl_cfg_complain_at(load, false, NULL, "needs a vlan, which is the outer tag",
				   "%s/inner-vlan", pointer);
	if (n->n_adjacency && n->type == FL_CFG_EXTERNAL)
		fl_cfg_complain_at(load, false, NULL,
				   "an external interface has no peers: its type must be fabric or "
				   "shared",
				   "%s/adjacency", pointer);
	if (n->n_adjacency && n->security == FL_CFG_NONE)
		fl_cfg_complain_at(load, false, NULL,
				   "is missing: what peers send here has to be proven",
				   "%s/inter-router-security", pointer);
	if (n->type == FL_CFG_EXTERNAL && n->tenant == FL_CFG_NONE && !n->n_neighborhood &&
	    !n->source_nat)
		fl_cfg_complain_at(load, true, n->name,
				   "hosts on it belong to no tenant: only public services are "
				   "open to them",
				   "%s", pointer);
	for (size_t i = 0; i < n->n_adjacency; i++)
		check_adjacency(load, config, n, i, pointer);
}

static void check_interfaces(struct fl_cfg_load *load, const struct fl_config *config)
{
	for (size_t i = 0; i < config->n_interface; i++) {
		const struct fl_cfg_network_interface *n = config->interface[i];
		char pointer[96];

		check_interface(load, config, n);
		interface_pointer(config, n, pointer);
		for (size_t j = 0; j < i; j++) {
			const struct fl_cfg_network_interface *o = config->interface[j];
			const struct fl_cfg_device_interface *d = config->router.device_interface;

			if (!strcmp(o->name, n->name))
				fl_cfg_complain_at(load, false, n->name,
						   "another network interface has this name, too",
						   "%s/name", pointer);
			if (!strcmp(d[o->device].ifname, d[n->device].ifname) &&
			    o->vlan == n->vlan && o->inner_vlan == n->inner_vlan)
				fl_cfg_complain_at(load, false, NULL,
						   "another network interface of this device has "
						   "these tags, too",
						   "%s/vlan", pointer);
		}
	}
	for (size_t i = 0; i < config->router.n_device_interface; i++)
		if (strlen(config->router.device_interface[i].ifname) > 15)
			fl_cfg_complain_at(load, false, config->router.device_interface[i].ifname,
					   "a device's name has at most 15 bytes",
					   "/router/device-interface/%zu/ifname", i);
}

/* --- routes ------------------------------------------------------------------------------------
 */

static void check_routes(struct fl_cfg_load *load, const struct fl_config *config)
{
	for (size_t i = 0; i < config->router.n_service_route; i++) {
		const struct fl_cfg_service_route *r = &config->router.service_route[i];
		int ways = !!r->peer_name + !!r->next_hop + r->use_learned_routes;
		bool known = false;

		if (ways != 1)
			fl_cfg_complain_at(load, false, r->name,
					   "must have exactly one of peer, next-hop, "
					   "use-learned-routes",
					   "/router/service-route/%zu", i);
		if (!r->peer_name)
			continue;
		for (size_t k = 0; k < config->router.n_peer; k++)
			known |= !strcmp(config->router.peer[k].name, r->peer_name);
		if (!known)
			fl_cfg_complain_at(load, false, r->peer_name,
					   "no adjacency leads to this router",
					   "/router/service-route/%zu/peer", i);
		if (r->nat_target.family)
			fl_cfg_complain_at(load, false, NULL,
					   "only with next-hop or use-learned-routes",
					   "/router/service-route/%zu/nat-target", i);
	}
}

void fl_cfg_check(struct fl_cfg_load *load, const struct fl_config *config)
{
	check_names(load, config);
	check_security(load, config);
	check_services(load, config);
	check_interfaces(load, config);
	check_routes(load, config);
}
