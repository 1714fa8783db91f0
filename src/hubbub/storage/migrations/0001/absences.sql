-- Where clients that cannot name a position left off. One row per identity of a door.
CREATE TABLE absences (
    door     TEXT NOT NULL,
    identity TEXT NOT NULL,
    seq      INTEGER,          -- told up to here; NULL: it is connected
    at       INTEGER NOT NULL, -- Unix milliseconds
    PRIMARY KEY (door, identity)
) WITHOUT ROWID;
CREATE INDEX absences_at ON absences (at);
