/* SPDX-License-Identifier: Apache-2.0 */
/* Zoom's texts for times (zoom-api.md 1, 5, 9); all of them are UTC. Pure. */
#ifndef FL_AGENT_ZOOM_WHEN_H
#define FL_AGENT_ZOOM_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#define FL_ZOOM_DAY_S    86400
#define FL_ZOOM_WHEN_LEN 32

/**
 * fl_zoom_when_parse() - "2024-07-11T14:30:00Z", with fraction or offset
 * @ret_ms: milliseconds since 1970
 *
 * Return: false for what is none, or says no zone.
 */
bool fl_zoom_when_parse(const char *text, int64_t *ret_ms);

/* The same in seconds; 0 for what is none. */
int64_t fl_zoom_when_s(const char *text);

/**
 * fl_zoom_when_header() - a time of an HTTP header
 * @now_s: seconds are counted from here
 *
 * RFC 3339 (Zoom's Retry-After), else seconds, else an HTTP date (RFC 9110 5.6.7, the first form).
 * Return: seconds since 1970, or 0.
 */
int64_t fl_zoom_when_header(const char *text, int64_t now_s);

/* "yyyy-MM-dd HH:mm:ss" of seconds since 1970, as the API wants it. */
void fl_zoom_when_format(int64_t s, char buf[FL_ZOOM_WHEN_LEN]);

/* Seconds since 1970 of the next midnight. */
int64_t fl_zoom_when_next_day(int64_t s);

#endif
