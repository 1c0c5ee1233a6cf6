-- SPDX-License-Identifier: Apache-2.0
-- Zoom's own opinion scores of a call, in hundredths; only accounts with the QSS add-on have them.
ALTER TABLE call ADD COLUMN audio_mos INTEGER;
ALTER TABLE call ADD COLUMN video_mos INTEGER;
ALTER TABLE call ADD COLUMN screen_mos INTEGER;
