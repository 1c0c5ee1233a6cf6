// SPDX-License-Identifier: Apache-2.0
/* Matching of participants to clients and sessions: see correlate.h. Pure. */
#include "agent/insight/correlate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NO_SITE UINT32_MAX

/* Answers of one rule: it is good if there is exactly one. */
struct answer {
	unsigned int count; /* different ones; 2 stands for more */
	uint32_t site;
	struct fl_addr client;
	struct fl_mac mac;
	const char *hostname;
};

static int order_addr(const struct fl_addr *a, const struct fl_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, sizeof(a->b));
}

static int order_sessions(const void *a, const void *b)
{
	const struct fl_session_record *x = a, *y = b;
	int order = order_addr(&x->client, &y->client);

	if (order)
		return order;
	return x->start_s < y->start_s ? -1 : x->start_s > y->start_s;
}

void fl_sessions_sort(struct fl_session_record *sessions, size_t count)
{
	if (count)
		qsort(sessions, count, sizeof(*sessions), order_sessions);
}

/* First session of @client: those that follow are its other ones. */
static size_t first_session(const struct fl_network *net, const struct fl_addr *client)
{
	size_t low = 0, high = net->session_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (order_addr(&net->sessions[mid].client, client) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool in_prefixes(const struct fl_prefix *prefixes, unsigned int count,
			const struct fl_addr *addr)
{
	for (unsigned int i = 0; i < count; i++)
		if (fl_prefix_contains(&prefixes[i], addr))
			return true;
	return false;
}

static bool is_wan_of(const struct fl_site *site, const struct fl_addr *addr)
{
	for (unsigned int i = 0; i < site->wan_count; i++)
		if (fl_addr_equal(&site->wans[i], addr))
			return true;
	return false;
}

static bool in_lan_of(const struct fl_network *net, uint32_t site, const struct fl_addr *addr)
{
	return site < net->site_count &&
	       in_prefixes(net->sites[site].lans, net->sites[site].lan_count, addr);
}

bool fl_addr_is_usable(const struct fl_addr *addr)
{
	static const uint8_t zero[16], loopback6[16] = { [15] = 1 };

	if (addr->family == 4)
		return addr->b[0] != 0 && addr->b[0] != 127 && addr->b[0] < 224 &&
		       !(addr->b[0] == 169 && addr->b[1] == 254);
	if (addr->family != 6 || !memcmp(addr->b, zero, 16) || !memcmp(addr->b, loopback6, 16))
		return false;
	return addr->b[0] != 0xff && !(addr->b[0] == 0xfe && (addr->b[1] & 0xc0) == 0x80);
}

/* The one site that has @addr on an uplink. */
static uint32_t site_by_wan(const struct fl_network *net, const struct fl_addr *addr)
{
	uint32_t found = NO_SITE;

	if (!addr->family)
		return NO_SITE;
	for (uint32_t i = 0; i < net->site_count; i++) {
		if (!is_wan_of(&net->sites[i], addr))
			continue;
		if (found != NO_SITE)
			return NO_SITE;
		found = i;
	}
	return found;
}

static bool overlaps(int64_t from_a, int64_t to_a, int64_t from_b, int64_t to_b)
{
	int64_t end_a = to_a == FL_SESSION_OPEN_END ? to_a : to_a + FL_MATCH_SLACK_S;

	return from_a - FL_MATCH_SLACK_S <= to_b && end_a >= from_b;
}

/* Zoom media, by the router's own label or by the ports of zoom-api.md 10. */
static bool is_zoom(const struct fl_session_record *s)
{
	uint16_t port = s->remote_port;

	if (s->app != FL_SESSION_OTHER)
		return s->app == FL_SESSION_ZOOM;
	if (s->proto == 17)
		return (port >= 8801 && port <= 8810) || port == 3478 || port == 3479;
	return s->proto == 6 && (port == 443 || port == 8801 || port == 8802);
}

static bool same_mac(struct fl_mac a, struct fl_mac b)
{
	return fl_mac_is_known(a) && !memcmp(a.b, b.b, sizeof(a.b));
}

/* Host names, without case and without domain; "" equals nothing. */
static bool same_host(const char *a, const char *b)
{
	size_t len_a = strcspn(a, "."), len_b = strcspn(b, ".");

	return len_a && len_a == len_b && !strncasecmp(a, b, len_a);
}

/* Both are known, and they differ: another client had the address. */
static bool contradicts(const struct fl_session_record *s, const struct fl_join_ends *join)
{
	if (fl_mac_is_known(s->mac) && fl_mac_is_known(join->mac))
		return !same_mac(s->mac, join->mac) && !same_host(s->hostname, join->pc_name);
	return s->hostname[0] && join->pc_name[0] && !same_host(s->hostname, join->pc_name);
}

/* One client may have several addresses, of both families: then its MAC says that it is one. */
static void add_answer(struct answer *a, const struct answer *new)
{
	bool same = a->count && a->site == new->site &&
		    (fl_addr_equal(&a->client, &new->client) || same_mac(a->mac, new->mac));

	if (same)
		return;
	if (!a->count)
		*a = *new;
	else
		a->count = 2;
}

/* Ranges that several sites use: the public address says which of them is meant. */
static bool is_other_sites(const struct fl_network *net, uint32_t by_wan, uint32_t site,
			   const struct fl_addr *addr)
{
	return by_wan != NO_SITE && by_wan != site && in_lan_of(net, by_wan, addr);
}

enum session_kind {
	KIND_QSS,
	KIND_ZOOM,
	KIND_TUNNEL,
};

static bool has_qss_port(const struct fl_join_ends *join, uint16_t port)
{
	for (unsigned int i = 0; i < join->qss_port_count; i++)
		if (join->qss_ports[i] == port)
			return true;
	return false;
}

/* Is the public address one of our own? A hub's too: a branch may break out there. */
static bool leaves_from_us(const struct fl_network *net, const struct fl_session_record *s,
			   const struct fl_addr *public_addr)
{
	if (s && s->nat.family && fl_addr_equal(&s->nat, public_addr))
		return true;
	for (uint32_t i = 0; i < net->site_count; i++)
		if (is_wan_of(&net->sites[i], public_addr))
			return true;
	return false;
}

static bool session_fits(const struct fl_network *net, const struct fl_session_record *s,
			 const struct fl_join_ends *join, enum session_kind kind)
{
	if (!overlaps(s->start_s, s->end_s, join->join_s, join->leave_s) ||
	    !in_lan_of(net, s->site, &s->client))
		return false;
	switch (kind) {
	case KIND_QSS:
		return has_qss_port(join, s->client_port);
	case KIND_ZOOM:
		return is_zoom(s);
	case KIND_TUNNEL:
		return join->public_addr.family && !leaves_from_us(net, s, &join->public_addr) &&
		       !contradicts(s, join);
	}
	return false;
}

/* Rules 1 and 2, and the tunnelled form of 2: sessions of the internal addresses. */
static struct answer by_session(const struct fl_network *net, const struct fl_join_ends *join,
				enum session_kind kind)
{
	uint32_t by_wan = site_by_wan(net, &join->public_addr);
	struct answer found = { 0 };

	for (unsigned int i = 0; i < join->internal_count; i++) {
		const struct fl_addr *addr = &join->internal[i];

		if (!fl_addr_is_usable(addr) || (kind == KIND_QSS && i != join->qss_addr))
			continue;
		for (size_t n = first_session(net, addr);
		     n < net->session_count && !order_addr(&net->sessions[n].client, addr); n++) {
			const struct fl_session_record *s = &net->sessions[n];
			struct answer new = { 1, s->site, s->client, s->mac, s->hostname };

			if (session_fits(net, s, join, kind) &&
			    !is_other_sites(net, by_wan, s->site, addr))
				add_answer(&found, &new);
		}
	}
	return found;
}

/* Rules 3 and 4: neighbour tables, by MAC or by host name. */
static struct answer by_neighbour(const struct fl_network *net, const struct fl_join_ends *join,
				  bool by_name)
{
	struct answer found = { 0 };

	for (size_t i = 0; i < net->neighbour_count; i++) {
		const struct fl_neighbour_record *n = &net->neighbours[i];
		struct answer new = { 1, n->site, n->addr, n->mac, n->hostname };

		if (overlaps(n->from_s, n->to_s, join->join_s, join->leave_s) &&
		    (by_name ? same_host(n->hostname, join->pc_name) : same_mac(n->mac, join->mac)))
			add_answer(&found, &new);
	}
	return found;
}

/* Rule 5. */
static struct answer by_public_addr(const struct fl_network *net, const struct fl_join_ends *join)
{
	uint32_t site = site_by_wan(net, &join->public_addr);
	struct answer found = { 0 };

	for (unsigned int i = 0; site != NO_SITE && i < join->internal_count; i++) {
		struct answer new = { 1, site, join->internal[i], join->mac, join->pc_name };

		if (fl_addr_is_usable(&join->internal[i]) &&
		    in_lan_of(net, site, &join->internal[i]))
			add_answer(&found, &new);
	}
	return found;
}

/* The rules in their order; the first that gives exactly one answer decides. */
static enum fl_match_rule find_client(const struct fl_network *net, const struct fl_join_ends *join,
				      struct answer *found)
{
	*found = by_session(net, join, KIND_QSS);
	if (found->count == 1)
		return FL_MATCH_QSS_PORTS;
	*found = by_session(net, join, KIND_ZOOM);
	if (found->count == 1)
		return FL_MATCH_SESSION;
	*found = by_session(net, join, KIND_TUNNEL);
	if (found->count == 1)
		return FL_MATCH_VPN_SESSION;
	*found = by_neighbour(net, join, false);
	if (found->count == 1)
		return FL_MATCH_MAC;
	*found = by_neighbour(net, join, true);
	if (found->count == 1)
		return FL_MATCH_HOSTNAME;
	*found = by_public_addr(net, join);
	if (found->count == 1)
		return FL_MATCH_PUBLIC_ADDR;
	return FL_MATCH_OFF_NETWORK;
}

static bool has_address(const struct fl_join_ends *join)
{
	if (join->public_addr.family || fl_mac_is_known(join->mac) || join->pc_name[0])
		return true;
	for (unsigned int i = 0; i < join->internal_count; i++)
		if (fl_addr_is_usable(&join->internal[i]))
			return true;
	return false;
}

static bool through_tunnel(const struct fl_network *net, const struct fl_join_ends *join,
			   const struct fl_match *match)
{
	for (unsigned int i = 0; i < join->internal_count; i++) {
		const struct fl_addr *addr = &join->internal[i];

		if (match->site < net->site_count && !fl_addr_equal(addr, &match->client) &&
		    in_prefixes(net->sites[match->site].tunnel_pools,
				net->sites[match->site].tunnel_pool_count, addr))
			return true;
	}
	if (!join->public_addr.family)
		return false;
	for (unsigned int i = 0; i < match->session_count; i++)
		if (leaves_from_us(net, match->sessions[i], &join->public_addr))
			return false;
	return !leaves_from_us(net, NULL, &join->public_addr);
}

/* Keep the list ordered by bytes, most first; the smallest ones fall out at its end. */
static void add_session(struct fl_match *match, const struct fl_session_record *s)
{
	unsigned int at = match->session_count;

	while (at > 0 && match->sessions[at - 1]->bytes < s->bytes)
		at--;
	if (at == FL_MATCH_SESSIONS)
		return;
	if (match->session_count < FL_MATCH_SESSIONS)
		match->session_count++;
	for (unsigned int i = match->session_count - 1; i > at; i--)
		match->sessions[i] = match->sessions[i - 1];
	match->sessions[at] = s;
}

static void gather_of(const struct fl_network *net, const struct fl_join_ends *join,
		      const struct fl_addr *client, struct fl_match *match)
{
	bool zoom = match->rule != FL_MATCH_VPN_SESSION;

	for (size_t n = first_session(net, client);
	     n < net->session_count && !order_addr(&net->sessions[n].client, client); n++) {
		const struct fl_session_record *s = &net->sessions[n];

		if (s->site == match->site && is_zoom(s) == zoom &&
		    overlaps(s->start_s, s->end_s, join->join_s, join->leave_s))
			add_session(match, s);
	}
}

/* Sessions of the client at that time: those to Zoom, else those of the tunnel. */
static void gather_sessions(const struct fl_network *net, const struct fl_join_ends *join,
			    struct fl_match *match)
{
	gather_of(net, join, &match->client, match);
	/* Rules 1 and 2 give one client: its other addresses are its own too. */
	if (match->rule > FL_MATCH_VPN_SESSION)
		return;
	for (unsigned int i = 0; i < join->internal_count; i++)
		if (fl_addr_is_usable(&join->internal[i]) &&
		    !fl_addr_equal(&join->internal[i], &match->client))
			gather_of(net, join, &join->internal[i], match);
}

void fl_match(const struct fl_network *net, const struct fl_join_ends *join,
	      struct fl_match *ret_match)
{
	struct answer found;

	memset(ret_match, 0, sizeof(*ret_match));
	if (!has_address(join))
		return;
	ret_match->rule = find_client(net, join, &found);
	if (!fl_match_is_on_network(ret_match))
		return;
	ret_match->site = found.site;
	ret_match->client = found.client;
	ret_match->mac = fl_mac_is_known(found.mac) ? found.mac : join->mac;
	memcpy(ret_match->hostname, found.hostname[0] ? found.hostname : join->pc_name,
	       FL_HOSTNAME_LEN);
	gather_sessions(net, join, ret_match);
	ret_match->vpn = through_tunnel(net, join, ret_match);
}

const char *fl_match_rule_text(enum fl_match_rule rule)
{
	static const char *const text[] = {
		[FL_MATCH_NO_ADDRESS] = "no address",
		[FL_MATCH_OFF_NETWORK] = "off-network",
		[FL_MATCH_QSS_PORTS] = "qss_ports",
		[FL_MATCH_SESSION] = "private_ip+session",
		[FL_MATCH_VPN_SESSION] =
			"private_ip, vpn flag (public IP is not a site WAN address)",
		[FL_MATCH_MAC] = "mac",
		[FL_MATCH_HOSTNAME] = "pc_name",
		[FL_MATCH_PUBLIC_ADDR] = "public_ip+lan",
	};

	return text[rule];
}

/* --- paths ------------------------------------------------------------------------------------ */

/* Seconds that two spans share. */
static int64_t shared_s(int64_t from_a, int64_t to_a, int64_t from_b, int64_t to_b)
{
	int64_t from = from_a > from_b ? from_a : from_b, to = to_a < to_b ? to_a : to_b;

	return to > from ? to - from : 0;
}

/* The path on which a session was longest in [from, to); before its first step, the first. */
static uint32_t longest_path(const struct fl_session_record *s, int64_t from_s, int64_t to_s)
{
	uint32_t best = s->steps[0].path;
	int64_t best_s = -1;

	for (unsigned int i = 0; i < s->step_count; i++) {
		int64_t since = i ? s->steps[i].since_s : INT64_MIN;
		int64_t until = i + 1 < s->step_count ? s->steps[i + 1].since_s : INT64_MAX;
		int64_t here = shared_s(since, until, from_s, to_s);

		/* Of two equally long ones, the later. */
		if (here > 0 && here >= best_s) {
			best = s->steps[i].path;
			best_s = here;
		}
	}
	return best;
}

bool fl_match_path(const struct fl_match *match, int64_t minute, uint32_t *ret_path)
{
	const struct fl_session_record *chosen = NULL;
	int64_t from_s = minute * 60, to_s = from_s + 60;

	/* They are in order of bytes: the first of this minute is it. */
	for (unsigned int i = 0; i < match->session_count; i++) {
		const struct fl_session_record *s = match->sessions[i];

		if (!s->step_count)
			continue;
		if (shared_s(s->start_s, s->end_s, from_s, to_s) > 0) {
			chosen = s;
			break;
		}
		/* Clocks differ: one that ended or starts nearby will do. */
		if (!chosen && overlaps(s->start_s, s->end_s, from_s, to_s))
			chosen = s;
	}
	if (!chosen)
		return false;
	*ret_path = longest_path(chosen, from_s, to_s);
	return true;
}

uint64_t fl_match_bytes(const struct fl_match *match, int64_t join_s, int64_t leave_s)
{
	uint64_t sum = 0;

	if (match->rule == FL_MATCH_VPN_SESSION)
		return 0;
	for (unsigned int i = 0; i < match->session_count; i++) {
		const struct fl_session_record *s = match->sessions[i];
		int64_t in = shared_s(s->start_s, s->end_s, join_s, leave_s);
		int64_t whole = s->end_s == FL_SESSION_OPEN_END ? in : s->end_s - s->start_s;

		/* Set-up and end of a session lie outside the join, but belong to it (90 %:
		 * chosen). */
		if (whole <= 0 || in <= 0)
			continue;
		if (in * 10 >= whole * 9)
			sum += s->bytes;
		else
			sum += (uint64_t)((double)s->bytes * (double)in / (double)whole);
	}
	return sum;
}

const struct fl_path_minute *fl_path_minute_near(const struct fl_path_minute *rows, size_t count,
						 int64_t minute)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (rows[mid].minute < minute)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < count && rows[low].minute == minute)
		return &rows[low];
	if (low > 0 && rows[low - 1].minute == minute - 1)
		return &rows[low - 1];
	return low < count && rows[low].minute == minute + 1 ? &rows[low] : NULL;
}
