/* SPDX-License-Identifier: Apache-2.0 */
/* Minutes of the QSS add-on: part of webhook.c. */
#ifndef FL_AGENT_ZOOM_WEBHOOK_QOS_H
#define FL_AGENT_ZOOM_WEBHOOK_QOS_H

#include "agent/zoom/sink.h"

struct fl_json;

/* "qos": [{date_time, type, details}] into minutes of @join; what makes no sense is passed over. */
void fl_zoom_hook_minutes(const struct fl_json *qos, struct fl_zoom_join *join);

#endif
