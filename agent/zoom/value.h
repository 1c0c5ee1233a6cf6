/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zoom's texts for figures (zoom-api.md 5). NULL, "", "-", "N/A" and whatever makes no sense is
 * "not known": NAN, 0 or false, and never an error. Pure.
 */
#ifndef FL_AGENT_ZOOM_VALUE_H
#define FL_AGENT_ZOOM_VALUE_H

#include "agent/zoom/sink.h"

/* Milliseconds, of "27 ms", "1,204ms", "1.2 s", "20". */
double fl_zoom_value_ms(const char *text);
/* Per cent, 0 to 100. */
double fl_zoom_value_percent(const char *text);
/* Kilobits a second, of "27.15 kbps", "3.2Mbps", "800 bps". */
double fl_zoom_value_kbps(const char *text);
double fl_zoom_value_fps(const char *text);
/* An opinion score, 1 to 5; 0: none. */
double fl_zoom_value_mos(const char *text);
/* dBm, -127 to -1. */
double fl_zoom_value_dbm(const char *text);
/* "1280*720"; false for what is off. */
bool fl_zoom_value_resolution(const char *text, uint16_t *ret_width, uint16_t *ret_height);
/* Seconds of "mm:ss" or "hh:mm:ss"; -1 if it is none. */
int64_t fl_zoom_value_duration(const char *text);
/* False for what is no address of one device. */
bool fl_zoom_value_mac(const char *text, uint8_t ret_mac[6]);
/* A set of enum fl_zoom_device. */
unsigned int fl_zoom_value_device(const char *text);
/* Per cent for "normal", "fair", "serious", "critical". */
double fl_zoom_value_pressure(const char *text);
enum fl_zoom_quality fl_zoom_value_quality(const char *text);
enum fl_zoom_network fl_zoom_value_network(const char *text);
enum fl_zoom_conn fl_zoom_value_conn(const char *text);
enum fl_zoom_role fl_zoom_value_role(const char *text);
enum fl_zoom_leave fl_zoom_value_leave(const char *text, bool *ret_disconnected);
/* A caller by phone has its number for a name. */
bool fl_zoom_value_is_phone_number(const char *name);

#endif
