// SPDX-License-Identifier: Apache-2.0
/* Services by prefix: see fib.h. */
#include "agent/session/fib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/hdr.h"

#include "agent/base/hash.h"

struct prefix_key {
	uint8_t addr[16];
	uint8_t family;
	uint8_t len;
};

/* Services of one prefix, in the order of the configuration. */
struct prefix_entry {
	struct prefix_key key;
	int *services;
	size_t count;
	UT_hash_handle hh;
};

struct fl_fib {
	const struct fl_config *config;
	struct prefix_entry *prefixes;
	/* Lengths that occur, longest first, by family (0: IPv4, 1: IPv6). */
	uint8_t lens[2][129];
	size_t n_lens[2];
	size_t count;
};

static struct prefix_key make_key(uint8_t family, const uint8_t *addr, uint8_t len)
{
	struct prefix_key key = { .family = family, .len = len };

	memcpy(key.addr, addr, len / 8);
	if (len % 8)
		key.addr[len / 8] = (uint8_t)(addr[len / 8] & (0xff00 >> len % 8));
	return key;
}

static int add_prefix(struct fl_fib *fib, const struct fl_prefix *prefix, int service)
{
	struct prefix_key key = make_key(prefix->addr.family, prefix->addr.b, prefix->len);
	struct prefix_entry *entry;
	int *grown;

	HASH_FIND(hh, fib->prefixes, &key, sizeof(key), entry);
	if (!entry) {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		entry->key = key;
		HASH_ADD(hh, fib->prefixes, key, sizeof(entry->key), entry);
	}
	grown = realloc(entry->services, (entry->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	entry->services = grown;
	entry->services[entry->count++] = service;
	fib->count++;
	return 0;
}

static void note_lens(struct fl_fib *fib)
{
	bool seen[2][129] = { { false } };
	struct prefix_entry *entry, *tmp;

	HASH_ITER(hh, fib->prefixes, entry, tmp)
		seen[entry->key.family == 6][entry->key.len] = true;
	for (int v6 = 0; v6 < 2; v6++)
		for (int len = 128; len >= 0; len--)
			if (seen[v6][len])
				fib->lens[v6][fib->n_lens[v6]++] = (uint8_t)len;
}

int fl_fib_new(const struct fl_config *config, struct fl_fib **ret_fib)
{
	struct fl_fib *fib = calloc(1, sizeof(*fib));
	int err = 0;

	if (!fib)
		return -ENOMEM;
	fib->config = config;
	for (size_t i = 0; i < config->authority.n_service && !err; i++) {
		const struct fl_cfg_service *service = &config->authority.service[i];

		if (!service->enabled)
			continue;
		for (size_t j = 0; j < service->n_address && !err; j++)
			err = add_prefix(fib, &service->address[j], (int)i);
	}
	if (err < 0) {
		fl_fib_free(fib);
		return err;
	}
	note_lens(fib);
	*ret_fib = fib;
	return 0;
}

void fl_fib_free(struct fl_fib *fib)
{
	struct prefix_entry *entry, *tmp;

	if (!fib)
		return;
	HASH_ITER(hh, fib->prefixes, entry, tmp) {
		HASH_DEL(fib->prefixes, entry);
		free(entry->services);
		free(entry);
	}
	free(fib);
}

size_t fl_fib_count(const struct fl_fib *fib)
{
	return fib->count;
}

/* --- tenants ---------------------------------------------------------------------------------- */

static bool in_neighborhood(const struct fl_cfg_network_interface *netif, const char *name)
{
	for (size_t i = 0; i < netif->n_neighborhood; i++)
		if (!strcmp(netif->neighborhood[i].name, name))
			return true;
	return false;
}

/* Length of the longest prefix of a tenant's members that holds @src, plus one; 0 for none. */
static unsigned int member_match(const struct fl_cfg_tenant *tenant,
				 const struct fl_cfg_network_interface *netif,
				 const struct fl_addr *src)
{
	unsigned int best = 0;

	for (size_t i = 0; i < tenant->n_member; i++) {
		const struct fl_cfg_member *member = &tenant->member[i];

		if (!in_neighborhood(netif, member->neighborhood))
			continue;
		for (size_t j = 0; j < member->n_address; j++)
			if (fl_prefix_contains(&member->address[j], src) &&
			    member->address[j].len + 1u > best)
				best = member->address[j].len + 1u;
	}
	return best;
}

int fl_fib_tenant(const struct fl_fib *fib, const struct fl_cfg_network_interface *netif,
		  const struct fl_addr *src)
{
	const struct fl_cfg_authority *authority = &fib->config->authority;
	unsigned int best = 0, match;
	int member = FL_CFG_NONE;

	for (size_t i = 0; i < authority->n_tenant; i++) {
		match = member_match(&authority->tenant[i], netif, src);
		if (match > best) {
			best = match;
			member = (int)i;
		}
	}
	if (netif->tenant == FL_CFG_NONE)
		return member;
	if (member != FL_CFG_NONE && fl_config_tenant_is_within(fib->config, member, netif->tenant))
		return member;
	return netif->tenant;
}

/* --- services --------------------------------------------------------------------------------- */

static bool protocol_match(uint8_t configured, const struct fl_tuple *tuple)
{
	if (configured == FL_IPPROTO_ICMP)
		return tuple->proto == FL_IPPROTO_ICMP || tuple->proto == FL_IPPROTO_ICMPV6;
	return configured == tuple->proto;
}

/* 1: any protocol; 2: this protocol, any port; more: the narrower the range. */
unsigned int fl_transport_match(const struct fl_cfg_transport *transport, size_t count,
				const struct fl_tuple *tuple)
{
	unsigned int best = 0;

	if (!count)
		return 1;
	for (size_t i = 0; i < count; i++) {
		if (!protocol_match(transport[i].protocol, tuple))
			continue;
		if (!transport[i].n_port_range && best < 2)
			best = 2;
		for (size_t j = 0; j < transport[i].n_port_range; j++) {
			const struct fl_cfg_port_range *range = &transport[i].port_range[j];
			unsigned int score = 3u + 65535u - (range->end_port - range->start_port);

			if (tuple->dport >= range->start_port && tuple->dport <= range->end_port &&
			    score > best)
				best = score;
		}
	}
	return best;
}

/* How many steps up from @tenant to @ancestor, plus one; 0 if it is none. */
static unsigned int distance(const struct fl_config *config, int tenant, int ancestor)
{
	unsigned int steps = 1;

	for (; tenant != FL_CFG_NONE; tenant = config->authority.tenant[tenant].parent, steps++)
		if (tenant == ancestor)
			return steps;
	return 0;
}

/*
 * The rule for this tenant and source: the one that names the nearest tenant, then the longest
 * prefix; of equals, denial.
 */
static const struct fl_cfg_access *find_rule(const struct fl_config *config,
					     const struct fl_cfg_service *service, int tenant,
					     const struct fl_addr *src)
{
	const struct fl_cfg_access *best = NULL;
	unsigned int best_score = 0;

	for (size_t i = 0; i < service->n_access_policy; i++) {
		const struct fl_cfg_access *rule = &service->access_policy[i];
		unsigned int steps = 0, score;

		if (rule->source.prefix.addr.family &&
		    !fl_prefix_contains(&rule->source.prefix, src))
			continue;
		if (rule->source.tenant != FL_CFG_NONE) {
			steps = distance(config, tenant, rule->source.tenant);
			if (!steps)
				continue;
		}
		/* Nearer tenants first: 255 levels are more than a dotted name of 255 bytes has. */
		score = (steps ? 256 - steps : 0) * 512;
		score += rule->source.prefix.addr.family ? rule->source.prefix.len + 1u : 0;
		score = score * 2 + (rule->permission == FL_CFG_DENY) + 1;
		if (score > best_score) {
			best_score = score;
			best = rule;
		}
	}
	return best;
}

enum fl_access fl_fib_access(const struct fl_fib *fib, int service, int tenant,
			     const struct fl_addr *src, const struct fl_cfg_access **ret_rule)
{
	const struct fl_cfg_service *s = &fib->config->authority.service[service];

	*ret_rule = find_rule(fib->config, s, tenant, src);
	if (*ret_rule)
		return (*ret_rule)->permission == FL_CFG_DENY ? FL_ACCESS_DENY : FL_ACCESS_ALLOW;
	return s->scope == FL_CFG_SCOPE_PUBLIC ? FL_ACCESS_ALLOW : FL_ACCESS_NONE;
}

/* The best service of one prefix that exists for the tenant. */
static bool lookup_prefix(const struct fl_fib *fib, const struct prefix_entry *entry, int tenant,
			  const struct fl_tuple *tuple, struct fl_fib_match *match)
{
	const struct fl_addr src = fl_addr_from(tuple->family, tuple->src);
	unsigned int best = 0;

	for (size_t i = 0; i < entry->count; i++) {
		const struct fl_cfg_service *service =
			&fib->config->authority.service[entry->services[i]];
		unsigned int score =
			fl_transport_match(service->transport, service->n_transport, tuple);
		const struct fl_cfg_access *rule;
		enum fl_access access;

		if (score <= best)
			continue;
		access = fl_fib_access(fib, entry->services[i], tenant, &src, &rule);
		if (access == FL_ACCESS_NONE && match->access != FL_ACCESS_NO_SERVICE)
			continue;
		*match = (struct fl_fib_match){
			.access = access,
			.service = entry->services[i],
			.prefix = { fl_addr_from(entry->key.family, entry->key.addr),
				    entry->key.len },
			.rule = rule,
		};
		if (access != FL_ACCESS_NONE)
			best = score;
	}
	return best != 0;
}

void fl_fib_lookup(const struct fl_fib *fib, int tenant, const struct fl_tuple *tuple,
		   struct fl_fib_match *ret_match)
{
	int v6 = tuple->family == 6;

	*ret_match = (struct fl_fib_match){ .service = FL_CFG_NONE };
	for (size_t i = 0; i < fib->n_lens[v6]; i++) {
		struct prefix_key key = make_key(tuple->family, tuple->dst, fib->lens[v6][i]);
		struct prefix_entry *entry;

		HASH_FIND(hh, fib->prefixes, &key, sizeof(key), entry);
		if (entry && lookup_prefix(fib, entry, tenant, tuple, ret_match))
			return;
	}
}

const struct fl_cfg_session_type *fl_fib_session_type(const struct fl_fib *fib, int service,
						      const struct fl_tuple *tuple)
{
	const struct fl_cfg_authority *authority = &fib->config->authority;
	const struct fl_cfg_session_type *best = NULL;
	unsigned int best_score = 1, score;

	if (authority->service[service].session_type != FL_CFG_NONE)
		return &authority->session_type[authority->service[service].session_type];
	for (size_t i = 0; i < authority->n_session_type; i++) {
		const struct fl_cfg_session_type *type = &authority->session_type[i];

		if (!type->n_transport)
			continue;
		score = fl_transport_match(type->transport, type->n_transport, tuple);
		if (score > best_score) {
			best_score = score;
			best = type;
		}
	}
	return best;
}
