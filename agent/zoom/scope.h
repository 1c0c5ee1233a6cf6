/* SPDX-License-Identifier: Apache-2.0 */
/* Permissions of a token, classic or granular (zoom-api.md 2.3). Pure. */
#ifndef FL_AGENT_ZOOM_SCOPE_H
#define FL_AGENT_ZOOM_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

/* What is asked of the API. */
enum fl_zoom_call {
	FL_ZOOM_CALL_LIST, /* of meetings */
	FL_ZOOM_CALL_DETAIL,
	FL_ZOOM_CALL_PARTICIPANTS,
	FL_ZOOM_CALL_QOS,
	FL_ZOOM_CALL_FEEDBACK, /* satisfaction of one meeting */
	FL_ZOOM_CALL_USERS,
	FL_ZOOM_CALL_SUMMARY, /* of one meeting, by the QSS add-on */
	FL_ZOOM_CALLS,
};

/* @scope: as Zoom gave it, separated by blanks; "": not known, then everything may be tried. */
bool fl_zoom_scope_has(const char *scope, enum fl_zoom_call call);

/**
 * fl_zoom_scope_missing() - name what is missing
 *
 * "list meetings: dashboard_meetings:read:admin or ..."; "" if nothing is.
 * Return: how many calls are not allowed.
 */
unsigned int fl_zoom_scope_missing(const char *scope, char *buf, size_t size);

/* For messages: "list meetings". */
const char *fl_zoom_call_name(enum fl_zoom_call call);

#endif
