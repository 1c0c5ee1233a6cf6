// SPDX-License-Identifier: Apache-2.0
/* Configurations of the small world: see engine_world.h. */
#include <stdarg.h>
#include <string.h>

#include "test/unit/engine_world.h"

struct text {
	char s[16384];
	size_t len;
};

/* Append, with ' turned into ". */
static void __attribute__((format(printf, 2, 3))) put(struct text *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->s + t->len, sizeof(t->s) - t->len, fmt, args);
	va_end(args);
	MUST_BE(n >= 0 && t->len + (size_t)n < sizeof(t->s));
	for (int i = 0; i < n; i++, t->len++)
		if (t->s[t->len] == '\'')
			t->s[t->len] = '"';
}

static const char *or_nothing(const char *s)
{
	return s ? s : "";
}

static int count_of(const struct world_opts *opts)
{
	return opts->routers ? opts->routers : 2;
}

const char *world_waypoint(const struct world_opts *opts, int router, enum device dev)
{
	static const char *const names[2][2][2] = {
		{ { "198.51.100.1", "198.51.100.2" }, { "203.0.113.1", "203.0.113.2" } },
		{ { "2001:db8:f1::1", "2001:db8:f1::2" }, { "2001:db8:f2::1", "2001:db8:f2::2" } },
	};
	int wan = dev - DEV_WAN1, count = count_of(opts), first = count == 3 ? wan : 0;

	if (dev != DEV_WAN1 && dev != DEV_WAN2)
		return NULL;
	if (count == 1 || router < first || router > first + 1 || (opts->no_wan2 && wan))
		return NULL;
	return names[opts->path6][wan][router - first];
}

static const char *far_waypoint(const struct world_opts *opts, int router, enum device dev,
				int *ret_peer)
{
	for (int peer = router - 1; peer <= router + 1; peer += 2) {
		const char *far =
			peer < 0 || peer >= count_of(opts) ? NULL : world_waypoint(opts, peer, dev);

		if (!far)
			continue;
		*ret_peer = peer;
		return far;
	}
	return NULL;
}

bool world_far_end(const struct world *w, int router, enum device dev, int *ret_router,
		   enum device *ret_dev)
{
	*ret_dev = dev;
	return world_waypoint(&w->opts, router, dev) &&
	       far_waypoint(&w->opts, router, dev, ret_router);
}

#define KEY                                                                                        \
	"{'security-id':1,'hmac-key':"                                                             \
	"'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',"                      \
	"'encryption-key':'000102030405060708090a0b0c0d0e0f'}"

/*
 * The usual datagram goes to port 53, but is not meant to be forgotten as fast as DNS is, unless a
 * test has session types of its own.
 */
#define LONG_DNS                                                                                   \
	",'session-type':[{'name':'long-dns','timeout':180000,"                                    \
	"'transport':[{'protocol':'udp','port-range':[{'start-port':53}]}]}]"

static bool own_types(const struct world_opts *opts)
{
	return opts->authority && strstr(opts->authority, "'session-type':");
}

static void put_authority(struct text *t, const struct world_opts *opts)
{
	put(t, "'authority':{'name':'test','security':[{'name':'fabric','key':[%s]%s}],",
	    opts->key ? opts->key : KEY, or_nothing(opts->security));
	put(t,
	    "'tenant':[{'name':'staff'%s},{'name':'vip'}],"
	    "'service-policy':[{'name':'both','vector':[%s]%s}],",
	    or_nothing(opts->staff),
	    opts->vectors ? opts->vectors : "{'name':'wan1'},{'name':'wan2'}",
	    or_nothing(opts->policy));
	put(t, "'service':["
	       "{'name':'branch','address':['10.1.0.0/24','2001:db8:1::/64'],"
	       "'access-policy':[{'source':'staff'}],'service-policy':'both'},");
	put(t,
	    "{'name':'datacenter','enabled':%s,'address':['10.2.0.0/24','2001:db8:2::/64'],"
	    "'access-policy':[%s],'service-policy':'both'%s},",
	    opts->no_datacenter ? "false" : "true",
	    opts->access ? opts->access : "{'source':'staff'}", or_nothing(opts->datacenter));
	put(t,
	    "{'name':'internet','address':['192.0.2.0/24'],'access-policy':[{'source':'staff'}]"
	    "%s},",
	    or_nothing(opts->internet));
	put(t,
	    "{'name':'secret','address':['10.2.0.200/32'],"
	    "'access-policy':[{'source':'staff','permission':'deny'}]},"
	    "{'name':'nowhere','address':['10.3.0.0/24'],"
	    "'access-policy':[{'source':'staff'}]}]%s%s}",
	    own_types(opts) ? "" : LONG_DNS, or_nothing(opts->authority));
}

static void put_wan(struct text *t, const struct world_opts *opts, int router, enum device dev)
{
	const char *local = world_waypoint(opts, router, dev), *far;
	int peer = 0;

	if (!local)
		return;
	if (dev == DEV_WAN2 && opts->no_adjacency2) {
		put(t, ",{'name':'wan2','network-interface':[{'name':'wan2','type':'fabric',"
		       "'inter-router-security':'fabric'}]}");
		return;
	}
	far = far_waypoint(opts, router, dev, &peer);
	put(t,
	    ",{'name':'wan%d','network-interface':[{'name':'wan%d','type':'fabric',"
	    "'address':['%s'],'inter-router-security':'fabric',"
	    "'adjacency':[{'ip-address':'%s','peer':'r%d','vector':['wan%d']%s}]%s}]}",
	    dev - DEV_LAN, dev - DEV_LAN, local, far, peer + 1, dev - DEV_LAN,
	    or_nothing(dev == DEV_WAN2 && opts->adjacency2 ? opts->adjacency2 : opts->adjacency),
	    or_nothing(opts->wan));
}

static void put_routes(struct text *t, const struct world_opts *opts, int router)
{
	int last = count_of(opts) - 1;

	put(t, "'service-route':[");
	if (router < last && !opts->no_route)
		put(t, "{'name':'on','service-name':'datacenter','peer':'r%d'%s},", router + 2,
		    or_nothing(opts->on));
	if (router > 0)
		put(t, "{'name':'back','service-name':'branch','peer':'r%d'},", router);
	if (router == 0 || router == last)
		put(t, "{'name':'in','service-name':'%s',%s},", router ? "datacenter" : "branch",
		    opts->lan_route ? opts->lan_route : "'next-hop':{'interface':'lan0'}");
	put(t,
	    "{'name':'breakout','service-name':'internet','next-hop':{'interface':'inet'%s}}%s],",
	    or_nothing(opts->inet_hop), or_nothing(opts->routes));
}

const char *world_config_text(int router, const struct world_opts *opts)
{
	static struct text t;

	t.len = 0;
	put(&t, "{");
	put_authority(&t, opts);
	put(&t, ",'router':{'name':'r%d'%s,", router + 1, or_nothing(opts->router));
	put_routes(&t, opts, router);
	put(&t,
	    "'device-interface':[{'name':'lan0','network-interface':[{'name':'lan0',"
	    "'tenant':'staff'%s}]}",
	    or_nothing(opts->lan));
	if (!opts->no_wan1)
		put_wan(&t, opts, router, DEV_WAN1);
	put_wan(&t, opts, router, DEV_WAN2);
	put(&t,
	    ",{'name':'inet','network-interface':[{'name':'inet','source-nat':true%s}]},"
	    "{'name':'guest','network-interface':[{'name':'guest'%s}]}]}}",
	    or_nothing(opts->inet), or_nothing(opts->guest));
	return t.s;
}
