-- Subscriptions that outlive connections and daemons. The rowid is their order.
CREATE TABLE standing (
    id     TEXT PRIMARY KEY,
    door   TEXT NOT NULL,
    caller TEXT NOT NULL, -- principal
    topic  TEXT NOT NULL,
    daemon TEXT NOT NULL  -- id of the process in which its owner was last heard of
);
CREATE INDEX standing_owner ON standing (door, caller, topic);
