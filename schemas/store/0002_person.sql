-- SPDX-License-Identifier: Apache-2.0
-- Ratings come minutes after the call and name the person only: by the e-mail, or by Zoom's id of the user.
ALTER TABLE call ADD COLUMN person TEXT;

-- Bad minutes that were not ranked yet: there are few of them at a time. 15: the audio and video streams.
CREATE INDEX minute_unranked ON minute (call) WHERE cause IS NULL AND bad & 15;
