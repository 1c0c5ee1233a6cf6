/* SPDX-License-Identifier: Apache-2.0 */
/* Request handlers by subject, and what they share. */
#ifndef FL_AGENT_API_API_INTERNAL_H
#define FL_AGENT_API_API_INTERNAL_H

#include "agent/api/api.h"

/* A handler adds "data" to @reply, or calls fl_ctl_error(). */
typedef void (*fl_api_fn)(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);

/* show_sessions.c */
void fl_api_show_sessions(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);
void fl_api_show_session(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);
void fl_api_clear_session(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);

/* show_paths.c */
void fl_api_show_paths(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);

/* Latency, jitter, loss and MOS as members of @parent, as far as they are known. */
void fl_api_add_quality(struct fl_json *parent, const struct fl_quality *quality,
			uint16_t mos_x100);

/* show_fabric.c */
void fl_api_show_interfaces(struct fl_api *api, const struct fl_json *request,
			    struct fl_json *reply);

void fl_api_show_peers(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);

/* show_fpm.c */
void fl_api_show_fpm(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);

/* show_services.c */
void fl_api_show_services(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);
void fl_api_show_fib(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);

/* show_choice.c */
void fl_api_show_load_balancer(struct fl_api *api, const struct fl_json *request,
			       struct fl_json *reply);
void fl_api_show_service_path(struct fl_api *api, const struct fl_json *request,
			      struct fl_json *reply);

/* history.c */
void fl_api_policy_test(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);
/* What a session's path was chosen by, and each move since, as members of @data. */
void fl_api_add_history(struct fl_api *api, struct fl_json *data, uint32_t id);
/* Quality that a path was judged by. */
void fl_api_add_judged(struct fl_json *o, const struct fl_sla_verdict *verdict);

/* explain.c */
void fl_api_explain(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);
void fl_api_explain_session(struct fl_api *api, const struct fl_json *request,
			    struct fl_json *reply);

/* config.c */
void fl_api_config_apply(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);
void fl_api_config_diff(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);
void fl_api_config_show(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);

/* show_counters.c */
void fl_api_show_drops(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);
void fl_api_show_stats(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);

/* Stable name of a reason, and what it means. */
const char *fl_api_drop_text(enum fl_drop_reason reason, const char **ret_meaning);

/* Address and port of one end, as text members of @parent. */
void fl_api_add_addr(struct fl_json *parent, const char *key, uint8_t family, const uint8_t *bytes);

void fl_api_add_mac(struct fl_json *parent, const char *key, const uint8_t mac[6]);

/* "0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0" */
void fl_api_uuid_text(const uint8_t uuid[16], char text[37]);
bool fl_api_uuid_parse(const char *text, uint8_t uuid[16]);

/* "tcp", "udp", "icmp", or the number. */
const char *fl_api_proto_text(uint8_t proto, char buf[8]);

/* The other way round; @family decides between ICMP and ICMPv6. Return: 0 or -EINVAL. */
int fl_api_proto_parse(const char *text, uint8_t family, uint8_t *ret_proto);

#endif
