// SPDX-License-Identifier: Apache-2.0
/* What differs between two configurations. */
#include <stdlib.h>

#include "test/config/text.h"

/* All changes, a line each: pointer: old -> new, "!" if they need a new data plane. */
static const char *between(struct fl_config *from, struct fl_config *to)
{
	static char text[4096];
	struct fl_config_changes *changes = NULL;
	size_t len = 0;

	text[0] = 0;
	cr_assert_eq(fl_config_diff(from, to, &changes), 0);
	for (size_t i = 0; i < fl_config_changes_count(changes); i++) {
		const struct fl_config_change *c = fl_config_changes_get(changes, i);

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s: %s -> %s%s\n",
					c->pointer, c->old_value ? c->old_value : "-",
					c->new_value ? c->new_value : "-", c->restart ? " !" : "");
		cr_assert_lt(len, sizeof(text));
	}
	fl_config_changes_free(changes);
	return text;
}

/* From one pair of members of authority and router to another; nothing may differ with itself. */
static const char *diff(const char *authority_a, const char *router_a, const char *authority_b,
			const char *router_b)
{
	struct fl_config *a = make_config(authority_a, router_a);
	struct fl_config *b = make_config(authority_b, router_b);
	const char *text;

	cr_expect_str_eq(between(a, a), "");
	cr_expect_str_eq(between(b, b), "");
	text = between(a, b);
	fl_config_free(a);
	fl_config_free(b);
	return text;
}

Test(config_diff, unchanged)
{
	cr_expect_str_eq(diff("'tenant':[{'name':'t'}]", "'max-sessions':100",
			      "'tenant':[{'name':'t'}]", "'max-sessions':100"),
			 "");
}

Test(config_diff, changed)
{
	cr_expect_str_eq(diff("", "'max-sessions':100,'half-open-connection-limit':5", "",
			      "'half-open-connection-limit':6,'max-sessions':200"),
			 "/router/max-sessions: 100 -> 200 !\n"
			 "/router/half-open-connection-limit: 5 -> 6\n");
}

/* Twice missed by wireguard-tools: style.md 2.5. */
Test(config_diff, a_removed_key_is_its_default)
{
	static const char tenant[] = "'tenant':[{'name':'t'}]";

	cr_expect_str_eq(
		diff(tenant, "'first-packet-rate':{'burst':7},'local-tenant':'t'", tenant, ""),
		"/router/local-tenant: \"t\" -> -\n"
		"/router/first-packet-rate/burst: 7 -> 1000\n");
}

Test(config_diff, a_default_that_is_written_is_no_change)
{
	cr_expect_str_eq(diff("'service':[{'name':'s'}]", "",
			      "'session-recovery-detection':{'mode':'packet-based'},"
			      "'service':[{'name':'s','enabled':true,'scope':'private'}]",
			      "'max-sessions':262144,'first-packet-rate':{}"),
			 "");
}

Test(config_diff, entries_by_name)
{
	cr_expect_str_eq(
		diff("'tenant':[{'name':'a'},{'name':'b'},{'name':'c'}],'service':[{'name':'s'}]",
		     "",
		     "'tenant':[{'name':'d'},{'name':'c'},{'name':'a'}],"
		     "'service':[{'name':'s','enabled':false,'address':['10.0.0.0/8']}]",
		     ""),
		"/authority/tenant[b]: {\"name\":\"b\"} -> -\n"
		"/authority/tenant[d]: - -> {\"name\":\"d\"}\n"
		"/authority/service[s]/enabled: true -> false\n"
		"/authority/service[s]/address[]: - -> \"10.0.0.0/8\"\n");
}

Test(config_diff, order_where_it_means_nothing)
{
	cr_expect_str_eq(
		diff("'tenant':[{'name':'a'},{'name':'b'}],'service':[{'name':'s','scope':"
		     "'public','address':['10.0.0.0/8','::/0'],"
		     "'transport':[{'protocol':'tcp','port-range':[]},{'protocol':'udp'}]}]",
		     "",
		     "'tenant':[{'name':'b'},{'name':'a'}],'service':[{'address':['::/0',"
		     "'10.0.0.0/8'],'scope':'public','name':'s',"
		     "'transport':[{'protocol':'udp'},{'port-range':[],'protocol':'tcp'}]}]",
		     ""),
		"");
}

Test(config_diff, order_of_vectors)
{
	cr_expect_str_eq(
		diff("'service-policy':[{'name':'p','vector':[{'name':'a'},{'name':'b'}]}]", "",
		     "'service-policy':[{'name':'p','vector':[{'name':'b'},{'name':'a'}]}]", ""),
		"/authority/service-policy[p]/vector: [{\"name\":\"a\"},{\"name\":\"b\"}] -> "
		"[{\"name\":\"b\"},{\"name\":\"a\"}]\n");
}

/* Rules of one source are told apart by their places, not by their text. */
Test(config_diff, entries_that_nothing_tells_apart)
{
	static const char two[] =
		"'service':[{'name':'s','access-policy':[{'source':'@10.0.0.0/8'},"
		"{'source':'@10.0.0.0/8','permission':'deny'}],"
		"'address':['10.0.0.0/8','10.0.0.0/8']}]";
	static const char one[] =
		"'service':[{'name':'s','access-policy':[{'source':'@10.0.0.0/8'}],"
		"'address':['10.0.0.0/8']}]";

	cr_expect_str_eq(diff(two, "", two, ""), "");
	cr_expect_str_eq(diff(two, "", one, ""),
			 "/authority/service[s]/address[]: \"10.0.0.0/8\" -> -\n"
			 "/authority/service[s]/access-policy[@10.0.0.0/8]: "
			 "{\"source\":\"@10.0.0.0/8\",\"permission\":\"deny\"} -> -\n");
}

Test(config_diff, secrets)
{
	cr_expect_str_eq(
		diff("'security':[{'name':'s','encrypt':false,'key':[{'security-id':1,'hmac-key':'00000001'}]}]",
		     "",
		     "'security':[{'name':'s','encrypt':false,'key':[{'security-id':1,'hmac-key':'00000002'},"
		     "{'security-id':2,'hmac-key':'00000003'}]}]",
		     ""),
		"/authority/security[s]/key[1]/hmac-key: \"(secret)\" -> \"(secret)\"\n"
		"/authority/security[s]/key[2]: - -> {\"security-id\":2,\"hmac-key\":\"(secret)\"}\n");
}

Test(config_diff, what_may_be_left_out)
{
	static const char range[] =
		TEXT_WAN("{'ip-address':'198.51.100.2','peer':'r2','port-range':"
			 "{'start-port':2000,'end-port':3000}}");
	static const char other[] =
		TEXT_WAN("{'ip-address':'198.51.100.2','peer':'r2','port-range':"
			 "{'start-port':2000,'end-port':3001},'mtu':1400}");
	static const char none[] = TEXT_WAN("{'ip-address':'198.51.100.2','peer':'r2'}");
	static const char at[] = "/router/device-interface[wan1]/network-interface[wan1]/"
				 "adjacency[198.51.100.2]";
	char router[3][1024], wanted[512];

	snprintf(router[0], 1024, "'device-interface':[%s]", range);
	snprintf(router[1], 1024, "'device-interface':[%s]", other);
	snprintf(router[2], 1024, "'device-interface':[%s]", none);
	snprintf(wanted, sizeof(wanted),
		 "%s/port-range/end-port: 3000 -> 3001\n%s/mtu: - -> 1400\n", at, at);
	cr_expect_str_eq(diff(TEXT_SECURITY, router[0], TEXT_SECURITY, router[1]), wanted);
	snprintf(wanted, sizeof(wanted),
		 "%s/port-range: {\"start-port\":2000,\"end-port\":3000} -> -\n", at);
	cr_expect_str_eq(diff(TEXT_SECURITY, router[0], TEXT_SECURITY, router[2]), wanted);
	snprintf(wanted, sizeof(wanted),
		 "%s/port-range: - -> {\"start-port\":2000,\"end-port\":3000}\n", at);
	cr_expect_str_eq(diff(TEXT_SECURITY, router[2], TEXT_SECURITY, router[0]), wanted);
}

Test(config_diff, from_nothing)
{
	struct fl_config *c = make_config("'tenant':[{'name':'t'}]", "'max-sessions':100");

	cr_expect_str_eq(between(NULL, c), "/authority/name: - -> \"a\"\n"
					   "/authority/tenant[t]: - -> {\"name\":\"t\"}\n"
					   "/router/name: - -> \"r1\"\n"
					   "/router/max-sessions: 262144 -> 100 !\n");
	fl_config_free(c);
}

/* A list as long as one can be takes no longer than it has to. */
Test(config_diff, long_lists, .timeout = 20)
{
	size_t count = 4000, room = 64 * count, len[2] = { 0 };
	char *text[2] = { malloc(room), malloc(room) };
	struct fl_config *config[2];
	struct fl_config_changes *changes = NULL;

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < 2; k++)
			len[k] += (size_t)sprintf(text[k] + len[k], "%s{\"name\":\"t%zu\"}",
						  i ? "," : "", k ? count - i : i);
	for (size_t k = 0; k < 2; k++) {
		struct fl_config_errors *errors = NULL;
		char *whole;
		int n = asprintf(
			&whole,
			"{\"authority\":{\"name\":\"a\",\"tenant\":[%s]},\"router\":{\"name\":\"r\"}}",
			text[k]);

		config[k] = NULL;
		cr_assert_eq(fl_config_load(whole, (size_t)n, &config[k], &errors), 0);
		cr_expect_null(errors);
		free(whole);
		free(text[k]);
	}
	cr_assert_eq(fl_config_diff(config[0], config[1], &changes), 0);
	cr_expect_eq(fl_config_changes_count(changes), 2, "t0 is gone, t%zu is new", count);
	fl_config_changes_free(changes);
	fl_config_free(config[0]);
	fl_config_free(config[1]);
}
