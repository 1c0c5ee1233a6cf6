// SPDX-License-Identifier: Apache-2.0
/* A loaded configuration: defaults, names resolved, inheritance, findings, printing. What is
 * refused and with which words stands in test/config. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/codec/json.h"
#include "test/config/text.h"

#define NONE FL_CFG_NONE

/* --- defaults ----------------------------------------------------------------------------------
 */

Test(config, nothing_but_names)
{
	struct fl_config *c = make_config("", "");

	cr_expect_str_eq(c->authority.name, "a");
	cr_expect_str_eq(c->router.name, "r1");
	cr_expect_eq(c->authority.session_recovery_detection.mode, FL_CFG_RECOVERY_PACKET);
	cr_expect_eq(c->authority.session_recovery_detection.inactivity_timeout_s, 5);
	cr_expect_eq(c->router.max_sessions, 262144);
	cr_expect_eq(c->router.half_open_connection_limit, 0);
	cr_expect_eq(c->router.local_tenant, NONE);
	cr_expect_eq(c->router.first_packet_rate.per_source, 500);
	cr_expect_eq(c->router.first_packet_rate.burst, 1000);
	cr_expect_eq(c->n_interface + c->n_path + c->router.n_peer, 0);
	cr_expect_eq(c->authority.n_tenant + c->authority.n_service + c->authority.n_security, 0);
	fl_config_free(c);
}

Test(config, defaults_of_the_authority)
{
	struct fl_config *c = make_config(
		TEXT_SECURITY
		",'tenant':[{'name':'t'}],'session-type':[{'name':'x'}],"
		"'service':[{'name':'s','access-policy':[{'source':'t'}],"
		"'transport':[{'protocol':'tcp','port-range':[{'start-port':80}]},{'protocol':'icmp'}]}],"
		"'service-policy':[{'name':'p','vector':[{'name':'a'},{'name':'b'},{'name':'c'},"
		"{'name':'d','priority':7},{'name':'e','priority':'never'},{'name':'f','priority':'ordered'},"
		"{'name':'g'},{'name':'h'}]}]",
		"");
	static const uint32_t costs[] = { 1,      10,     100,   7, FL_CFG_PRIORITY_NEVER,
					  100000, 999999, 999999 };
	const struct fl_cfg_authority *a = &c->authority;

	cr_expect(a->security[0].encrypt);
	cr_expect_eq(a->security[0].encryption_cipher, FL_CFG_AES_CBC_128);
	cr_expect_eq(a->security[0].hmac_mode, FL_CFG_HMAC_TIME_BASED);
	cr_expect_eq(a->security[0].hmac_cipher, FL_CFG_HMAC_SHA256_128);
	cr_expect_eq(a->security[0].key[0].not_before_s, 0);
	cr_expect_eq(a->security[0].key[0].hmac_key.len, 32);
	cr_expect_eq(a->security[0].key[0].hmac_key.bytes[31], 0x1f);
	cr_expect_eq(a->security[0].key[0].encryption_key.len, 16);
	cr_expect_eq(a->security[0].key[0].encryption_key.bytes[0], 0x0f);
	cr_expect_eq(a->session_type[0].timeout_ms, 180000);
	cr_expect_eq(a->session_type[0].initial_timeout_ms, 10000);
	cr_expect_not(a->session_type[0].nat_keep_alive);
	cr_expect(a->service[0].enabled);
	cr_expect_eq(a->service[0].scope, FL_CFG_SCOPE_PRIVATE);
	cr_expect_eq(a->service[0].source_nat, FL_CFG_SERVICE_NAT_INTERFACE);
	cr_expect_eq(a->service[0].service_policy, NONE);
	cr_expect_eq(a->service[0].session_type, NONE);
	cr_expect_eq(a->service[0].access_policy[0].permission, FL_CFG_ALLOW);
	cr_expect_eq(a->service[0].transport[0].protocol, 6);
	cr_expect_eq(a->service[0].transport[0].port_range[0].end_port, 80);
	cr_expect_eq(a->service[0].transport[1].protocol, 1);
	cr_expect_eq(a->service[0].transport[1].n_port_range, 0);
	cr_expect_eq(a->service_policy[0].transport_state_enforcement, FL_TCP_ENFORCE_RESET);
	for (size_t i = 0; i < 8; i++)
		cr_expect_eq(a->service_policy[0].vector[i].cost, costs[i], "%zu", i);
	fl_config_free(c);
}

Test(config, defaults_of_interfaces_and_paths)
{
	struct fl_config *c = make_config(
		TEXT_SECURITY ",'tenant':[{'name':'staff'}]",
		"'device-interface':[" TEXT_LAN "," TEXT_WAN(
			TEXT_ADJACENCY
			",{'ip-address':'2001:db8:f::2','peer':'r3'},"
			"{'ip-address':'198.51.100.2','peer':'r2','local-address':'198.51.100.11'}") "]");
	const struct fl_cfg_network_interface *lan = c->interface[0], *wan = c->interface[1];
	const struct fl_cfg_adjacency *a = c->path[0];
	char text[FL_ADDR_TEXT];

	cr_expect_eq(c->n_interface, 2);
	cr_expect_eq(lan->device, 0);
	cr_expect_eq(wan->device, 1);
	cr_expect_str_eq(c->router.device_interface[0].ifname, "lan0");
	cr_expect_eq(c->router.device_interface[0].mode, FL_CFG_DEVICE_AUTO);
	cr_expect_not(c->router.device_interface[0].generic_xdp);
	cr_expect_eq(lan->type, FL_CFG_EXTERNAL);
	cr_expect_eq(lan->tenant, 0);
	cr_expect_eq(lan->security, NONE);
	cr_expect_eq(lan->enforced_mss, FL_CFG_MSS_AUTOMATIC);
	cr_expect_eq(lan->mtu_bytes + lan->vlan + lan->inner_vlan, 0);
	cr_expect_eq(lan->icmp, FL_CFG_ICMP_ALLOW);
	cr_expect_eq(lan->reverse_flow_enforcement, FL_CFG_REVERSE_FLOW_NONE);
	cr_expect_not(lan->source_nat);
	cr_expect_eq(wan->tenant, NONE);
	cr_expect_eq(wan->security, 0);
	cr_expect_eq(c->n_path, 3);
	cr_expect_eq(a->interface, 1);
	cr_expect_eq(a->security, 0, "the interface's");
	cr_expect_eq(a->cost, 0);
	cr_expect_eq(a->max_way_points, 50000);
	cr_expect_eq(a->mtu_bytes, 0);
	cr_expect_null(a->port_range);
	cr_expect_eq(a->nat_keep_alive.mode, FL_CFG_KEEP_ALIVE_AUTO);
	cr_expect_eq(a->nat_keep_alive.tcp_inactivity_timeout_s, 1800);
	cr_expect_eq(a->nat_keep_alive.udp_inactivity_timeout_s, 30);
	cr_expect_str_eq(a->vector[0], "wan1");
	cr_expect_str_eq(fl_addr_format(&a->local, text), "198.51.100.1");
	cr_expect_str_eq(fl_addr_format(&c->path[1]->local, text), "2001:db8:f::1");
	cr_expect_str_eq(fl_addr_format(&c->path[2]->local, text), "198.51.100.11");
	fl_config_free(c);
}

Test(config, peers_that_adjacencies_name)
{
	struct fl_config *c = make_config(
		TEXT_SECURITY,
		"'peer':[{'name':'r2','setup-rate':7}],'device-interface':[" TEXT_WAN(
			TEXT_ADJACENCY ",{'ip-address':'198.51.100.3','peer':'r3'},"
				       "{'ip-address':'2001:db8:f::3','peer':'r3'}") "]");

	cr_expect_eq(c->router.n_peer, 2);
	cr_expect_str_eq(c->router.peer[0].name, "r2");
	cr_expect_eq(c->router.peer[0].setup_rate, 7);
	cr_expect_eq(c->router.peer[0].burst, 4000);
	cr_expect_str_eq(c->router.peer[1].name, "r3");
	cr_expect_eq(c->router.peer[1].setup_rate, 2000);
	cr_expect_eq(c->router.peer[1].burst, 4000);
	fl_config_free(c);
}

/* --- names -------------------------------------------------------------------------------------
 */

Test(config, tenants_and_their_parents)
{
	/* Children before their parents; c.b.none has a parent name that nothing has. */
	struct fl_config *c = make_config("'tenant':[{'name':'x.a.b'},{'name':'a.b'},{'name':'b'},"
					  "{'name':'c.none'},{'name':'y.b'}]",
					  "'local-tenant':'a.b'");
	static const int parents[] = { 1, 2, NONE, NONE, 2 };

	for (size_t i = 0; i < 5; i++)
		cr_expect_eq(c->authority.tenant[i].parent, parents[i], "%zu", i);
	cr_expect(fl_config_tenant_is_within(c, 0, 2));
	cr_expect(fl_config_tenant_is_within(c, 2, 2));
	cr_expect_not(fl_config_tenant_is_within(c, 2, 0));
	cr_expect_not(fl_config_tenant_is_within(c, 4, 1));
	cr_expect_not(fl_config_tenant_is_within(c, NONE, 2));
	cr_expect_eq(c->router.local_tenant, 1);
	cr_expect_eq(fl_config_find(c, FL_CFG_REF_TENANT, "b"), 2);
	cr_expect_eq(fl_config_find(c, FL_CFG_REF_TENANT, "B"), NONE);
	cr_expect_eq(fl_config_find(c, FL_CFG_REF_SERVICE, "b"), NONE);
	fl_config_free(c);
}

Test(config, services_inherit)
{
	/* The grandchild stands first. */
	struct fl_config *c = make_config(
		"'tenant':[{'name':'t'},{'name':'u'}],"
		"'service-policy':[{'name':'p'},{'name':'q'}],'session-type':[{'name':'x'}],"
		"'service':["
		"{'name':'z.y.w','access-policy':[{'source':'@10.0.0.0/8','permission':'deny'}]},"
		"{'name':'y.w','service-policy':'q','access-policy':[{'source':'u@2001:db8::/32'}],"
		"'transport':[{'protocol':'udp'}]},"
		"{'name':'w','service-policy':'p','session-type':'x','access-policy':[{'source':'t'}],"
		"'transport':[{'protocol':'tcp','port-range':[{'start-port':1,'end-port':9}]}]},"
		"{'name':'v.w','scope':'public'}]",
		"");
	const struct fl_cfg_service *z = &c->authority.service[0], *y = z + 1, *w = z + 2,
				    *v = z + 3;
	char text[FL_PREFIX_TEXT];

	cr_expect_eq(z->parent, 1);
	cr_expect_eq(y->parent, 2);
	cr_expect_eq(w->parent, NONE);
	/* Added to, nearest first. */
	cr_assert_eq(z->n_access_policy, 3);
	cr_expect_eq(z->access_policy[0].source.tenant, NONE);
	cr_expect_eq(z->access_policy[0].permission, FL_CFG_DENY);
	cr_expect_str_eq(fl_prefix_format(&z->access_policy[0].source.prefix, text), "10.0.0.0/8");
	cr_expect_eq(z->access_policy[1].source.tenant, 1);
	cr_expect_str_eq(fl_prefix_format(&z->access_policy[1].source.prefix, text),
			 "2001:db8::/32");
	cr_expect_eq(z->access_policy[2].source.tenant, 0);
	cr_expect_eq(z->access_policy[2].source.prefix.addr.family, 0);
	cr_expect_eq(w->n_access_policy, 1);
	/* Taken over where there is nothing of one's own. */
	cr_expect_eq(z->n_transport, 1);
	cr_expect_eq(z->transport[0].protocol, 17);
	cr_expect_eq(v->transport[0].protocol, 6);
	cr_expect_eq(v->transport[0].port_range[0].end_port, 9);
	cr_expect_neq(v->transport[0].port_range, w->transport[0].port_range);
	cr_expect_eq(z->service_policy, 1);
	cr_expect_eq(v->service_policy, 0);
	cr_expect_eq(z->session_type, 0);
	/* Not these. */
	cr_expect_eq(y->scope, FL_CFG_SCOPE_PRIVATE);
	cr_expect_eq(v->scope, FL_CFG_SCOPE_PUBLIC);
	fl_config_free(c);
}

Test(config, routes)
{
	struct fl_config *c = make_config(
		TEXT_SECURITY
		",'tenant':[{'name':'staff'}],'service':[{'name':'s','scope':'public'}]",
		"'service-route':[{'name':'a','service-name':'s','peer':'r2','cost':3},"
		"{'name':'b','service-name':'s','next-hop':{'interface':'wan1','gateway-ip':'198.51.100.9'}},"
		"{'name':'c','service-name':'s','use-learned-routes':true,'nat-target':'10.0.0.1'}],"
		"'device-interface':[" TEXT_LAN "," TEXT_WAN(TEXT_ADJACENCY) "]");
	const struct fl_cfg_service_route *r = c->router.service_route;
	char text[FL_ADDR_TEXT];

	cr_expect_eq(r[0].type, FL_CFG_ROUTE_PEER);
	cr_expect_eq(r[0].cost, 3);
	cr_expect_null(r[0].next_hop);
	cr_expect_eq(r[1].type, FL_CFG_ROUTE_NEXT_HOP);
	cr_expect_eq(r[1].next_hop->interface, 1);
	cr_expect_str_eq(fl_addr_format(&r[1].next_hop->gateway, text), "198.51.100.9");
	cr_expect_eq(r[1].next_hop->target.family, 0);
	cr_expect_eq(r[2].type, FL_CFG_ROUTE_KERNEL);
	cr_expect_eq(r[2].service, 0);
	cr_expect_str_eq(fl_addr_format(&r[2].nat_target, text), "10.0.0.1");
	cr_expect_eq(fl_config_find(c, FL_CFG_REF_INTERFACE, "wan1"), 1);
	fl_config_free(c);
}

Test(config, times)
{
	static const struct {
		const char *text;
		long long s; /* -1: refused */
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-12-01T00:00:00Z", 1796083200 },
		{ "2026-12-01T02:30:00+02:30", 1796083200 },
		{ "2026-11-30T23:00:00-01:00", 1796083200 },
		{ "2024-02-29T23:59:59Z", 1709251199 },
		{ "2106-02-07T06:28:16Z", 1ll << 32 },
		{ "2023-02-29T00:00:00Z", -1 },
		{ "2026-04-31T00:00:00Z", -1 },
		{ "2026-00-01T00:00:00Z", -1 },
		{ "2026-12-00T00:00:00Z", -1 },
		{ "2026-12-01T24:00:00Z", -1 },
		{ "2026-12-01T00:60:00Z", -1 },
		{ "2026-12-01T00:00:60Z", -1 },
		{ "2026-12-01t00:00:00z", -1 },
		{ "2026-12-01 00:00:00Z", -1 },
		{ "2026-12-01T00:00:00", -1 },
		{ "2026-12-01T00:00:00Zx", -1 },
		{ "2026-12-01T00:00:00.5Z", -1 },
		{ "2026-12-01T00:00:00+24:00", -1 },
		{ "2026-12-01T00:00:00+0100", -1 },
		{ "+026-12-01T00:00:00Z", -1 },
		{ "1969-12-31T23:59:59Z", -1 },
		{ "", -1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fl_config_errors *errors;
		struct fl_config *c = NULL;
		int err = try_config(
			&c, &errors,
			"{'authority':{'name':'a','security':[{'name':'s','encrypt':false,"
			"'key':[{'security-id':1,'hmac-key':'00000000','not-before':'%s'}]}]},"
			"'router':{'name':'r'}}",
			rows[i].text);

		cr_expect_eq(err, rows[i].s < 0 ? -EINVAL : 0, "%s", rows[i].text);
		if (c)
			cr_expect_eq(c->authority.security[0].key[0].not_before_s, rows[i].s, "%s",
				     rows[i].text);
		fl_config_errors_free(errors);
		fl_config_free(c);
	}
}

/* --- findings ----------------------------------------------------------------------------------
 */

Test(config, a_finding_is_one_line_whatever_a_key_says)
{
	struct fl_config_errors *errors = NULL;
	struct fl_config *c = NULL;
	char line[256], small[8];

	cr_assert_eq(try_config(&c, &errors, "{'a\\n\\u001b[2J':1}"), -EINVAL);
	cr_assert_null(c);
	cr_assert_eq(fl_config_errors_count(errors), 3);
	fl_config_error_text(fl_config_errors_get(errors, 2), line, sizeof(line));
	cr_expect_str_eq(line, "/a??[2J: 1: unknown key");
	fl_config_error_text(fl_config_errors_get(errors, 2), small, sizeof(small));
	cr_expect_str_eq(small, "/a??[2J");
	fl_config_errors_free(errors);
}

Test(config, warnings_do_not_refuse)
{
	struct fl_config_errors *errors = NULL;
	struct fl_config *c = NULL;
	char line[256];

	cr_assert_eq(try_config(&c, &errors,
				"{'authority':{'name':'a','service':[{'name':'s'}]},"
				"'router':{'name':'r'}}"),
		     0);
	cr_assert_not_null(c);
	cr_assert_eq(fl_config_errors_count(errors), 1);
	cr_expect(fl_config_errors_get(errors, 0)->warning);
	fl_config_error_text(fl_config_errors_get(errors, 0), line, sizeof(line));
	cr_expect_str_eq(line,
			 "warning: /authority/service/0: \"s\": nobody may reach it: it has no "
			 "access-policy");
	fl_config_errors_free(errors);
	fl_config_free(c);
	cr_expect_eq(fl_config_errors_count(NULL), 0);
	fl_config_errors_free(NULL);
	fl_config_free(NULL);
}

Test(config, findings_have_an_end)
{
	static char text[60000];
	struct fl_config_errors *errors = NULL;
	struct fl_config *c = NULL;
	const struct fl_config_error *last;
	size_t len = (size_t)sprintf(text, "{\"authority\":{\"name\":\"a\",\"tenant\":[1");

	for (int i = 0; i < 5000; i++)
		len += (size_t)sprintf(text + len, ",%d", i);
	len += (size_t)sprintf(text + len, "]},\"router\":{\"name\":\"r\"}}");
	cr_assert_eq(fl_config_load(text, len, &c, &errors), -EINVAL);
	cr_assert_eq(fl_config_errors_count(errors), 1001);
	last = fl_config_errors_get(errors, 1000);
	cr_expect_str_eq(last->problem, "there are more findings than these");
	fl_config_errors_free(errors);
}

/* --- files -------------------------------------------------------------------------------------
 */

Test(config, files)
{
	char path[] = "/tmp/fairlead-config-XXXXXX";
	static const char text[] = "{\"authority\":{\"name\":\"a\"},\"router\":{\"name\":\"r\"}}";
	struct fl_config_errors *errors = NULL;
	struct fl_config *c = NULL;
	int fd = mkstemp(path);

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	cr_expect_eq(fl_config_load_file(path, &c, &errors), 0);
	cr_expect_null(errors);
	fl_config_free(c);
	c = NULL;
	cr_assert_eq(ftruncate(fd, 0), 0);
	cr_expect_eq(fl_config_load_file(path, &c, &errors), -EINVAL);
	cr_expect_eq(fl_config_errors_count(errors), 1);
	fl_config_errors_free(errors);
	cr_assert_eq(ftruncate(fd, (8 << 20) + 1), 0);
	cr_expect_eq(fl_config_load_file(path, &c, &errors), -EFBIG);
	unlink(path);
	close(fd);
	cr_expect_eq(fl_config_load_file(path, &c, &errors), -ENOENT);
	cr_expect_eq(fl_config_load_file("/tmp", &c, &errors), -EISDIR);
	cr_expect_null(c);
	cr_expect_null(errors);
}

/* --- printing ----------------------------------------------------------------------------------
 */

#define FULL_AUTHORITY                                                                             \
	TEXT_SECURITY ",'tenant':[{'name':'staff','member':[{'neighborhood':'n','address':"        \
		      "['10.0.0.0/8']}]}],'service':[{'name':'s','access-policy':"                 \
		      "[{'source':'staff'}]}],'service-policy':[{'name':'p','vector':"             \
		      "[{'name':'wan1'}]}],'session-type':[{'name':'x'}]"
#define FULL_ROUTER                                                                                \
	"'service-route':[{'name':'a','service-name':'s','next-hop':{'interface':'lan0'}}],"       \
	"'device-interface':[" TEXT_LAN "," TEXT_WAN(TEXT_ADJACENCY) "]"

Test(config, printed_as_it_is_without_secrets)
{
	struct fl_config *c =
		make_config("'security':[{'key':[{'security-id':1,'hmac-key':'0123abCD'}],"
			    "'encrypt':false,'name':'s'}]",
			    "");
	char *text = fl_config_print(c, FL_CONFIG_AS_IS);

	/* In the order of the table. */
	cr_expect_str_eq(text, "{\n"
			       "  \"authority\": {\n"
			       "    \"name\": \"a\",\n"
			       "    \"security\": [\n"
			       "      {\n"
			       "        \"name\": \"s\",\n"
			       "        \"encrypt\": false,\n"
			       "        \"key\": [\n"
			       "          {\n"
			       "            \"security-id\": 1,\n"
			       "            \"hmac-key\": \"(secret)\"\n"
			       "          }\n"
			       "        ]\n"
			       "      }\n"
			       "    ]\n"
			       "  },\n"
			       "  \"router\": {\n"
			       "    \"name\": \"r1\"\n"
			       "  }\n"
			       "}\n");
	free(text);
	fl_config_free(c);
}

/* @text with each "(secret)" as a key that is long enough. */
static char *fill_secrets(const char *text)
{
	static const char mark[] = "(secret)";
	char *filled = calloc(1, 8 * strlen(text) + 1), *at = filled;

	while (*text) {
		if (strncmp(text, mark, sizeof(mark) - 1)) {
			*at++ = *text++;
			continue;
		}
		text += sizeof(mark) - 1;
		at = stpcpy(at, TEXT_AES);
	}
	return filled;
}

/* What is printed says the same, secrets aside; printed again, it is the same text. */
Test(config, what_is_printed_can_be_read)
{
	struct fl_config *c = make_config(FULL_AUTHORITY, FULL_ROUTER);

	for (int what = FL_CONFIG_AS_IS; what <= FL_CONFIG_DEFAULTS; what++) {
		char *printed = fl_config_print(c, what), *text = fill_secrets(printed), *again;
		struct fl_config_errors *errors = NULL;
		struct fl_config_changes *changes = NULL;
		struct fl_config *back = NULL;

		cr_assert_eq(fl_config_load(text, strlen(text), &back, &errors), 0, "%s", printed);
		cr_expect_null(errors);
		again = fl_config_print(back, what);
		cr_expect_str_eq(again, printed);
		cr_assert_eq(fl_config_diff(c, back, &changes), 0);
		/* Both keys are the encryption key now. */
		for (size_t i = 0; i < fl_config_changes_count(changes); i++)
			cr_expect_not_null(
				strstr(fl_config_changes_get(changes, i)->pointer, "-key"));
		cr_expect_eq(fl_config_changes_count(changes), 1);
		fl_config_changes_free(changes);
		fl_config_free(back);
		free(printed);
		free(again);
		free(text);
	}
	fl_config_free(c);
}

Test(config, defaults_are_printed)
{
	static const char *const lines[] = {
		"\"max-sessions\": 262144",        "\"permission\": \"allow\"",
		"\"hmac-mode\": \"time-based\"",   "\"encrypt\": true",
		"\"enforced-mss\": \"automatic\"", "\"udp-inactivity-timeout\": 30",
		"\"priority\": \"ordered\"",       "\"use-learned-routes\": false",
		"\"inactivity-timeout\": 5",       "\"per-source\": 500",
	};
	struct fl_config *c = make_config(FULL_AUTHORITY, FULL_ROUTER);
	char *printed = fl_config_print(c, FL_CONFIG_DEFAULTS);

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cr_expect_not_null(strstr(printed, lines[i]), "%s", lines[i]);
	cr_expect_null(strstr(printed, TEXT_AES));
	cr_expect_null(strstr(printed, TEXT_HMAC));
	free(printed);
	fl_config_free(c);
}

Test(config, schema_is_json_with_every_default)
{
	char *text = fl_config_schema();
	struct fl_json_error why;
	struct fl_json *schema = NULL, *at;
	uint64_t value = 0;

	cr_assert_not_null(text);
	cr_assert_eq(fl_json_parse(text, strlen(text), &schema, &why), 0);
	at = fl_json_member(fl_json_member(schema, "properties"), "router");
	at = fl_json_member(fl_json_member(at, "properties"), "max-sessions");
	cr_expect_not_null(fl_json_get_string(fl_json_member(at, "description")));
	cr_expect_eq(fl_json_get_u64(fl_json_member(at, "default"), &value), 0);
	cr_expect_eq(value, 262144);
	cr_expect_eq(fl_json_get_u64(fl_json_member(at, "minimum"), &value), 0);
	cr_expect_eq(value, 16);
	fl_json_free(schema);
	free(text);
}
