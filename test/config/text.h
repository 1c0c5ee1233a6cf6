/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations as texts in C: ' stands for ". */
#ifndef FL_TEST_CONFIG_TEXT_H
#define FL_TEST_CONFIG_TEXT_H

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/config/config.h"

/* Load what @fmt says. Return: as fl_config_load(). */
static inline int __attribute__((format(printf, 3, 4)))
try_config(struct fl_config **ret_config, struct fl_config_errors **ret_errors, const char *fmt,
	   ...)
{
	static char text[65536];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	cr_assert(len >= 0 && len < (int)sizeof(text));
	for (int i = 0; i < len; i++)
		if (text[i] == '\'')
			text[i] = '"';
	return fl_config_load(text, (size_t)len, ret_config, ret_errors);
}

/* A good one, of the members of its authority and of its router; warnings are not looked at. */
static inline struct fl_config *make_config(const char *authority, const char *router)
{
	struct fl_config_errors *errors = NULL;
	struct fl_config *config = NULL;
	char line[512] = "";
	int err;

	err = try_config(&config, &errors,
			 "{'authority':{'name':'a'%s%s},'router':{'name':'r1'%s%s}}",
			 *authority ? "," : "", authority, *router ? "," : "", router);
	if (err && fl_config_errors_count(errors))
		fl_config_error_text(fl_config_errors_get(errors, 0), line, sizeof(line));
	cr_assert_eq(err, 0, "%s", line);
	fl_config_errors_free(errors);
	return config;
}

/* Security, one WAN interface with one path to r2. */
#define TEXT_HMAC "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define TEXT_AES  "0f0e0d0c0b0a09080706050403020100"
#define TEXT_SECURITY                                                                              \
	"'security':[{'name':'fabric','key':[{'security-id':1,'hmac-key':'" TEXT_HMAC              \
	"','encryption-key':'" TEXT_AES "'}]}]"
#define TEXT_ADJACENCY "{'ip-address':'198.51.100.2','peer':'r2','vector':['wan1']}"
#define TEXT_WAN(adjacencies)                                                                      \
	"{'name':'wan1','network-interface':[{'name':'wan1','type':'fabric',"                      \
	"'address':['198.51.100.1','2001:db8:f::1','198.51.100.11'],"                              \
	"'inter-router-security':'fabric','adjacency':[" adjacencies "]}]}"
#define TEXT_LAN "{'name':'lan0','network-interface':[{'name':'lan0','tenant':'staff'}]}"

#endif
