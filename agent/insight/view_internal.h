/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the views share. */
#ifndef FL_AGENT_INSIGHT_VIEW_INTERNAL_H
#define FL_AGENT_INSIGHT_VIEW_INTERNAL_H

#include "agent/codec/json.h"
#include "agent/insight/view.h"

/* Two digits behind the point; null for NAN. */
void view_add_figure(struct fl_json *to, const char *key, double value);
void view_add_mac(struct fl_json *to, const char *key, const struct fl_mac *mac);
void view_add_addr(struct fl_json *to, const char *key, const struct fl_addr *addr);
/* "site" and "site_name". */
int view_add_site(const struct fl_view *view, uint32_t site, struct fl_json *to);

/* "latency.audio_in", "cpu" */
const char *view_series_key(unsigned int series, char buf[32]);

/* -EINVAL unless the time is one, and no longer than @max_s (0: any). */
int view_check_span(struct fl_view_span span, int64_t max_s);

/* -ENOENT if there is no such site. */
int view_site_name(const struct fl_view *view, uint32_t site, char name[FL_SITE_NAME_LEN]);

/* "" if the store does not know it. */
int view_path_name(const struct fl_view *view, uint32_t site, uint32_t path,
		   char name[FL_SITE_NAME_LEN]);

/* The members of a call that a list shows. */
int view_add_call(const struct fl_view *view, const struct fl_call *call, struct fl_json *to);

/* Digits and nothing else. */
bool view_parse_number(const char *text, uint64_t *ret_number);

#endif
