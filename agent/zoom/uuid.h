/* SPDX-License-Identifier: Apache-2.0 */
/* Meeting ids in paths of the API. */
#ifndef FL_AGENT_ZOOM_UUID_H
#define FL_AGENT_ZOOM_UUID_H

#include <stddef.h>

/**
 * fl_zoom_escape() - percent-encode for a path or a query
 *
 * Unreserved characters of RFC 3986 2.3 stay. Return: bytes written without the NUL; -ENOSPC.
 */
int fl_zoom_escape(const char *text, char *buf, size_t size);

/**
 * fl_zoom_uuid_escape() - meeting id or uuid for a path: twice if it needs that (zoom-api.md 1)
 *
 * Return: bytes written without the NUL; -ENOSPC.
 */
int fl_zoom_uuid_escape(const char *id, char *buf, size_t size);

#endif
