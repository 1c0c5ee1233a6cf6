#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A CA and a certificate for localhost, for the stub; and the same from a CA that nobody trusts.
#
# usage: certs.sh DIR
set -eu
dir=$1
mkdir -p "$dir"
cd "$dir"
# Suites that run side by side share them: the first one makes them.
exec 9>lock
flock 9
[ ! -e other.pem ] || exit 0

# make CA NAME SAN FILE
make() {
	[ -e "$1-ca.pem" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
		-subj "/CN=$1" -keyout "$1-ca.key" -out "$1-ca.pem" 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$2" \
		-keyout "$3.key" -out "$3.csr" 2>/dev/null
	openssl x509 -req -in "$3.csr" -CA "$1-ca.pem" -CAkey "$1-ca.key" -CAcreateserial -days 3650 \
		-extfile <(printf 'subjectAltName=DNS:%s' "$2") -out "$3.pem" 2>/dev/null
}

make stub localhost stub
make stub wrong.example name
make other localhost other
