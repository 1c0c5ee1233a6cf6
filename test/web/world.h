/* SPDX-License-Identifier: Apache-2.0 */
/* A week of calls at two sites, and a third without any: what the web page is looked at with. */
#ifndef FL_TEST_WEB_WORLD_H
#define FL_TEST_WEB_WORLD_H

#include "agent/insight/view.h"

#define WORLD_SITES        3
#define WORLD_HOSTILE_NAME "<img src=x onerror=alert(1)>"

extern const struct fl_view_site world_sites[WORLD_SITES];

/* Everything up to @now_s, the same each time; ends the program on any error. */
void world_fill(struct fl_store *store, int64_t now_s);

#endif
