#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# After `make install` and `make uninstall` on the running system: have systemd, as far as it is there,
# look at what has changed. Starts and stops nothing.
set -eu

conf=fairlead.conf
if [ -e /usr/lib/sysusers.d/$conf ] || [ -e /usr/local/lib/sysusers.d/$conf ]; then
	if command -v systemd-sysusers >/dev/null; then
		systemd-sysusers $conf
		systemd-tmpfiles --create $conf
	else
		echo "no systemd: to run the daemon as a user of its own, make user and group fairlead"
	fi
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
