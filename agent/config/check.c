// SPDX-License-Identifier: Apache-2.0
/* What must hold between values, names and the authority: see config_internal.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config/config_internal.h"

struct name {
	const char *text;
	size_t place;
};

static int by_text(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	if (order)
		return order;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* A list of structs whose first member is what tells them apart, under @key in the file. */
struct named_list {
	const void *list;
	size_t count;
	size_t size;
	const char *key;
};

/* No name twice. */
static void unique(struct fl_cfg_load *load, struct named_list l, const char *pointer)
{
	struct name *names;

	if (l.count < 2)
		return;
	names = calloc(l.count, sizeof(*names));
	if (!names) {
		load->no_memory = true;
		return;
	}
	for (size_t i = 0; i < l.count; i++)
		names[i] = (struct name){
			.text = *(const char *const *)(const void *)((const uint8_t *)l.list +
								     i * l.size),
			.place = i,
		};
	qsort(names, l.count, sizeof(*names), by_text);
	for (size_t i = 1; i < l.count; i++)
		if (!strcmp(names[i].text, names[i - 1].text))
			fl_cfg_complain_at(load, false, names[i].text, "stands twice in this list",
					   "%s/%zu/%s", pointer, names[i].place, l.key);
	free(names);
}

#define NAMED(list, n, key)            ((struct named_list){ (list), (n), sizeof(*(list)), (key) })
#define UNIQUE(load, list, n, pointer) unique(load, NAMED(list, n, "name"), pointer)

static void check_names(struct fl_cfg_load *load, const struct fl_config *config)
{
	const struct fl_cfg_authority *a = &config->authority;
	const struct fl_cfg_router *r = &config->router;

	UNIQUE(load, a->security, a->n_security, "/authority/security");
	UNIQUE(load, a->performance_monitoring_profile, a->n_performance_monitoring_profile,
	       "/authority/performance-monitoring-profile");
	UNIQUE(load, a->tenant, a->n_tenant, "/authority/tenant");
	UNIQUE(load, a->service, a->n_service, "/authority/service");
	UNIQUE(load, a->service_policy, a->n_service_policy, "/authority/service-policy");
	UNIQUE(load, a->session_type, a->n_session_type, "/authority/session-type");
	UNIQUE(load, a->router, a->n_router, "/authority/router");
	UNIQUE(load, r->peer, r->n_peer, "/router/peer");
	UNIQUE(load, r->service_route_policy, r->n_service_route_policy,
	       "/router/service-route-policy");
	UNIQUE(load, r->service_route, r->n_service_route, "/router/service-route");
	UNIQUE(load, r->device_interface, r->n_device_interface, "/router/device-interface");
}

/* The same in lists of elements of lists. */
static void check_inner_names(struct fl_cfg_load *load, const struct fl_config *config)
{
	const struct fl_cfg_authority *a = &config->authority;
	char pointer[128];

	for (size_t i = 0; i < a->n_tenant; i++) {
		const struct fl_cfg_tenant *t = &a->tenant[i];

		snprintf(pointer, sizeof(pointer), "/authority/tenant/%zu/member", i);
		unique(load, NAMED(t->member, t->n_member, "neighborhood"), pointer);
	}
	for (size_t i = 0; i < a->n_service_policy; i++) {
		const struct fl_cfg_service_policy *p = &a->service_policy[i];

		snprintf(pointer, sizeof(pointer), "/authority/service-policy/%zu/vector", i);
		UNIQUE(load, p->vector, p->n_vector, pointer);
	}
	for (size_t i = 0; i < config->n_interface; i++) {
		const struct fl_cfg_network_interface *n = config->interface[i];
		char own[FL_CFG_INTERFACE_POINTER];

		fl_cfg_interface_pointer(config, n, own);
		snprintf(pointer, sizeof(pointer), "%s/neighborhood", own);
		UNIQUE(load, n->neighborhood, n->n_neighborhood, pointer);
	}
}

/* What the data plane has room for. */
static void check_limits(struct fl_cfg_load *load, const struct fl_config *config)
{
	const struct fl_cfg_authority *a = &config->authority;
	char problem[96];

	if (a->n_tenant + a->n_service + a->n_service_policy >= FL_MAX_NAMES) {
		snprintf(problem, sizeof(problem),
			 "at most %d tenants, services and service policies are possible together",
			 FL_MAX_NAMES - 1);
		fl_cfg_complain_at(load, false, NULL, problem, "/authority");
	}
	if (config->n_interface >= FL_MAX_IFACES) {
		snprintf(problem, sizeof(problem), "at most %d network interfaces are possible",
			 FL_MAX_IFACES - 1);
		fl_cfg_complain_at(load, false, NULL, problem, "/router/device-interface");
	}
	if (config->n_path > FL_MAX_ADJACENCIES) {
		snprintf(problem, sizeof(problem), "at most %d adjacencies are possible",
			 FL_MAX_ADJACENCIES);
		fl_cfg_complain_at(load, false, NULL, problem, "/router/device-interface");
	}
	if (config->router.n_peer >= FL_MAX_PEERS) {
		snprintf(problem, sizeof(problem), "at most %d peers are possible",
			 FL_MAX_PEERS - 1);
		fl_cfg_complain_at(load, false, NULL, problem, "/router/peer");
	}
}

/* --- tenants -----------------------------------------------------------------------------------
 */

static void check_tenants(struct fl_cfg_load *load, const struct fl_config *config)
{
	for (size_t i = 0; i < config->authority.n_tenant; i++)
		if (strchr(config->authority.tenant[i].name, '@'))
			fl_cfg_complain_at(load, false, config->authority.tenant[i].name,
					   "must not contain \"@\", which sources use",
					   "/authority/tenant/%zu/name", i);
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
		if (s->hmac_packets == FL_CFG_HMAC_ALL &&
		    (s->hmac_mode == FL_CFG_HMAC_DISABLED ||
		     (s->hmac_cipher != FL_CFG_HMAC_SHA256 &&
		      s->hmac_cipher != FL_CFG_HMAC_SHA256_128)))
			fl_cfg_complain_at(
				load, false, "all",
				"needs an hmac-mode that is not disabled, and hmac-cipher "
				"sha256 or sha256-128, which the data plane knows",
				"/authority/security/%zu/hmac-packets", i);
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

void fl_cfg_check(struct fl_cfg_load *load, const struct fl_config *config)
{
	check_names(load, config);
	check_inner_names(load, config);
	check_limits(load, config);
	check_security(load, config);
	check_tenants(load, config);
	check_services(load, config);
	fl_cfg_check_router(load, config);
}
