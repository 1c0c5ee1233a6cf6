-- SPDX-License-Identifier: Apache-2.0
-- What fairlead-insightd remembers. Times are seconds since 1970 UTC where a name ends in _s, minutes
-- where it is called minute. Addresses are 4 or 16 bytes, MACs 6. NULL: not known.

-- Poller: an account's state is a text of the poller's own; work is a meeting that is not done yet.
CREATE TABLE account (
  id    INTEGER PRIMARY KEY,
  key   TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL
) STRICT;

CREATE TABLE work (
  account INTEGER NOT NULL,
  uuid    TEXT NOT NULL,
  stage   INTEGER NOT NULL,
  tries   INTEGER NOT NULL,
  due_s   INTEGER NOT NULL,
  ended_s INTEGER NOT NULL,
  PRIMARY KEY (account, uuid)
) STRICT, WITHOUT ROWID;
CREATE INDEX work_due ON work (account, due_s);

-- Router.
CREATE TABLE site (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE path (
  id     INTEGER PRIMARY KEY,
  site   INTEGER NOT NULL,
  router TEXT NOT NULL,
  name   TEXT NOT NULL,
  UNIQUE (site, router, name)
) STRICT;

CREATE TABLE path_minute (
  path             INTEGER NOT NULL,
  minute           INTEGER NOT NULL,
  active           INTEGER NOT NULL,
  rtt_us           INTEGER,
  jitter_us        INTEGER,
  loss_ppm         INTEGER,
  tx_kbps          INTEGER,
  rx_kbps          INTEGER,
  tx_capacity_kbps INTEGER,
  rx_capacity_kbps INTEGER,
  zoom_bytes       INTEGER,
  clients          INTEGER,
  PRIMARY KEY (path, minute)
) STRICT, WITHOUT ROWID;

-- Ten minutes of a site's round trips, one value a minute (wan-avg-latency).
CREATE TABLE wan_roll (
  site    INTEGER NOT NULL,
  start_s INTEGER NOT NULL,
  sum_us  INTEGER NOT NULL,
  count   INTEGER NOT NULL,
  PRIMARY KEY (site, start_s)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
  id          INTEGER PRIMARY KEY,
  uuid        BLOB NOT NULL UNIQUE,
  site        INTEGER NOT NULL,
  client      BLOB NOT NULL,
  client_port INTEGER NOT NULL,
  remote      BLOB,
  remote_port INTEGER NOT NULL,
  nat         BLOB,
  nat_port    INTEGER NOT NULL,
  proto       INTEGER NOT NULL,
  app         INTEGER NOT NULL,
  mac         BLOB,
  hostname    TEXT,
  start_s     INTEGER NOT NULL,
  end_s       INTEGER, -- NULL: still there
  bytes       INTEGER NOT NULL
) STRICT;
CREATE INDEX session_client ON session (client, start_s);
CREATE INDEX session_end ON session (end_s);

CREATE TABLE session_step (
  session INTEGER NOT NULL,
  since_s INTEGER NOT NULL,
  path    INTEGER NOT NULL,
  PRIMARY KEY (session, since_s)
) STRICT, WITHOUT ROWID;

CREATE TABLE neighbour (
  site     INTEGER NOT NULL,
  mac      BLOB NOT NULL,
  addr     BLOB NOT NULL,
  hostname TEXT NOT NULL COLLATE NOCASE, -- without its domain; '' unknown
  from_s   INTEGER NOT NULL,
  to_s     INTEGER NOT NULL,
  PRIMARY KEY (mac, addr, site)
) STRICT, WITHOUT ROWID;
CREATE INDEX neighbour_hostname ON neighbour (hostname);

CREATE TABLE event (
  id       INTEGER PRIMARY KEY,
  site     INTEGER NOT NULL,
  at_s     INTEGER NOT NULL,
  severity INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  subject  TEXT NOT NULL, -- path, peer, client
  detail   TEXT NOT NULL,
  UNIQUE (site, at_s, kind, subject)
) STRICT;

-- Calls. A client is a device at a site, known by its MAC, else by its address.
CREATE TABLE client (
  id        INTEGER PRIMARY KEY,
  site      INTEGER NOT NULL,
  key       BLOB NOT NULL,
  addr      BLOB,
  hostname  TEXT COLLATE NOCASE,
  user_name TEXT,
  seen_s    INTEGER NOT NULL,
  UNIQUE (site, key)
) STRICT;
CREATE INDEX client_hostname ON client (hostname);
CREATE INDEX client_addr ON client (addr);

CREATE TABLE meeting (
  id           INTEGER PRIMARY KEY,
  account      INTEGER NOT NULL,
  uuid         TEXT NOT NULL,
  number       INTEGER NOT NULL,
  topic        TEXT,
  host         TEXT,
  host_email   TEXT,
  start_s      INTEGER NOT NULL,
  end_s        INTEGER,
  participants INTEGER NOT NULL,
  dropped      INTEGER NOT NULL, -- joins from elsewhere, of which nothing is kept
  UNIQUE (account, uuid)
) STRICT;
CREATE INDEX meeting_start ON meeting (start_s);

-- One join of one participant.
CREATE TABLE call (
  id           INTEGER PRIMARY KEY,
  meeting      INTEGER NOT NULL,
  key          TEXT NOT NULL,
  account      INTEGER NOT NULL,
  site         INTEGER NOT NULL,
  client       INTEGER NOT NULL,
  rule         INTEGER NOT NULL,
  vpn          INTEGER NOT NULL,
  conn         INTEGER NOT NULL,
  network      INTEGER NOT NULL,
  addr         BLOB,
  public_addr  BLOB,
  user_name    TEXT,
  email        TEXT,
  device       TEXT,
  join_s       INTEGER NOT NULL,
  leave_s      INTEGER, -- NULL: still in
  leave_code   INTEGER NOT NULL,
  audio        INTEGER NOT NULL,
  video        INTEGER NOT NULL,
  screen       INTEGER NOT NULL,
  rating       INTEGER, -- lowest
  bytes        INTEGER NOT NULL,
  minutes      INTEGER NOT NULL, -- stored
  bad_minutes  INTEGER NOT NULL,
  UNIQUE (meeting, key)
) STRICT;
CREATE INDEX call_site ON call (site, join_s, leave_s, client, rating);
CREATE INDEX call_client ON call (client, join_s);
CREATE INDEX call_stored ON call (leave_s) WHERE minutes > 0;

-- By far the largest table: figures are packed (agent/insight/store_pack.c), 60 to 90 bytes a row.
CREATE TABLE minute (
  call   INTEGER NOT NULL,
  minute INTEGER NOT NULL,
  path   INTEGER, -- that carried it
  bad    INTEGER NOT NULL, -- a bit each of the streams that were worse than good
  cause  INTEGER, -- category, once it was ranked
  data   BLOB NOT NULL,
  PRIMARY KEY (call, minute)
) STRICT, WITHOUT ROWID;

-- Sums of ten minutes of a site and an account, so that graphs need not read minutes.
CREATE TABLE roll (
  site    INTEGER NOT NULL,
  start_s INTEGER NOT NULL,
  account INTEGER NOT NULL,
  data    BLOB NOT NULL,
  PRIMARY KEY (site, start_s, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE feedback (
  meeting INTEGER NOT NULL,
  who     TEXT NOT NULL,
  at_s    INTEGER NOT NULL,
  site    INTEGER NOT NULL,
  call    INTEGER NOT NULL,
  rating  INTEGER NOT NULL,
  PRIMARY KEY (meeting, who, at_s)
) STRICT, WITHOUT ROWID;
CREATE INDEX feedback_site ON feedback (site, at_s, who, rating);
