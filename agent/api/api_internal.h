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

/* show_fabric.c */
void fl_api_show_paths(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);
void fl_api_show_interfaces(struct fl_api *api, const struct fl_json *request,
			    struct fl_json *reply);

/* show_counters.c */
void fl_api_show_drops(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);
void fl_api_show_stats(struct fl_api *api, const struct fl_json *request, struct fl_json *reply);

/* Address and port of one end, as text members of @parent. */
void fl_api_add_addr(struct fl_json *parent, const char *key, uint8_t family, const uint8_t *bytes);

/* "0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0" */
void fl_api_uuid_text(const uint8_t uuid[16], char text[37]);
bool fl_api_uuid_parse(const char *text, uint8_t uuid[16]);

/* "tcp", "udp", "icmp", or the number. */
const char *fl_api_proto_text(uint8_t proto, char buf[8]);

#endif
