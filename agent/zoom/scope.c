// SPDX-License-Identifier: Apache-2.0
/* Permissions of a token: see scope.h. */
#include "agent/zoom/scope.h"

#include <stdio.h>
#include <string.h>

#define CLASSIC "dashboard_meetings:read:admin"

static const struct {
	const char *name;
	const char *scopes[4]; /* any of them: classic, granular, wide */
} calls[FL_ZOOM_CALLS] = {
	{ "list meetings",
	  { CLASSIC, "dashboard:read:list_meetings:admin", "dashboard:read:admin" } },
	{ "meeting detail", { CLASSIC, "dashboard:read:meeting:admin", "dashboard:read:admin" } },
	{ "list participants",
	  { CLASSIC, "dashboard:read:list_meeting_participants:admin", "dashboard:read:admin" } },
	{ "quality of participants",
	  { CLASSIC, "dashboard:read:list_meeting_participants_qos:admin",
	    "dashboard:read:admin" } },
	{ "feedback of a meeting",
	  { CLASSIC, "dashboard:read:post_meeting_feedback:admin", "dashboard:read:admin" } },
	{ "list users", { "user:read:admin", "user:read:list_users:admin" } },
	{ "summary of quality",
	  { CLASSIC, "dashboard:read:list_meeting_participants_qos:admin",
	    "dashboard:read:admin" } },
};

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += len) {
		if ((at == text || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
	}
	return false;
}

bool fl_zoom_scope_has(const char *scope, enum fl_zoom_call call)
{
	if (!*scope)
		return true;
	for (const char *const *s = calls[call].scopes; *s; s++) {
		if (has_word(scope, *s))
			return true;
	}
	return false;
}

unsigned int fl_zoom_scope_missing(const char *scope, char *buf, size_t size)
{
	unsigned int missing = 0;
	size_t at = 0;

	*buf = 0;
	for (unsigned int i = 0; i < FL_ZOOM_CALLS; i++) {
		int n;

		/* A summary needs what the quality of participants needs: named once. */
		if (i == FL_ZOOM_CALL_SUMMARY || fl_zoom_scope_has(scope, (enum fl_zoom_call)i))
			continue;
		missing++;
		n = snprintf(buf + at, size - at, "%s%s needs %s or %s", at ? "; " : "",
			     calls[i].name, calls[i].scopes[0], calls[i].scopes[1]);
		at += n > 0 ? (size_t)n : 0;
		if (at >= size)
			at = size - 1;
	}
	return missing;
}

const char *fl_zoom_call_name(enum fl_zoom_call call)
{
	return calls[call].name;
}
