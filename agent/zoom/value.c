// SPDX-License-Identifier: Apache-2.0
/* Zoom's texts for figures: see value.h. */
#include "agent/zoom/value.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What multiplies a figure with this unit behind it. */
struct unit {
	const char *name;
	double factor;
};

static const char *blanks(const char *s)
{
	while (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r')
		s++;
	return s;
}

/*
 * A decimal number, commas between thousands dropped. Up to 15 digits, one division of two exact
 * doubles gives the nearest double, as strtod() does at ten times the cost.
 */
static const char *decimal(const char *s, double *ret)
{
	static const double tens[] = { 1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
				       1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
	unsigned int digits = 0, fraction = 0;
	bool negative = *s == '-', point = false;
	int64_t n = 0;

	if (*s == '-' || *s == '+')
		s++;
	for (;; s++) {
		if (*s == ',' && !point && digits && isdigit((unsigned char)s[1]))
			continue;
		if (*s == '.' && !point && isdigit((unsigned char)s[1])) {
			point = true;
			continue;
		}
		if (!isdigit((unsigned char)*s))
			break;
		/* What is longer is cut: no figure of a meeting needs it. */
		if (digits == 15) {
			if (!point)
				return NULL;
			continue;
		}
		n = n * 10 + (*s - '0');
		digits++;
		fraction += point;
	}
	if (!digits)
		return NULL;
	*ret = (double)(negative ? -n : n) / tens[fraction];
	return s;
}

static double figure(const char *text, const struct unit *units)
{
	const char *end;
	double value;
	size_t len;

	if (!text)
		return NAN;
	end = decimal(blanks(text), &value);
	if (!end)
		return NAN;
	end = blanks(end);
	len = strlen(end);
	while (len && strchr(" \t\r\n", end[len - 1]))
		len--;
	if (!len)
		return value;
	for (; units->name; units++) {
		if (!strncasecmp(end, units->name, len) && !units->name[len])
			return value * units->factor;
	}
	return NAN;
}

/* Figures outside their range are as good as none. */
static double within(double value, double low, double high)
{
	return value >= low && value <= high ? value : NAN;
}

double fl_zoom_value_ms(const char *text)
{
	static const struct unit units[] = { { "ms", 1 }, { "s", 1000 }, { NULL, 0 } };

	return within(figure(text, units), 0, 3600e3);
}

double fl_zoom_value_percent(const char *text)
{
	static const struct unit units[] = { { "%", 1 }, { NULL, 0 } };

	return within(figure(text, units), 0, 100);
}

double fl_zoom_value_kbps(const char *text)
{
	static const struct unit units[] = {
		{ "kbps", 1 }, { "mbps", 1e3 }, { "bps", 1e-3 }, { "gbps", 1e6 },
		{ "kb/s", 1 }, { "mb/s", 1e3 }, { "b/s", 1e-3 }, { NULL, 0 },
	};

	return within(figure(text, units), 0, 1e9);
}

double fl_zoom_value_fps(const char *text)
{
	static const struct unit units[] = { { "fps", 1 }, { NULL, 0 } };

	return within(figure(text, units), 0, 1000);
}

double fl_zoom_value_mos(const char *text)
{
	double mos;

	if (!decimal(blanks(text), &mos))
		return 0;
	return mos >= 1 && mos <= 5 ? mos : 0;
}

double fl_zoom_value_dbm(const char *text)
{
	static const struct unit units[] = { { "dbm", 1 }, { NULL, 0 } };

	return within(figure(text, units), -127, -1);
}

bool fl_zoom_value_resolution(const char *text, uint16_t *ret_width, uint16_t *ret_height)
{
	unsigned long width, height;
	char *end;

	if (!text || !isdigit((unsigned char)*blanks(text)))
		return false;
	width = strtoul(text, &end, 10);
	end = (char *)(uintptr_t)blanks(end);
	if (*end != '*' && *end != 'x' && *end != 'X')
		return false;
	end = (char *)(uintptr_t)blanks(end + 1);
	if (!isdigit((unsigned char)*end))
		return false;
	height = strtoul(end, &end, 10);
	if (*blanks(end) || !width || !height || width > UINT16_MAX || height > UINT16_MAX)
		return false;
	*ret_width = (uint16_t)width;
	*ret_height = (uint16_t)height;
	return true;
}

int64_t fl_zoom_value_duration(const char *text)
{
	int64_t seconds = 0;
	int parts = 0;

	while (text && parts < 3) {
		char *end;

		if (!isdigit((unsigned char)*text))
			return -1;
		seconds = seconds * 60 + (int64_t)(strtoul(text, &end, 10) % 1000000);
		parts++;
		if (!*end)
			return parts > 1 ? seconds : -1;
		if (*end != ':')
			return -1;
		text = end + 1;
	}
	return -1;
}

bool fl_zoom_value_mac(const char *text, uint8_t ret_mac[6])
{
	uint8_t mac[6] = { 0 }, all = 0xff, any = 0;
	unsigned int n = 0;

	for (; text && *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (!isxdigit(c))
			continue;
		if (n == 12)
			return false;
		mac[n / 2] =
			(uint8_t)(mac[n / 2] << 4 | (isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10));
		n++;
	}
	for (int i = 0; i < 6; i++) {
		all &= mac[i];
		any |= mac[i];
	}
	if (n != 12 || !any || all == 0xff)
		return false;
	memcpy(ret_mac, mac, 6);
	return true;
}

/* The table is read from the top: "win" must not be found in "darwin". */
static unsigned int device(const char *name, size_t len)
{
	static const struct {
		const char *part;
		enum fl_zoom_device device;
	} devices[] = {
		{ "web", FL_ZOOM_DEVICE_WEB },         { "browser", FL_ZOOM_DEVICE_WEB },
		{ "zoom room", FL_ZOOM_DEVICE_ROOMS }, { "zoomroom", FL_ZOOM_DEVICE_ROOMS },
		{ "darwin", FL_ZOOM_DEVICE_MAC },      { "win", FL_ZOOM_DEVICE_WINDOWS },
		{ "mac", FL_ZOOM_DEVICE_MAC },         { "linux", FL_ZOOM_DEVICE_LINUX },
		{ "ipad", FL_ZOOM_DEVICE_IOS },        { "iphone", FL_ZOOM_DEVICE_IOS },
		{ "ios", FL_ZOOM_DEVICE_IOS },         { "android", FL_ZOOM_DEVICE_ANDROID },
		{ "chrome", FL_ZOOM_DEVICE_CHROMEOS }, { "phone", FL_ZOOM_DEVICE_PHONE },
		{ "h.323", FL_ZOOM_DEVICE_SIP },       { "h323", FL_ZOOM_DEVICE_SIP },
		{ "sip", FL_ZOOM_DEVICE_SIP },
	};
	char lower[64];

	if (len >= sizeof(lower))
		len = sizeof(lower) - 1;
	for (size_t i = 0; i < len; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	lower[len] = 0;
	for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++) {
		if (strstr(lower, devices[i].part))
			return devices[i].device;
	}
	return FL_ZOOM_DEVICE_UNKNOWN;
}

/* Several devices are joined by blank, plus, blank; "10+" is a version. */
unsigned int fl_zoom_value_device(const char *text)
{
	unsigned int set = 0;

	while (text) {
		const char *end = strstr(text, " + ");

		set |= device(text, end ? (size_t)(end - text) : strlen(text));
		text = end ? end + 3 : NULL;
	}
	return set ? set : FL_ZOOM_DEVICE_UNKNOWN;
}

double fl_zoom_value_pressure(const char *text)
{
	static const struct unit levels[] = { { "normal", 20 },
					      { "fair", 50 },
					      { "serious", 80 },
					      { "critical", 100 },
					      { NULL, 0 } };

	for (const struct unit *l = levels; text && l->name; l++) {
		if (!strcasecmp(text, l->name))
			return l->factor;
	}
	return NAN;
}

enum fl_zoom_quality fl_zoom_value_quality(const char *text)
{
	static const char *const names[] = { "", "bad", "poor", "fair", "good" };

	for (unsigned int i = FL_ZOOM_QUALITY_BAD; text && i <= FL_ZOOM_QUALITY_GOOD; i++) {
		if (!strcasecmp(text, names[i]))
			return (enum fl_zoom_quality)i;
	}
	return FL_ZOOM_QUALITY_NONE;
}

enum fl_zoom_network fl_zoom_value_network(const char *text)
{
	if (!text || !*text)
		return FL_ZOOM_NETWORK_UNKNOWN;
	if (!strcasecmp(text, "wired"))
		return FL_ZOOM_NETWORK_WIRED;
	if (!strcasecmp(text, "wifi") || !strcasecmp(text, "wi-fi"))
		return FL_ZOOM_NETWORK_WIFI;
	if (!strcasecmp(text, "cellular"))
		return FL_ZOOM_NETWORK_CELLULAR;
	return FL_ZOOM_NETWORK_OTHER;
}

enum fl_zoom_conn fl_zoom_value_conn(const char *text)
{
	if (!text || !*text)
		return FL_ZOOM_CONN_UNKNOWN;
	if (strcasestr(text, "proxy"))
		return FL_ZOOM_CONN_PROXY;
	if (strcasestr(text, "udp") || !strcasecmp(text, "p2p"))
		return FL_ZOOM_CONN_UDP;
	if (strcasestr(text, "tcp") || strcasestr(text, "ssl") || strcasestr(text, "tls") ||
	    strcasestr(text, "http"))
		return FL_ZOOM_CONN_TCP;
	return FL_ZOOM_CONN_UNKNOWN;
}

enum fl_zoom_role fl_zoom_value_role(const char *text)
{
	if (text && !strcasecmp(text, "host"))
		return FL_ZOOM_ROLE_HOST;
	if (text && !strcasecmp(text, "panelist"))
		return FL_ZOOM_ROLE_PANELIST;
	return FL_ZOOM_ROLE_ATTENDEE;
}

/* Behind "Reason:" if there is one: what stands before it holds a name, which may say anything. */
enum fl_zoom_leave fl_zoom_value_leave(const char *text, bool *ret_disconnected)
{
	const char *reason = text ? strcasestr(text, "<br>Reason:") : NULL;
	enum fl_zoom_leave leave = FL_ZOOM_LEAVE_UNKNOWN;
	const char *said = reason ? reason : text ? text : "";

	if (strcasestr(said, "host ended") || strcasestr(said, "ended by host"))
		leave = FL_ZOOM_LEAVE_HOST_ENDED;
	else if (strcasestr(said, "network connection error") || strcasestr(said, "network error"))
		leave = FL_ZOOM_LEAVE_NETWORK_ERROR;
	else if (strcasestr(said, "removed by") || strcasestr(said, "was removed"))
		leave = FL_ZOOM_LEAVE_REMOVED;
	else if (strcasestr(said, "left the meeting"))
		leave = FL_ZOOM_LEAVE_LEFT;
	*ret_disconnected = leave == FL_ZOOM_LEAVE_NETWORK_ERROR ||
			    (text && strcasestr(text, "got disconnected"));
	return leave;
}

bool fl_zoom_value_is_phone_number(const char *name)
{
	unsigned int digits = 0;

	for (; *name; name++) {
		if (isdigit((unsigned char)*name))
			digits++;
		else if (!strchr("+-() .*#", *name))
			return false;
	}
	return digits >= 5;
}
